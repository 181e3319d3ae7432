"""A table that somebody hands in: CSV in UTF-8 or GB18030, or XLSX, read as rows of text."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import NamedTuple

import openpyxl

from marketplace.domain.errors import InvalidInput

SIZE_MAX_BYTES = 256 * 2**20
UNPACKED_MAX_BYTES = 1024 * 2**20  # an XLSX is a ZIP: a few kilobytes may unpack to anything
ROWS_MAX = 2_000_000
CELL_MAX_CHARACTERS = 100_000
DELIMITERS = ",\t;"


class Row(NamedTuple):
    """`number` is what a spreadsheet shows at the left: the headings are row 1."""

    number: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Stripped text, every row as long as the headings; rows without any text are left out."""

    name: str
    headings: tuple[str, ...]
    rows: tuple[Row, ...]


def read_table(data: bytes, name: str, *, unpacked_max_bytes: int = UNPACKED_MAX_BYTES) -> Table:
    """The table in a file's bytes; its content, not its name, says whether it is XLSX.

    unpacked_max_bytes   what an XLSX may unpack to; looked at before anything is unpacked
    Raises InvalidInput with the file's name as field. Codes: EMPTY, UNREADABLE, TOO_LARGE.
    """
    if len(data) > SIZE_MAX_BYTES:
        raise _too_large(name, f"{SIZE_MAX_BYTES // 2**20} MiB")
    packed = data[:4] == b"PK\x03\x04"
    records = _workbook(data, name, unpacked_max_bytes) if packed else _text(data, name)
    numbered = ((n, tuple(c.strip() for c in cells)) for n, cells in enumerate(records, 1))
    filled = ((n, cells) for n, cells in numbered if any(cells))
    first = next(filled, None)
    if first is None:
        raise InvalidInput.of((name,), f"{name} is empty.", f"{name} 是空文件。", code="EMPTY")
    headings = _trimmed(first[1])
    return Table(name, headings, tuple(_rows(filled, headings, name)))


def encoding_of(data: bytes, name: str) -> str:
    """utf-8-sig (with or without a byte order mark), utf-16 (with one), or gb18030.

    Raises InvalidInput (UNREADABLE) where it is none of them.
    """
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        candidates: tuple[str, ...] = ("utf-16",)
    else:
        candidates = ("utf-8-sig", "gb18030")
        if b"\0" in data:
            raise not_a_table(name)
    for encoding in candidates:
        try:
            data.decode(encoding)
        except UnicodeDecodeError:
            continue
        return encoding
    raise not_a_table(name)


def delimiter_of(line: str) -> str:
    """What separates the cells of a heading line: a comma, a tab or a semicolon."""
    return max(DELIMITERS, key=line.count)


def more_cells(name: str, row: int, width: int) -> InvalidInput:
    """The refusal of a row that has more cells than the table has headings."""
    return InvalidInput.of(
        (name, str(row)),
        f"{name}, row {row}: there are more cells than headings ({width}). "
        "A cell that holds the separator must stand in quotes.",
        f"{name} 第 {row} 行：单元格多于表头（{width} 列）。含分隔符的内容须加引号。",
        code="UNREADABLE",
    )


def _rows(
    filled: Iterable[tuple[int, tuple[str, ...]]], headings: tuple[str, ...], name: str
) -> Iterator[Row]:
    width = len(headings)
    for count, (number, cells) in enumerate(filled, 1):
        if count > ROWS_MAX:
            raise _too_large(name, f"{ROWS_MAX:,} rows", f"{ROWS_MAX:,} 行")
        if any(cells[width:]):
            raise more_cells(name, number, width)
        yield Row(number, (*cells[:width], *[""] * (width - len(cells))))


def _text(data: bytes, name: str) -> Iterator[list[str]]:
    text = data.decode(encoding_of(data, name)).removeprefix("\ufeff")
    start = next((line for line in text.splitlines() if line.strip()), "")
    # Never changes the process-wide limit: a cell that long is refused here.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter_of(start), strict=True)
    try:
        yield from reader
    except csv.Error as fault:
        number = reader.line_num
        raise InvalidInput.of(
            (name, str(number)),
            f"{name}, near line {number}: not readable as CSV ({fault}).",
            f"{name} 第 {number} 行附近：不是有效的 CSV 内容。",
            code="UNREADABLE",
        ) from None


def _workbook(data: bytes, name: str, unpacked_max_bytes: int) -> Iterator[list[str]]:
    """The first sheet. Raises InvalidInput for what is no workbook, or unpacks to too much."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
        if unpacked > unpacked_max_bytes:
            raise _too_large(name, f"{unpacked_max_bytes // 2**20} MiB")
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # what the file says of its own size is often wrong
        for cells in sheet.iter_rows(values_only=True):
            yield [_cell(value) for value in cells]
    except InvalidInput:
        raise
    except Exception:  # openpyxl lets whatever a broken file provokes escape
        raise not_a_table(name) from None


def _cell(value: object) -> str:
    """A cell as one would type it: 5 not 5.0, dates in ISO form."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ")
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value)[:CELL_MAX_CHARACTERS]


def _trimmed(headings: tuple[str, ...]) -> tuple[str, ...]:
    last = max(index for index, heading in enumerate(headings) if heading)
    return headings[: last + 1]


def not_a_table(name: str) -> InvalidInput:
    """The refusal of a file that no table can be read from."""
    return InvalidInput.of(
        (name,),
        f"{name} can be read neither as CSV (UTF-8 or GB18030) nor as XLSX.",
        f"{name} 无法读取：既不是 CSV（UTF-8 或 GB18030），也不是 XLSX。",
        code="UNREADABLE",
    )


def _too_large(name: str, limit: str, limit_zh: str | None = None) -> InvalidInput:
    return InvalidInput.of(
        (name,),
        f"{name} is larger than the limit of {limit}. Split it.",
        f"{name} 超过上限（{limit_zh or limit}），请拆分后再试。",
        code="TOO_LARGE",
    )
