"""The raw values that are read of one row, and JSON arrays of them on both databases."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import sqlalchemy as sa

from schema.readgraph.asked import Asked
from schema.readgraph.declare import Cell, Columns, Leaf, Node, Scope
from schema.readgraph.decode import Decode, Json, Value, decoder
from schema.readgraph.given import Given
from schema.readgraph.selection import Selected

# PostgreSQL's functions take at most 100 arguments, SQLite's 127. A row has fewer columns; the
# parts of an answer go in pieces.
ITEMS_MAX = 100
PIECE = 90

Expression: TypeAlias = sa.ColumnElement[Any]
Place: TypeAlias = tuple[int, Decode | None]


@dataclass(slots=True)
class Recorder:
    """A row's columns, which remembers those that were used."""

    columns: Columns
    used: set[str] = field(default_factory=set)

    def __getitem__(self, name: str) -> Expression:
        self.used.add(name)
        return self.columns[name]


@dataclass(slots=True)
class Cells:
    """What is read of one row; each value only once, however many fields need it."""

    columns: Columns
    dialect: str
    expressions: list[Expression] = field(default_factory=list)
    places: dict[Cell, Place] = field(default_factory=dict)

    def place(self, cell: Cell) -> Place:
        """Index and decoder of a cell."""
        if cell not in self.places:
            found = self.columns[cell] if isinstance(cell, str) else cell(self.columns)
            made = decoder(found.type, self.dialect)
            if isinstance(found.type, sa.JSON) and self.dialect == "sqlite":
                found = sa.func.json(found)  # else it would be taken for a text
            self.expressions.append(found)
            self.places[cell] = (len(self.expressions) - 1, made)
        return self.places[cell]


def needed(node: Node, views: Sequence[Selected], scope: Scope) -> set[str]:
    """The columns of a node's table that these views read."""
    names: set[str] = set()
    for view in views:
        for cell in (shown(leaf, c, scope) for _, leaf, _ in view.leaves for c in leaf.cells):
            if isinstance(cell, str):
                names.add(cell)
            else:
                recorder = Recorder(node.table.c)
                cell(recorder)
                names |= recorder.used
        names |= {one.here for _, one, _ in view.ones}
        names |= {many.here for _, many, _ in view.manys}
    return names


def shown(leaf: Leaf, cell: Cell, scope: Scope) -> Cell:
    """A cell of a field as the viewer sees it: null in rows of which the field is not shown."""
    only = leaf.only
    if only is None:
        return cell

    def guarded(row: Columns) -> Expression:
        value = row[cell] if isinstance(cell, str) else cell(row)
        rule = only(row, scope)
        return value if rule is sa.true() else sa.case((rule, value))

    return guarded


def json_array(dialect: str, items: Sequence[Expression]) -> Expression:
    """One JSON array of at most ITEMS_MAX items."""
    assert len(items) <= ITEMS_MAX
    make = sa.func.json_array if dialect == "sqlite" else sa.func.json_build_array
    return make(*items)


def gathered(dialect: str, item: Expression) -> Expression:
    """All rows' JSON arrays as one."""
    if dialect == "sqlite":
        return sa.func.json_group_array(sa.func.json(item))
    return sa.func.coalesce(sa.func.json_agg(item), sa.literal_column("'[]'::json"))


def making(
    leaf: Leaf, arguments: dict[str, Given], places: Sequence[Place]
) -> Callable[..., Value]:
    """make(…) of a field as it is called with the answer: asked first, then the raw cells."""
    make = leaf.make
    assert make is not None
    decoders = [decode for _, decode in places]

    def decoded(cells: Sequence[Json]) -> list[Value]:
        return [c if d is None else d(c) for c, d in zip(cells, decoders, strict=True)]

    def given(asked: Asked) -> dict[str, object]:
        return {name: each.at(asked.variables) for name, each in arguments.items()}

    if leaf.arguments:
        return lambda asked, *cells: make(asked.context, given(asked), *decoded(cells))
    if leaf.asks_viewer:
        return lambda asked, *cells: make(asked.context, *decoded(cells))
    if any(decoders):
        return lambda asked, *cells: make(*decoded(cells))
    return lambda asked, *cells: make(*cells)
