"""The SQL of a list: its page below every row above it, its count, its order, its cursors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from schema.readgraph.asked import Asked
from schema.readgraph.cells import Expression
from schema.readgraph.conditions import Where, after
from schema.readgraph.declare import Columns, Condition, Many
from schema.readgraph.draft import Draft
from schema.readgraph.narrowed import Narrowed
from schema.readgraph.pages import Page, Term

PARENT = "_parent"  # the column of a level that says which row above a row belongs to


@dataclass(frozen=True, slots=True)
class Above:
    """The level above a list, and the edge that leads from it."""

    level: sa.CTE
    many: Many

    def keys(self) -> sa.Select[Any]:
        return sa.select(self.level.c[self.many.here])


def cut(draft: Draft, page: Page, above: Above | None, names: Sequence[str]) -> sa.Select[Any]:
    """The rows of the page, one more than it takes, below every row above it."""
    table = page.node.table.alias()
    if above is None:
        return _page(draft, page, above, table, [table.c[name] for name in names])
    parents = sa.select(above.level.c[above.many.here].label(PARENT)).distinct().subquery()
    below = _belongs(draft, above.many, table.c, parents)
    if draft.is_sqlite:  # has no LATERAL, but finds rows by a list of ids that each parent makes
        ids = _page(draft, page, above, table, [table.c.id]).where(below).correlate(parents)
        each = page.node.table.alias()
        columns = [parents.c[PARENT], *(each.c[name] for name in names)]
        return sa.select(*columns).select_from(parents.join(each, each.c.id.in_(ids)))
    rows = _page(draft, page, above, table, [table.c[name] for name in names]).where(below)
    each_of = rows.correlate(parents).lateral()
    joined = parents.join(each_of, sa.true())
    return sa.select(parents.c[PARENT], *each_of.c).select_from(joined)


def counted(
    draft: Draft,
    page: Page,
    above: Above | None,
    there: Callable[[Columns], Condition] | None = None,
) -> sa.Select[Any]:
    """How many the list has; below other rows as (key of the row above, number) for each.

    there    a further condition: at or before a cursor, at or behind one
    """
    table = page.node.table.alias()
    key, source = _key(draft, above, table)
    found = _listed(draft, page, above, sa.select(*key, sa.func.count().label("n")), table)
    found = found.select_from(source)
    if there is not None:
        found = found.where(there(table.c))
    if above is None:
        return found
    return found.where(key[0].in_(above.keys())).group_by(key[0])


def ordered(draft: Draft, page: Page, columns: Columns) -> list[Expression]:
    """The order of a page; backward it is turned round, also for what has no value."""
    return [_ordered(draft, term, columns, backward=page.backward) for term in page.order]


def place(
    draft: Draft, page: Page, at: int, *, backward: bool, itself: bool = False
) -> Callable[[Columns], Condition]:
    """The condition to lie behind the cursor in slot `at`, or before it; itself: or there."""
    cursor = draft.cursors[at]
    assert cursor is not None

    def value(index: int, term: Term) -> Expression | None:
        if cursor.values[index] is None:
            return None

        def get(asked: Asked) -> object:
            found = asked.cursors[at]
            assert found is not None
            return found.values[index]

        kind = term.column.type
        return _collated(draft, draft.bind(get, kind), kind)

    values = [value(index, term) for index, term in enumerate(page.order)]

    def condition(columns: Columns) -> Condition:
        here = [_collated(draft, columns[t.column.name], t.column.type) for t in page.order]
        return after(page.order, here, values, backward=backward, itself=itself)

    return condition


def _page(
    draft: Draft,
    page: Page,
    above: Above | None,
    table: sa.FromClause,
    columns: Sequence[Expression],
) -> sa.Select[Any]:
    slot = draft.slots[id(page)]
    found = _listed(draft, page, above, sa.select(*columns).select_from(table), table)
    if page.after is not None:
        found = found.where(place(draft, page, 2 * slot, backward=False)(table.c))
    if page.before is not None:
        found = found.where(place(draft, page, 2 * slot + 1, backward=True)(table.c))
    limit: sa.ColumnClause[int] = sa.literal_column(str(draft.sizes[slot] + 1))
    return found.order_by(*ordered(draft, page, table.c)).limit(limit)


def _listed(
    draft: Draft, page: Page, above: Above | None, found: sa.Select[Any], table: sa.FromClause
) -> sa.Select[Any]:
    """Only what is in the list at all: visible, and as `where` says."""
    found = found.where(page.node.visible(table.c, draft.scope))
    if page.only is not None and above is None:
        found = found.where(page.only.belongs(table.c, draft.scope, None))
    if page.where is None:
        return found
    return found.where(Where(draft, page.node, table.c, page.path).condition(page.where))


def _belongs(draft: Draft, many: Many, table: Columns, parents: sa.FromClause) -> Condition:
    if many.through is None:
        return table[many.there] == parents.c[PARENT]
    if isinstance(many.through, Narrowed):
        return many.through.belongs(table, draft.scope, parents.c[PARENT])
    pair, through = many.through.table.alias(), many.through
    found = sa.select(pair.c[through.there]).where(pair.c[through.here] == parents.c[PARENT])
    return table[many.there].in_(found.correlate(parents))


def _key(
    draft: Draft, above: Above | None, table: sa.FromClause
) -> tuple[list[Expression], sa.FromClause]:
    """The column that says to which row above a row belongs, and what to select it from."""
    if above is None:
        return [], table
    many = above.many
    if many.through is None:
        return [table.c[many.there]], table
    if isinstance(many.through, Narrowed):
        parents = sa.select(above.level.c[many.here].label(PARENT)).distinct().subquery()
        return [parents.c[PARENT]], parents.join(table, _belongs(draft, many, table.c, parents))
    pair = many.through.table.alias()
    joined = table.join(pair, pair.c[many.through.there] == table.c[many.there])
    return [pair.c[many.through.here]], joined


def _ordered(draft: Draft, term: Term, columns: Columns, *, backward: bool) -> Expression:
    column = _collated(draft, columns[term.column.name], term.column.type)
    direction = column.desc() if term.down != backward else column.asc()
    if not term.nullable:
        return direction
    return direction.nulls_first() if backward else direction.nulls_last()


def _collated(draft: Draft, expression: Expression, kind: sa.types.TypeEngine[Any]) -> Expression:
    """Texts go by their code points, on both databases."""
    if draft.is_sqlite or not isinstance(kind, sa.Text):
        return expression
    return sa.collate(expression, "C")
