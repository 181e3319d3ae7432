"""`where` and cursors as SQL conditions; every one is true or false, never unknown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from marketplace.domain.ids import key_of
from schema.readgraph.asked import Asked, Getter
from schema.readgraph.cells import shown
from schema.readgraph.declare import NODES, Columns, Condition, Has, Leaf, Node, One, Referenced
from schema.readgraph.draft import Draft
from schema.readgraph.given import Given
from schema.readgraph.pages import Term, bad_input, refuse_hidden

CONDITIONS_MAX = 100
DEPTH_MAX = 8  # of AND, OR and NOT inside each other; SQLite's parser has a limit, too
VALUES_MAX = 100

_COMPARISONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "eq": lambda column, value: column == value,
    "gt": lambda column, value: column > value,
    "gte": lambda column, value: column >= value,
    "lt": lambda column, value: column < value,
    "lte": lambda column, value: column <= value,
}


class Where:
    """The conditions of one `where` over one row; counts them, since a document may be hostile."""

    def __init__(self, draft: Draft, node: Node, row: Columns, path: str) -> None:
        self.draft, self.node, self.row, self.path = draft, node, row, path
        self.count = 0

    def condition(self, given: Given, depth: int = 0) -> Condition:
        """All of an input holds. Raises InvalidInput and Forbidden for what may not be asked."""
        if depth > DEPTH_MAX:
            raise bad_input(
                f"{self.path}.where",
                f"AND, OR and NOT go at most {DEPTH_MAX} deep.",
                f"AND、OR、NOT 最多嵌套 {DEPTH_MAX} 层。",
            )
        parts = (self._entry(name, part, depth) for name, part in given.entries().items())
        return sa.and_(sa.true(), *parts)

    def _entry(self, name: str, given: Given, depth: int) -> Condition:
        self._count()
        if name == "AND":
            return sa.and_(sa.true(), *(self.condition(g, depth + 1) for g in given.items()))
        if name == "OR":
            return sa.or_(sa.false(), *(self.condition(g, depth + 1) for g in given.items()))
        if name == "NOT":
            return sa.not_(self.condition(given, depth + 1))
        refuse_hidden(self.node, name, self.draft.role)
        return sa.and_(
            sa.true(), *(self._operator(name, op, value) for op, value in given.entries().items())
        )

    def _operator(self, name: str, operator: str, given: Given) -> Condition:
        self._count()
        spec = self.node.fields[name].spec
        if isinstance(spec, One):
            return self._id(spec, operator, given)
        assert isinstance(spec, Leaf)
        cell = spec.cells[0]
        seen = shown(spec, cell, self.draft.scope)
        column = self.row[seen] if isinstance(seen, str) else seen(self.row)
        if isinstance(spec.filter, Referenced):
            return self._reference(spec.filter, operator, given)
        if isinstance(spec.filter, Has):
            return self._has(column, spec.filter, given)
        nullable = isinstance(cell, str) and bool(self.node.table.c[cell].nullable)
        nullable = nullable or spec.only is not None
        return self._plain(column, nullable, operator, given)

    def _plain(self, column: Any, nullable: bool, operator: str, given: Given) -> Condition:
        if operator == "isNull":
            missing: Condition = column.is_(None)
            return missing if given.value is True else ~missing
        condition: Condition
        if operator == "oneOf":
            condition = self._in(column, column.type, given, self._word)
        elif operator == "contains":
            position = sa.func.instr if self.draft.dialect == "sqlite" else sa.func.strpos
            text = self.draft.bind(lambda asked: self._word(given.at(asked.variables)), sa.Text())
            condition = position(column, text) > 0
        else:
            value = self.draft.bind(
                lambda asked: self._word(given.at(asked.variables)), column.type
            )
            condition = _COMPARISONS[operator](column, value)
        return sa.and_(column.is_not(None), condition) if nullable else condition

    def _id(self, spec: One, operator: str, given: Given) -> Condition:
        column = self.row[spec.here]
        nullable = bool(self.node.table.c[spec.here].nullable)

        def key(text: object) -> int:
            return key_of(spec.target, str(text))

        if operator == "oneOf":
            condition = self._in(column, sa.BigInteger(), given, key)
        else:
            value = self.draft.bind(lambda asked: key(given.at(asked.variables)), sa.BigInteger())
            if operator == "eq":
                condition = column == value
            else:
                condition = column.in_(below(NODES[spec.target].table, value))
        return sa.and_(column.is_not(None), condition) if nullable else condition

    def _reference(self, by: Referenced, operator: str, given: Given) -> Condition:
        """References are made of id and year of creation, so they are found by both."""
        if operator == "oneOf":
            items = given.items()
            self._check_length(len(items))
            return sa.or_(sa.false(), *(self._referenced(by, item) for item in items))
        return self._referenced(by, given)

    def _referenced(self, by: Referenced, given: Given) -> Condition:
        def part(index: int) -> Getter:
            return lambda asked: _parts(by.letter, given.at(asked.variables))[index]

        kind = self.node.table.c[by.moment].type
        return sa.and_(
            self.row["id"] == self.draft.bind(part(0), sa.BigInteger()),
            self.row[by.moment] >= self.draft.bind(part(1), kind),
            self.row[by.moment] < self.draft.bind(part(2), kind),
        )

    def _has(self, column: Any, has: Has, given: Given) -> Condition:
        members = [member.value for member in has.enum]

        def bit(asked: Asked) -> int:
            return 1 << members.index(self._word(given.at(asked.variables)))

        found: Condition = column.op("&")(self.draft.bind(bit, sa.BigInteger())) != 0
        return found

    def _in(
        self,
        column: Any,
        kind: sa.types.TypeEngine[Any],
        given: Given,
        read: Callable[[object], object],
    ) -> Condition:
        self._check_length(len(given.items()))

        def values(asked: Asked) -> list[object]:
            return [read(value) for value in given.listed_at(asked.variables)]

        return among(self.draft, column, kind, values)

    def _word(self, value: object) -> Any:
        """A plain value as the database takes it."""
        if isinstance(value, str) and not _storable(value):
            raise bad_input(
                f"{self.path}.where", "A text holds what no text can.", "文本包含无法存储的字符。"
            )
        return getattr(value, "value", value)

    def _check_length(self, length: int) -> None:
        if length > VALUES_MAX:
            raise bad_input(
                f"{self.path}.where",
                f"A list takes at most {VALUES_MAX} values.",
                f"列表最多 {VALUES_MAX} 个值。",
            )

    def _count(self) -> None:
        self.count += 1
        if self.count > CONDITIONS_MAX:
            raise bad_input(
                f"{self.path}.where",
                f"At most {CONDITIONS_MAX} conditions at once.",
                f"最多 {CONDITIONS_MAX} 个条件。",
            )


def among(
    draft: Draft,
    column: Any,
    kind: sa.types.TypeEngine[Any],
    values: Callable[[Asked], list[Any]],
) -> Condition:
    """Whether a column is one of a list that is one parameter, however long it is."""
    if draft.dialect == "sqlite":
        text = draft.bind(lambda asked: orjson.dumps(values(asked)).decode(), sa.Text())
        value: sa.ColumnClause[Any] = sa.column("value")
        listed = sa.select(value).select_from(sa.func.json_each(text))
        return column.in_(listed)  # type: ignore[no-any-return]
    return column == sa.any_(draft.bind(values, postgresql.ARRAY(kind)))  # type: ignore[no-any-return]


def below(tree: sa.Table, key: sa.ColumnElement[Any]) -> sa.Select[Any]:
    """The ids of a tree's row with this key and of all below it."""
    top, each = tree.alias(), tree.alias()
    inside = each.c.tree_low.between(top.c.tree_low, top.c.tree_high)
    return sa.select(each.c.id).select_from(top.join(each, inside)).where(top.c.id == key)


def after(
    terms: Sequence[Term],
    columns: Sequence[Any],
    values: Sequence[sa.ColumnElement[Any] | None],
    *,
    backward: bool,
    itself: bool = False,
) -> Condition:
    """Whether a row lies behind a place in an order; backward: before it; itself: or there.

    values    parameters by term, None where the place has no value; such rows come last

    One direction and no missing values make one comparison of rows, which an index can answer.
    """
    downs = {term.down for term in terms}
    if len(downs) == 1 and not any(term.nullable for term in terms):
        down = downs.pop() != backward
        here, there = sa.tuple_(*columns), sa.tuple_(*values)
        if itself:
            return here <= there if down else here >= there
        return here < there if down else here > there
    condition: Condition = sa.true() if itself else sa.false()
    for term, column, value in reversed(list(zip(terms, columns, values, strict=True))):
        beyond, same = _step(term, column, value, backward)
        condition = sa.or_(beyond, sa.and_(same, condition))
    return condition


def _step(
    term: Term, column: Any, value: sa.ColumnElement[Any] | None, backward: bool
) -> tuple[Condition, Condition]:
    """Beyond a value, and at it, by one term."""
    if value is None:
        missing = column.is_(None)
        return (column.is_not(None) if backward else sa.false()), missing
    beyond = column < value if term.down != backward else column > value
    if not term.nullable:
        return beyond, column == value
    known = sa.and_(column.is_not(None), beyond)
    at = sa.and_(column.is_not(None), column == value)
    return (known if backward else sa.or_(known, column.is_(None))), at


def _storable(text: str) -> bool:
    """PostgreSQL keeps no NUL, and no encoding knows half a pair of surrogates."""
    return "\x00" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


def _parts(letter: str, text: object) -> tuple[int, datetime, datetime]:
    """Key and year's bounds of a reference; what is none names no row."""
    head, _, rest = str(text).partition("-")
    year, _, key = rest.partition("-")
    sane = head == letter and year.isascii() and year.isdigit() and len(year) == 4
    sane = sane and key.isascii() and key.isdigit() and 6 <= len(key) <= 18 and 0 < int(year) < 9999
    if not sane:
        return 0, datetime(1970, 1, 1, tzinfo=UTC), datetime(1970, 1, 1, tzinfo=UTC)
    return (
        int(key),
        datetime(int(year), 1, 1, tzinfo=UTC),
        datetime(int(year) + 1, 1, 1, tzinfo=UTC),
    )
