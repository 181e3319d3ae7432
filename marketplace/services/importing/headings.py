"""Headings of handed-in tables: which column a heading means, in English or Chinese."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from marketplace.domain.errors import Fault, Text

BRACKETED = re.compile(r"[(（\[](.*?)[)）\]]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """`zh` and `others` are headings that mean the same; what stands in brackets is ignored."""

    key: str
    zh: str
    others: tuple[str, ...] = ()
    required: bool = False

    @property
    def text(self) -> Text:
        return Text(self.key, self.zh)


@dataclass(frozen=True, slots=True)
class Headings:
    """Where each column stands (by key), what stood in brackets, and headings nobody knows."""

    at: Mapping[str, int]
    shown: Mapping[str, str]
    brackets: Mapping[str, str]
    unknown: tuple[str, ...]


def find_columns(
    name: str, headings: tuple[str, ...], columns: tuple[Column, ...]
) -> tuple[Headings, tuple[Fault, ...]]:
    """Columns of the file `name` by heading, and what is missing or stands there twice.

    Codes: MISSING_COLUMN, DUPLICATE_COLUMN.
    """
    names: dict[str, str] = {}
    for column in columns:
        for spelling in (column.key, column.zh, *column.others):
            names[_bare(spelling)] = column.key
    at: dict[str, int] = {}
    brackets: dict[str, str] = {}
    unknown: list[str] = []
    faults: list[Fault] = []
    for index, heading in enumerate(headings):
        key = names.get(_bare(heading))
        if key is None:
            unknown.append(heading)
        elif key in at:
            faults.append(_duplicate(name, headings[at[key]], heading))
        else:
            at[key] = index
            if found := BRACKETED.search(heading):
                brackets[key] = found.group(1).strip()
    faults += [
        _missing(name, column) for column in columns if column.required and column.key not in at
    ]
    shown = {key: headings[index] for key, index in at.items()}
    return Headings(at, shown, brackets, tuple(unknown)), tuple(faults)


def _bare(heading: str) -> str:
    """As compared: half-width, lower case, without brackets, blanks, hyphens and underscores."""
    plain = unicodedata.normalize("NFKC", BRACKETED.sub("", heading)).casefold()
    return re.sub(r"[\s\-_]+", "", plain)


def _missing(name: str, column: Column) -> Fault:
    return Fault(
        (name, "1", column.key),
        "MISSING_COLUMN",
        Text(
            f"{name}: the column '{column.key}' is missing (heading {column.key} or {column.zh}).",
            f"{name}：缺少“{column.zh}”列（表头写作 {column.zh} 或 {column.key}）。",
        ),
    )


def _duplicate(name: str, first: str, again: str) -> Fault:
    return Fault(
        (name, "1", again),
        "DUPLICATE_COLUMN",
        Text(
            f"{name}: the headings '{first}' and '{again}' mean the same column.",
            f"{name}：表头“{first}”与“{again}”是同一列。",
        ),
    )
