"""From a selection to one SQL statement, and from its answer to plain nested values.

Every edge that is asked for becomes a level: a common table expression over the one above it, so
that the statement is flat however deep the selection goes (SQLite's parser takes a hundred open
brackets) and a row that many others point to is read once. The answer is one JSON array with a part
for each level: its rows as arrays of raw values. Values are put together from the leaves up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import sqlalchemy as sa

from schema.readgraph.asked import OF_VIEWER, Asked, Getter
from schema.readgraph.cells import (
    PIECE,
    Cells,
    Expression,
    Place,
    gathered,
    json_array,
    making,
    needed,
    shown,
)
from schema.readgraph.conditions import among
from schema.readgraph.declare import NODES, Node, One
from schema.readgraph.decode import (
    Connect,
    Found,
    Json,
    Parts,
    Read,
    Take,
    Value,
    connection,
    object_of,
)
from schema.readgraph.draft import Draft
from schema.readgraph.lists import PARENT, Above, counted, cut, ordered, place
from schema.readgraph.selection import Listed, Selected


@dataclass(slots=True)
class Statement:
    """Made once, run often: the SQL, where its parameters come from, how its answer is read."""

    sql: sa.Select[Any]
    parameters: dict[str, Getter]
    take: Callable[[Json, Asked], Value]


class Builder:
    """A statement under construction: its parts, and how each of them is read.

    A part is added after those of the edges below it, so that reading goes from the leaves up.
    """

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.parts: list[Expression] = []
        self.reads: list[Read] = []

    def statement(self, final: Callable[[Asked, Found], Value]) -> Statement:
        """The finished statement; parameters that it does not hold are left out."""
        make = self.draft.dialect
        pieces = [self.parts[at : at + PIECE] for at in range(0, len(self.parts), PIECE)]
        whole = json_array(make, [json_array(make, piece) for piece in pieces])
        sql = sa.select(whole if self.draft.is_sqlite else sa.cast(whole, sa.Text))
        used = sql.compile(dialect=_COMPILERS[self.draft.dialect]).params
        known = {**OF_VIEWER, **self.draft.parameters}
        reads = self.reads

        def take(answer: Json, asked: Asked) -> Value:
            found: Found = []
            for read, part in zip(reads, chain.from_iterable(answer), strict=True):
                found.append(read(part, asked, found))
            return final(asked, found)

        return Statement(sql, {name: known[name] for name in used if name in known}, take)

    def by_keys(self, node: Node, views: Sequence[Selected]) -> int:
        """The visible rows of the keys asked for, as a part: {key: [value of each view]}."""
        table = node.table.alias()
        chosen = among(
            self.draft, table.c.id, sa.BigInteger(), lambda asked: list(asked.keys[node.name])
        )
        names = sorted({"id", *needed(node, views, self.draft.scope)})
        found = sa.select(*(table.c[name] for name in names))
        level = self.draft.level(found.where(chosen, node.visible(table.c, self.draft.scope)))
        cells = Cells(level.c, self.draft.dialect)
        cells.place("id")
        takes = [self._view(view, cells, level) for view in views]

        def read(rows: Json, asked: Asked, found: Found) -> dict[int, list[Value]]:
            return {row[0]: [take(row, asked, found) for take in takes] for row in rows}

        return self._part(self._gathered(cells, level), read)

    def listed(self, listed: Listed, above: Above | None = None) -> Connect:
        """A connection: its rows, its count, and whether more lies around it."""
        page, slot = listed.page, self.draft.slots[id(listed.page)]
        names = {part.name for _, part in listed.layout}
        inside = {name for _, part in listed.layout for _, name, _ in part.below}
        parts = Parts(slot)
        if names & {"nodes", "edges", "pageInfo"}:
            self._rows(listed, above, parts, inside)
        if "totalCount" in names:
            parts.count = self._counted(counted(self.draft, page, above), above)
        if "hasPreviousPage" in inside and page.after is not None:
            there = place(self.draft, page, 2 * slot, backward=True, itself=True)
            parts.before = self._counted(counted(self.draft, page, above, there), above)
        if "hasNextPage" in inside and page.before is not None:
            there = place(self.draft, page, 2 * slot + 1, backward=False, itself=True)
            parts.behind = self._counted(counted(self.draft, page, above, there), above)
        return connection(listed, parts)

    def _view(self, selected: Selected, cells: Cells, level: sa.CTE) -> Take:
        """Put what is asked of a row into its cells; how to make the object of them."""
        plain, rich = [], []
        for key, leaf, arguments in selected.leaves:
            places: list[Place] = [
                cells.place(shown(leaf, cell, self.draft.scope)) for cell in leaf.cells
            ]
            if leaf.make is None:
                plain.append((key, *places[0]))
            else:
                rich.append((key, tuple(at for at, _ in places), making(leaf, arguments, places)))
        ones = [
            (key, cells.place(one.here)[0], self._one(one, below, level))
            for key, one, below in selected.ones
        ]
        manys = [
            (key, cells.place(many.here)[0], self.listed(listed, Above(level, many)))
            for key, many, listed in selected.manys
        ]
        return object_of(plain, rich, ones, manys, selected.hidden)

    def _one(self, one: One, below: Selected, above: sa.CTE) -> int:
        """The rows that an edge leads to, as a part: {value of the column there: object}."""
        node = NODES[one.target]
        table = node.table.alias()
        names = sorted({one.there, *needed(node, [below], self.draft.scope)})
        found = sa.select(*(table.c[name] for name in names)).where(
            table.c[one.there].in_(sa.select(above.c[one.here])),
            node.visible(table.c, self.draft.scope),
        )
        level = self.draft.level(found)
        cells = Cells(level.c, self.draft.dialect)
        cells.place(one.there)
        take = self._view(below, cells, level)

        def read(rows: Json, asked: Asked, found: Found) -> dict[Json, Value]:
            return {row[0]: take(row, asked, found) for row in rows}

        return self._part(self._gathered(cells, level), read)

    def _rows(self, listed: Listed, above: Above | None, parts: Parts, inside: set[str]) -> None:
        """The rows of a page, as a part: a list, or lists by the key of the row above."""
        page = listed.page
        order = {term.column.name for term in page.order}
        names = sorted({"id", *order, *needed(page.node, listed.views, self.draft.scope)})
        level = self.draft.level(cut(self.draft, page, above, names))
        cells = Cells(level.c, self.draft.dialect)
        if above is not None:
            cells.place(PARENT)
        if inside & {"cursor", "startCursor", "endCursor"}:
            parts.cursor = [cells.place(term.column.name) for term in page.order]
        parts.views = [self._view(view, cells, level) for view in listed.views]
        row = json_array(self.draft.dialect, cells.expressions).label("o")
        rows = sa.select(row).select_from(level).order_by(*ordered(self.draft, page, level.c))
        if self.draft.is_sqlite:
            rows = rows.limit(sa.literal_column("-1"))  # without a limit it may drop the order
        whole = rows.subquery()
        part = sa.select(gathered(self.draft.dialect, whole.c.o)).select_from(whole)
        parts.rows = self._part(part, _as_it_is if above is None else _by_parent)

    def _counted(self, found: sa.Select[Any], above: Above | None) -> int:
        """Counts as a part: a number, or numbers by the key of the row above."""
        if above is None:
            return self._part(found, _as_it_is, nested=False)
        whole = found.subquery()
        row = json_array(self.draft.dialect, list(whole.c))
        part = sa.select(gathered(self.draft.dialect, row)).select_from(whole)
        return self._part(part, lambda rows, _asked, _found: dict(rows))

    def _gathered(self, cells: Cells, level: sa.CTE) -> sa.Select[Any]:
        row = json_array(self.draft.dialect, cells.expressions)
        return sa.select(gathered(self.draft.dialect, row)).select_from(level)

    def _part(self, found: sa.Select[Any], read: Read, *, nested: bool = True) -> int:
        expression: Expression = found.scalar_subquery()
        if nested and self.draft.is_sqlite:
            expression = sa.func.json(expression)  # else it would be taken for a text
        self.parts.append(expression)
        self.reads.append(read)
        return len(self.parts) - 1


def _as_it_is(part: Json, _asked: Asked, _found: Found) -> Value:
    return part


def _by_parent(rows: Json, _asked: Asked, _found: Found) -> dict[Json, list[Json]]:
    """Rows by their first cell, in their order."""
    grouped: dict[Json, list[Json]] = {}
    for row in rows:
        grouped.setdefault(row[0], []).append(row)
    return grouped


def _compiler(name: str) -> sa.Dialect:
    return sa.make_url(f"{name}://").get_dialect()()


_COMPILERS = {"sqlite": _compiler("sqlite"), "postgresql": _compiler("postgresql+psycopg")}
