"""From a selection to one SQL statement, and from its answer to plain nested values.

Every row becomes a JSON array of raw values, lists become arrays of them, and the whole answer is
one JSON text in one column of one row. The same shapes are made on both databases: `json_array`
and `json_group_array` on SQLite, `json_build_array` and `json_agg` on PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import sqlalchemy as sa

from marketplace.domain.permissions import Role
from schema.readgraph.asked import OF_VIEWER, Asked, Getter
from schema.readgraph.conditions import Where, after, among
from schema.readgraph.declare import NODES, Cell, Columns, Condition, Leaf, Many, Node, One, Scope
from schema.readgraph.decode import Json, Take, Value, connection, decoder, joined, object_of
from schema.readgraph.pages import Cursor, Page, Term
from schema.readgraph.selection import Listed, Selected

# PostgreSQL's functions take at most 100 arguments, SQLite's 127: longer rows go in pieces.
PIECE = 90

Expression: TypeAlias = sa.ColumnElement[Any]


@dataclass(slots=True)
class Statement:
    """Made once, run often: the SQL, where its parameters come from, how its answer is read."""

    sql: sa.Select[Any]
    parameters: dict[str, Getter]
    take: Callable[[Json, Asked], Value]


@dataclass(slots=True)
class Cells:
    """The raw values that are read of one row; each only once, however many fields need it."""

    columns: Columns
    dialect: str
    expressions: list[Expression] = field(default_factory=list)
    places: dict[Cell, tuple[int, Callable[[Json], Value] | None]] = field(default_factory=dict)

    def place(self, cell: Cell) -> tuple[int, Callable[[Json], Value] | None]:
        """Index and decoder of a cell."""
        if cell not in self.places:
            found = self.columns[cell] if isinstance(cell, str) else cell(self.columns)
            made = decoder(found.type, self.dialect)
            nested = isinstance(found.type, sa.JSON)
            self.places[cell] = (self.add(found, nested=nested), made)
        return self.places[cell]

    def add(self, expression: Expression, *, nested: bool = False) -> int:
        if nested and self.dialect == "sqlite":
            expression = sa.func.json(expression)  # else it would be taken for a text
        self.expressions.append(expression)
        return len(self.expressions) - 1

    def array(self) -> Expression:
        """The row as one JSON array."""
        make = sa.func.json_array if self.dialect == "sqlite" else sa.func.json_build_array
        cells = self.expressions
        if len(cells) <= PIECE:
            return make(*cells)
        return make(*(make(*cells[at : at + PIECE]) for at in range(0, len(cells), PIECE)))

    @property
    def in_pieces(self) -> bool:
        return len(self.expressions) > PIECE


class Builder:
    """A statement under construction."""

    def __init__(
        self, dialect: str, role: Role, slots: dict[int, int], cursors: Sequence[Cursor | None]
    ) -> None:
        self.dialect, self.role = dialect, role
        self.scope = Scope(role)
        self.slots = slots  # id(page) -> slot of its size; its cursors are at twice that
        self.cursors = cursors  # only which values are missing counts here
        self.parameters: dict[str, Getter] = {}

    def bind(self, getter: Getter, kind: sa.types.TypeEngine[Any]) -> sa.BindParameter[Any]:
        name = f"p{len(self.parameters)}"
        self.parameters[name] = getter
        return sa.bindparam(name, type_=kind)

    def statement(self, of: Expression, take: Callable[[Json, Asked], Value]) -> Statement:
        """The finished statement; parameters that it does not hold are left out."""
        if self.dialect != "sqlite":
            of = sa.cast(of, sa.Text)
        sql = sa.select(of)
        used = sql.compile(dialect=_COMPILERS[self.dialect]).params
        known = {**OF_VIEWER, **self.parameters}
        return Statement(sql, {name: known[name] for name in used if name in known}, take)

    # -- rows ---------------------------------------------------------------------------------

    def row(self, selected: Selected, cells: Cells, parent: sa.FromClause) -> Take:
        """Put what is asked of a row into its cells; how to take it out again."""
        plain: list[tuple[str, int, Callable[[Json], Value] | None]] = []
        rich: list[tuple[str, tuple[int, ...], Callable[..., Value]]] = []
        for key, leaf, arguments in selected.leaves:
            places = [cells.place(cell) for cell in leaf.cells]
            if leaf.make is None:
                plain.append((key, *places[0]))
            else:
                rich.append((key, tuple(at for at, _ in places), _made(leaf, arguments, places)))
        for key, one, below in selected.ones:
            expression, take = self._one(one, below, parent)
            rich.append((key, (cells.add(expression, nested=True),), _maybe(take)))
        for key, many, listed in selected.manys:
            expression, taken = self._many(many, listed, parent)
            rich.append((key, (cells.add(expression, nested=True),), taken))
        return object_of(plain, rich, selected.hidden)

    def _one(self, one: One, below: Selected, parent: sa.FromClause) -> tuple[Expression, Take]:
        node = NODES[one.target]
        table = node.table.alias()
        cells = Cells(table.c, self.dialect)
        take = self.row(below, cells, table)
        found = (
            sa.select(cells.array())
            .select_from(table)
            .where(table.c[one.there] == parent.c[one.here], node.visible(table.c, self.scope))
            .correlate(parent)
        )
        if one.newest is not None:
            newest = table.c[one.newest].desc(), table.c.id.desc()
            found = found.order_by(*newest).limit(sa.literal_column("1"))
        return found.scalar_subquery(), _joined(take) if cells.in_pieces else take

    def _many(
        self, many: Many, listed: Listed, parent: sa.FromClause
    ) -> tuple[Expression, Callable[[Asked, Json], Value]]:
        def joined(table: Columns) -> Condition:
            if many.through is None:
                return table[many.there] == parent.c[many.here]
            pair, through = many.through.table.alias(), many.through
            found = sa.select(pair.c[through.there])
            found = found.where(pair.c[through.here] == parent.c[many.here]).correlate(parent)
            return table[many.there].in_(found)

        return self.listed(listed, joined, parent)

    # -- lists --------------------------------------------------------------------------------

    def listed(
        self,
        listed: Listed,
        joined: Callable[[Columns], Condition] | None = None,
        parent: sa.FromClause | None = None,
    ) -> tuple[Expression, Callable[[Asked, Json], Value]]:
        """A connection as one JSON array: its rows, its count, and whether more lies around it."""
        page, slot = listed.page, self.slots[id(listed.page)]
        names = {part.name for _, part in listed.layout}
        inside = {name for _, part in listed.layout for _, name, _ in part.below}
        parts = Cells(page.node.table.c, self.dialect)
        take_rows = at_count = None
        if names & {"nodes", "edges", "pageInfo"}:
            expression, take_rows = self._rows(listed, joined, parent, slot)
            parts.add(expression, nested=True)
        if "totalCount" in names:
            counted = self._from(page, joined, parent, sa.func.count())
            at_count = parts.add(counted.scalar_subquery())
        around = []
        for name, given, backward in (
            ("hasPreviousPage", page.after, True),
            ("hasNextPage", page.before, False),
        ):
            if name in inside and given is not None:
                at = 2 * slot + (0 if backward else 1)
                there = self._place(page, at, backward=backward, itself=True)
                around.append(parts.add(self._exists(page, joined, parent, there)))
            else:
                around.append(-1)
        return parts.array(), connection(listed, slot, take_rows, at_count, around[0], around[1])

    def _rows(
        self,
        listed: Listed,
        joined: Callable[[Columns], Condition] | None,
        parent: sa.FromClause | None,
        slot: int,
    ) -> tuple[Expression, Any]:
        page = listed.page
        found = self._from(page, joined, parent)
        columns = found.selected_columns
        if page.after is not None:
            found = found.where(self._place(page, 2 * slot, backward=False)(columns))
        if page.before is not None:
            found = found.where(self._place(page, 2 * slot + 1, backward=True)(columns))
        ordered = [self._ordered(t, columns, backward=page.backward) for t in page.order]
        limit = self.bind(lambda asked: asked.sizes[slot] + 1, sa.Integer())
        # The page is cut first, from bare columns: edges are then read for its rows only.
        cut = found.order_by(*ordered).limit(limit).subquery()
        cells = Cells(cut.c, self.dialect)
        needs_cursor = any(
            name in {"cursor", "startCursor", "endCursor"}
            for _, part in listed.layout
            for _, name, _ in part.below
        )
        places = [cells.place(t.column.name) for t in page.order] if needs_cursor else []
        views = [self.row(view, cells, cut) for view in listed.views]
        whole = sa.select(self._gathered(cells)).select_from(cut)
        return whole.scalar_subquery(), (views, places, cells.in_pieces)

    def _from(
        self,
        page: Page,
        joined: Callable[[Columns], Condition] | None,
        parent: sa.FromClause | None,
        *what: Expression,
    ) -> sa.Select[Any]:
        """The rows of the list before any cursor: joined, visible, and as `where` says."""
        table = page.node.table.alias()
        found = sa.select(*(what or tuple(table.c))).select_from(table)
        found = found.where(page.node.visible(table.c, self.scope))
        if joined is not None:
            found = found.where(joined(table.c))
        if page.where is not None:
            found = found.where(Where(self, page.node, table.c, page.path).condition(page.where))
        return found.correlate(parent) if parent is not None else found

    def _exists(
        self,
        page: Page,
        joined: Callable[[Columns], Condition] | None,
        parent: sa.FromClause | None,
        there: Callable[[Columns], Condition],
    ) -> Expression:
        found = self._from(page, joined, parent)
        found = found.where(there(found.selected_columns)).limit(sa.literal_column("1"))
        counted = sa.select(sa.func.count()).select_from(found.subquery())
        return counted.scalar_subquery()

    def _place(
        self, page: Page, at: int, *, backward: bool, itself: bool = False
    ) -> Callable[[Columns], Condition]:
        """The condition to lie behind the cursor in slot `at`, or before it."""
        cursor = self.cursors[at]
        assert cursor is not None

        def value(index: int, term: Term) -> Expression | None:
            if cursor.values[index] is None:
                return None

            def get(asked: Asked) -> object:
                found = asked.cursors[at]
                assert found is not None
                return found.values[index]

            kind = term.column.type
            return self._collated(self.bind(get, kind), kind)

        values = [value(index, term) for index, term in enumerate(page.order)]

        def condition(columns: Columns) -> Condition:
            here = [self._collated(columns[t.column.name], t.column.type) for t in page.order]
            return after(page.order, here, values, backward=backward, itself=itself)

        return condition

    def _ordered(self, term: Term, columns: Columns, *, backward: bool) -> Expression:
        column = self._collated(columns[term.column.name], term.column.type)
        ordered = column.desc() if term.down != backward else column.asc()
        if not term.nullable:
            return ordered
        return ordered.nulls_first() if backward else ordered.nulls_last()

    def _collated(self, expression: Expression, kind: sa.types.TypeEngine[Any]) -> Expression:
        """Texts go by their code points, on both databases."""
        if self.dialect == "sqlite" or not isinstance(kind, sa.Text):
            return expression
        return sa.collate(expression, "C")

    # -- by key -------------------------------------------------------------------------------

    def by_keys(
        self, node: Node, views: Sequence[Selected]
    ) -> tuple[Expression, Callable[[Json, Asked], dict[int, list[Value]]]]:
        """The visible rows of the keys asked for; taken out by key, one value for each view."""
        table = node.table.alias()
        cells = Cells(table.c, self.dialect)
        cells.place("id")
        takes = [self.row(view, cells, table) for view in views]
        chosen = among(self, table.c.id, sa.BigInteger(), lambda asked: list(asked.keys[node.name]))
        found = sa.select(self._gathered(cells)).select_from(table)
        found = found.where(chosen, node.visible(table.c, self.scope))

        def taken(rows: Json, asked: Asked) -> dict[int, list[Value]]:
            flat = map(joined, rows) if cells.in_pieces else rows
            return {row[0]: [take(row, asked) for take in takes] for row in flat}

        return found.scalar_subquery(), taken

    def array(self, parts: Sequence[Expression]) -> Expression:
        """Parts that are JSON already as one array."""
        cells = Cells(sa.select().selected_columns, self.dialect)
        for part in parts:
            cells.add(part, nested=True)
        return cells.array()

    def _gathered(self, cells: Cells) -> Expression:
        """All rows' arrays as one array."""
        if self.dialect == "sqlite":
            return sa.func.json_group_array(sa.func.json(cells.array()))
        none = sa.literal_column("'[]'::json")
        return sa.func.coalesce(sa.func.json_agg(cells.array()), none)


def _made(
    leaf: Leaf,
    arguments: dict[str, Any],
    places: Sequence[tuple[int, Callable[[Json], Value] | None]],
) -> Callable[..., Value]:
    """make(…) as it is called with the answer: asked first, then the raw cells."""
    make = leaf.make
    assert make is not None
    decoders = [decode for _, decode in places]

    def decoded(cells: Sequence[Json]) -> list[Value]:
        return [c if d is None else d(c) for c, d in zip(cells, decoders, strict=True)]

    if leaf.arguments:
        return lambda asked, *cells: make(asked.context, _at(arguments, asked), *decoded(cells))
    if leaf.asks_viewer:
        return lambda asked, *cells: make(asked.context, *decoded(cells))
    if any(decoders):
        return lambda asked, *cells: make(*decoded(cells))
    return lambda asked, *cells: make(*cells)


def _at(arguments: dict[str, Any], asked: Asked) -> dict[str, object]:
    return {name: given.at(asked.variables) for name, given in arguments.items()}


def _maybe(take: Take) -> Callable[[Asked, Json], Value]:
    return lambda asked, row: None if row is None else take(row, asked)


def _joined(take: Take) -> Take:
    return lambda row, asked: take(joined(row), asked)


def _compiler(name: str) -> sa.Dialect:
    return sa.make_url(f"{name}://").get_dialect()()


_COMPILERS = {"sqlite": _compiler("sqlite"), "postgresql": _compiler("postgresql+psycopg")}
