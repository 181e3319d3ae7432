"""From the answer's JSON to plain nested values, by response key."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import sqlalchemy as sa

from marketplace.persistence.tables.columns import UtcDateTime
from schema.readgraph.asked import Asked
from schema.readgraph.pages import write_cursor
from schema.readgraph.selection import Listed, Part

# What JSON holds, and what children of the graph are read from.
Json: TypeAlias = Any
Value: TypeAlias = Any
Found: TypeAlias = list[Any]  # the parts that are read already, by their index
Read: TypeAlias = Callable[[Json, Asked, Found], Value]
Take: TypeAlias = Callable[[Sequence[Json], Asked, Found], dict[str, Value]]
Connect: TypeAlias = Callable[..., dict[str, Value]]  # of asked, found, and the key above
Decode: TypeAlias = Callable[[Json], Value]

Plain: TypeAlias = list[tuple[str, int, Decode | None]]
Rich: TypeAlias = list[tuple[str, tuple[int, ...], Callable[..., Value]]]


def decoder(kind: sa.types.TypeEngine[Any], dialect: str) -> Decode | None:
    """How a raw value of this column type is read; None for as it is."""
    if isinstance(kind, UtcDateTime):
        return time_text
    if isinstance(kind, sa.Boolean) and dialect == "sqlite":
        return lambda value: None if value is None else bool(value)
    return None


def time_text(value: str | None) -> str | None:
    """A database's moment as RFC 3339 in UTC, the same for both.

    >>> time_text("2026-11-24 08:00:00.500000"), time_text("2026-11-24T08:00:00+00:00")
    ('2026-11-24T08:00:00.500000Z', '2026-11-24T08:00:00Z')
    """
    if value is None:
        return None
    whole = f"{value[:10]}T{value[11:19]}"
    if value[19:20] != ".":
        return f"{whole}Z"
    fraction = value[20:].partition("+")[0].ljust(6, "0")
    return f"{whole}Z" if fraction == "000000" else f"{whole}.{fraction}Z"


def object_of(
    plain: Plain,
    rich: Rich,
    ones: list[tuple[str, int, int]],
    manys: list[tuple[str, int, Connect]],
    hidden: Sequence[str],
) -> Take:
    """How a row's cells become the object's fields by response key.

    plain     key, cell, decoder
    rich      key, cells, what makes the value of asked and them
    ones      key, cell that points to the other row, part that has those rows
    manys     key, cell that others point to, what makes the connection
    hidden    keys of what the role may not see
    """
    bare = [(key, at) for key, at, decode in plain if decode is None]
    decoded = [(key, at, decode) for key, at, decode in plain if decode is not None]
    singles = [(key, ats[0], make) for key, ats, make in rich if len(ats) == 1]
    several = [(key, ats, make) for key, ats, make in rich if len(ats) != 1]
    nothing = dict.fromkeys(hidden)

    def take(row: Sequence[Json], asked: Asked, found: Found) -> dict[str, Value]:
        out: dict[str, Value] = {key: row[at] for key, at in bare}
        for key, at, decode in decoded:
            out[key] = decode(row[at])
        for key, at, make in singles:
            out[key] = make(asked, row[at])
        for key, ats, make in several:
            out[key] = make(asked, *[row[at] for at in ats])
        for key, at, part in ones:
            out[key] = found[part].get(row[at])
        for key, at, connect in manys:
            out[key] = connect(asked, found, row[at])
        if nothing:
            out.update(nothing)
        return out

    return take


@dataclass(slots=True)
class Parts:
    """Which parts of the answer a connection is made of.

    slot                     of the page's size
    rows, count              of its rows, and of how many there are in all
    before, behind           of how many there are at or before a cursor, at or behind one
    views, cursor            how a row is taken: its objects, its cells for a cursor
    """

    slot: int
    rows: int | None = None
    count: int | None = None
    before: int | None = None
    behind: int | None = None
    views: list[Take] = field(default_factory=list)
    cursor: list[tuple[int, Decode | None]] = field(default_factory=list)


def connection(listed: Listed, parts: Parts) -> Connect:
    """How a connection is made of the parts, for the row above it or for the root."""
    page, backward, views = listed.page, listed.page.backward, parts.views

    def cursor(row: Sequence[Json]) -> str:
        values = [row[at] if d is None else d(row[at]) for at, d in parts.cursor]
        return write_cursor(page, values)

    def edge(part: Part, row: Sequence[Json], asked: Asked, found: Found) -> dict[str, Value]:
        out: dict[str, Value] = {}
        for key, name, view in part.below:
            if view is not None:
                out[key] = views[view](row, asked, found)
            elif name == "cursor":
                out[key] = cursor(row)
        return out

    def connect(asked: Asked, found: Found, above: Json = None) -> dict[str, Value]:
        def of(part: int | None, otherwise: Value) -> Value:
            if part is None:
                return otherwise
            return found[part] if above is None else found[part].get(above, otherwise)

        rows, size = of(parts.rows, []), asked.sizes[parts.slot]
        if more := len(rows) > size:
            rows = rows[:size]
        if backward:
            rows = rows[::-1]
        out: dict[str, Value] = {}
        for key, part in listed.layout:
            if part.name == "nodes":
                view = views[part.view or 0]
                out[key] = [view(row, asked, found) for row in rows]
            elif part.name == "edges":
                out[key] = [edge(part, row, asked, found) for row in rows]
            elif part.name == "totalCount":
                out[key] = of(parts.count, 0)
            elif part.name == "pageInfo":
                info = {
                    "hasNextPage": of(parts.behind, 0) > 0 or (more and not backward),
                    "hasPreviousPage": of(parts.before, 0) > 0 or (more and backward),
                }
                out[key] = {k: _page_info(name, info, rows, cursor) for k, name, _ in part.below}
        return out

    return connect


def _page_info(
    name: str, info: dict[str, bool], rows: list[Json], cursor: Callable[[Json], str]
) -> Value:
    if name in info:
        return info[name]
    if not rows or name not in {"startCursor", "endCursor"}:
        return None
    return cursor(rows[0] if name == "startCursor" else rows[-1])
