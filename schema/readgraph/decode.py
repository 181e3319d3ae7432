"""From the answer's JSON to plain nested values, by response key."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import sqlalchemy as sa

from marketplace.persistence.tables.columns import UtcDateTime
from schema.readgraph.asked import Asked
from schema.readgraph.pages import write_cursor
from schema.readgraph.selection import Listed, Part

# What JSON holds, and what children of the graph are read from.
Json: TypeAlias = Any
Value: TypeAlias = Any
Take: TypeAlias = Callable[[Sequence[Json], Asked], dict[str, Value]]
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


def object_of(plain: Plain, rich: Rich, hidden: Sequence[str]) -> Take:
    """How a row's cells become the object's fields by response key."""
    bare = [(key, at) for key, at, decode in plain if decode is None]
    decoded = [(key, at, decode) for key, at, decode in plain if decode is not None]
    singles = [(key, ats[0], make) for key, ats, make in rich if len(ats) == 1]
    several = [(key, ats, make) for key, ats, make in rich if len(ats) != 1]
    nothing = dict.fromkeys(hidden)

    def take(row: Sequence[Json], asked: Asked) -> dict[str, Value]:
        out: dict[str, Value] = {key: row[at] for key, at in bare}
        for key, at, decode in decoded:
            out[key] = decode(row[at])
        for key, at, make in singles:
            out[key] = make(asked, row[at])
        for key, ats, make in several:
            out[key] = make(asked, *[row[at] for at in ats])
        if nothing:
            out.update(nothing)
        return out

    return take


def joined(row: Sequence[Json]) -> list[Json]:
    """The cells of a row that came in pieces."""
    return [cell for piece in row for cell in piece]


def connection(
    listed: Listed,
    slot: int,
    rows_from: tuple[list[Take], list[tuple[int, Decode | None]], bool] | None,
    at_count: int | None,
    at_before: int,
    at_after: int,
) -> Callable[[Asked, Json], dict[str, Value]]:
    """How the parts of a list become its connection.

    slot         of the page's size
    rows_from    the rows' views, the cells of their cursors, and whether rows come in pieces
    at_count, at_before, at_after    the parts that count: all, at or before, at or behind a cursor
    """
    page, backward = listed.page, listed.page.backward
    views, places, in_pieces = rows_from or ([], [], False)

    def cursor(row: Sequence[Json]) -> str:
        values = [row[at] if decode is None else decode(row[at]) for at, decode in places]
        return write_cursor(page, values)

    def part_of(part: Part, rows: list[Json], more: bool, parts: Json, asked: Asked) -> Value:
        if part.name == "nodes":
            take = views[part.view or 0]
            return [take(row, asked) for row in rows]
        if part.name == "edges":
            return [
                {
                    key: cursor(row)
                    if view is None and name == "cursor"
                    else None
                    if view is None
                    else views[view](row, asked)
                    for key, name, view in part.below
                }
                for row in rows
            ]
        if part.name == "totalCount":
            return parts[at_count]
        before, behind = (
            at_before >= 0 and parts[at_before] > 0,
            at_after >= 0 and parts[at_after] > 0,
        )
        found = {
            "hasNextPage": behind or (more and not backward),
            "hasPreviousPage": before or (more and backward),
        }
        return {key: _page_info(name, found, rows, cursor) for key, name, _ in part.below}

    def take(asked: Asked, parts: Json) -> dict[str, Value]:
        rows, more = [], False
        if rows_from is not None:
            rows, size = parts[0], asked.sizes[slot]
            if more := len(rows) > size:
                rows = rows[:size]
            if in_pieces:
                rows = [joined(row) for row in rows]
            if backward:
                rows = rows[::-1]
        return {key: part_of(part, rows, more, parts, asked) for key, part in listed.layout}

    return take


def _page_info(
    name: str, found: dict[str, bool], rows: list[Json], cursor: Callable[[Json], str]
) -> Value:
    if name in found:
        return found[name]
    if name == "__typename" or not rows:
        return None
    return cursor(rows[0] if name == "startCursor" else rows[-1])
