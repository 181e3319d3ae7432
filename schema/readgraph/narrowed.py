"""Lists that are narrower than what may be seen: which rows belong, by a condition of their own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

if TYPE_CHECKING:
    from schema.readgraph.declare import Columns, Condition, Order, Scope

    # The row of the list, the viewer, and the id of the row above; None at the root.
    Belongs = Callable[[Columns, Scope, "sa.ColumnElement[int] | None"], Condition]


@dataclass(frozen=True, slots=True, eq=False)
class Narrowed:
    """A condition beside visibility, and the order where none is asked for; empty: the node's."""

    belongs: Belongs
    order: Order = ()
