"""A page of a list: how much of it, in which order, from where, and of what."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import orjson
import sqlalchemy as sa

from marketplace.domain.errors import (
    Fault,
    Forbidden,
    InvalidCursor,
    InvalidInput,
    Text,
)
from marketplace.domain.permissions import Role
from marketplace.persistence.tables.columns import UtcDateTime
from schema.readgraph.declare import Leaf, Node, Order, may_see
from schema.readgraph.given import Given, Variables
from schema.readgraph.narrowed import Narrowed
from schema.scalars import read_time

PAGE_MAX = 100
CURSOR_LENGTH_MAX = 2000
BAD_USER_INPUT = "BAD_USER_INPUT"


@dataclass(frozen=True, slots=True)
class Term:
    """One step of an order."""

    name: str
    column: sa.Column[Any]
    down: bool

    @property
    def nullable(self) -> bool:
        return bool(self.column.nullable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What the arguments of a connection say."""

    node: Node
    path: str
    size: Given
    backward: bool
    after: Given | None
    before: Given | None
    where: Given | None
    order: tuple[Term, ...]  # ends with the id, so that it is total
    only: Narrowed | None = None  # what belongs to the list at all

    @property
    def signature(self) -> str:
        """The order as a cursor names it."""
        return ",".join(f"{term.name}{'-' if term.down else '+'}" for term in self.order)


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in an order: the value of each of its terms."""

    values: tuple[object, ...]

    @property
    def nulls(self) -> tuple[bool, ...]:
        return tuple(value is None for value in self.values)


def page_of(
    node: Node, given: Mapping[str, Given], role: Role, path: str, only: Narrowed | None = None
) -> Page:
    """The page that these arguments ask for.

    Raises InvalidInput (BAD_USER_INPUT) and, for an order by what the role may not see, Forbidden.
    """
    if ("first" in given) == ("last" in given):
        raise bad_input(
            f"{path}.first",
            "Say how many: exactly one of `first` and `last`.",
            "请用 first 或 last 之一说明需要多少条。",
        )
    return Page(
        node=node,
        path=path,
        size=given.get("first") or given["last"],
        backward="last" in given,
        after=given.get("after"),
        before=given.get("before"),
        where=given.get("where"),
        order=_order_of(
            node, given.get("orderBy"), role, path, (only and only.order) or node.order
        ),
        only=only,
    )


def size_of(page: Page, variables: Variables) -> int:
    """How many are asked for. Raises InvalidInput unless 1 to PAGE_MAX."""
    size = page.size.at(variables)
    if not isinstance(size, int) or not 1 <= size <= PAGE_MAX:
        name = "last" if page.backward else "first"
        raise bad_input(
            f"{page.path}.{name}",
            f"`{name}` must be 1 to {PAGE_MAX}.",
            f"{name} 必须在 1 到 {PAGE_MAX} 之间。",
        )
    return size


def write_cursor(page: Page, values: Sequence[object]) -> str:
    content = orjson.dumps([page.node.name, page.signature, *values])
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def read_cursor(page: Page, text: object) -> Cursor:
    """The place behind a cursor. Raises InvalidCursor for any that this list never gave out."""
    if not isinstance(text, str) or not 0 < len(text) <= CURSOR_LENGTH_MAX:
        raise InvalidCursor
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        content = orjson.loads(raw)
    except (binascii.Error, ValueError):
        raise InvalidCursor from None
    if not isinstance(content, list) or content[:2] != [page.node.name, page.signature]:
        raise InvalidCursor
    values = content[2:]
    if len(values) != len(page.order):
        raise InvalidCursor
    return Cursor(tuple(_read(term, v) for term, v in zip(page.order, values, strict=True)))


def bad_input(path: str, en: str, zh: str) -> InvalidInput:
    """A refusal of arguments that names where, by the keys of the answer and the argument."""
    return InvalidInput(
        Fault(tuple(path.split(".")), BAD_USER_INPUT, Text(f"{path}: {en}", f"{path}：{zh}"))
    )


def refuse_hidden(node: Node, name: str, role: Role) -> None:
    """Raise Forbidden if the role may not see the field, for then it may not ask by it either."""
    if not may_see(getattr(node.fields[name].spec, "roles", None), role):
        raise Forbidden(
            Text(
                f"Your role may not filter or order by {node.name}.{name}.",
                f"您的角色不能按 {node.name}.{name} 筛选或排序。",
            )
        )


def _order_of(
    node: Node, given: Given | None, role: Role, path: str, usual: Order
) -> tuple[Term, ...]:
    steps: list[tuple[str, bool]] = []
    if given is None or not given.items():
        steps = [(step.field, step.down) for step in usual]
    else:
        for item in given.items():
            entries = item.entries()
            direction = entries.get("direction")
            name = str(getattr(entries["field"].value, "value", entries["field"].value))
            steps.append((name, direction is not None and _word(direction) == "DESC"))
            refuse_hidden(node, name, role)
    names = [name for name, _ in steps]
    if len(set(names)) < len(names):
        raise bad_input(f"{path}.orderBy", "Name each field once.", "每个排序字段只能出现一次。")
    terms = [Term(name, _column(node, name), down) for name, down in steps]
    if "id" not in names:
        terms.append(Term("id", node.table.c.id, steps[-1][1] if steps else False))
    return tuple(terms)


def _word(given: Given) -> str:
    return str(getattr(given.value, "value", given.value))


def _column(node: Node, name: str) -> sa.Column[Any]:
    spec = node.fields[name].spec
    assert isinstance(spec, Leaf)
    cell = spec.cells[0]
    assert isinstance(cell, str), f"{node.name}.{name} has no column to order by"
    return node.table.c[cell]


def _read(term: Term, value: object) -> object:
    if value is None:
        if term.nullable:
            return None
        raise InvalidCursor
    kind = term.column.type
    if isinstance(kind, sa.Boolean):
        if isinstance(value, bool):
            return value
    elif isinstance(kind, sa.Integer):
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63:
            return value
    elif isinstance(kind, sa.Float):
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
    elif isinstance(value, str) and "\x00" not in value:  # orjson lets no half surrogate in
        return _read_text(kind, value)
    raise InvalidCursor


def _read_text(kind: sa.types.TypeEngine[Any], value: str) -> datetime | date | str:
    try:
        if isinstance(kind, UtcDateTime):
            return read_time(value)
        if isinstance(kind, sa.Date):
            return date.fromisoformat(value)
    except Exception as garbage:  # whatever the parser says, the cursor is not ours
        raise InvalidCursor from garbage
    return value
