"""A statement while it is drafted: for which database and role, and with which parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from marketplace.domain.permissions import Role
from schema.readgraph.asked import Getter
from schema.readgraph.declare import Scope
from schema.readgraph.pages import Cursor


@dataclass(slots=True, kw_only=True)
class Draft:
    """Everything that decides a statement, and the parameters that it gathers on the way.

    slots      id(page) -> slot of its size; its cursors are at twice that, and one further
    sizes      written into the statement, so that the database's planner knows them
    cursors    of these only which values are missing
    """

    dialect: str
    role: Role
    slots: Mapping[int, int]
    sizes: Sequence[int]
    cursors: Sequence[Cursor | None]
    parameters: dict[str, Getter] = field(default_factory=dict)
    levels: int = 0
    scope: Scope = field(init=False)

    def __post_init__(self) -> None:
        self.scope = Scope(self.role)

    @property
    def is_sqlite(self) -> bool:
        return self.dialect == "sqlite"

    def bind(self, getter: Getter, kind: sa.types.TypeEngine[Any]) -> sa.BindParameter[Any]:
        """A parameter whose value is read from what is asked, at every run."""
        name = f"p{len(self.parameters)}"
        self.parameters[name] = getter
        return sa.bindparam(name, type_=kind)

    def level(self, rows: sa.Select[Any]) -> sa.CTE:
        """A name for these rows, for the edges that lead on from them."""
        self.levels += 1
        return rows.cte(f"level_{self.levels}")
