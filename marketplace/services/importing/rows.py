"""One row of a file to import: its cells by column, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from marketplace.domain.errors import Fault, InvalidInput, Text
from marketplace.domain.plausibility import implausible
from marketplace.services.importing.cells import BadCell
from marketplace.services.importing.headings import Column, Headings, find_columns
from marketplace.services.importing.report import Findings
from marketplace.services.importing.tables import Table

T = TypeVar("T")


@dataclass(slots=True)
class Cells:
    """A row being read: every bad cell is reported."""

    number: int
    cells: Sequence[str]
    headings: Headings
    findings: Findings

    def text(self, key: str) -> str:
        index = self.headings.at.get(key)
        return "" if index is None else self.cells[index]

    def read(self, key: str, parse: Callable[[str], T], default: T) -> T:
        """The parsed cell; the default where it is empty, or bad (which is reported)."""
        typed = self.text(key)
        if not typed:
            return default
        try:
            return parse(typed)
        except BadCell as bad:
            self.refuse(key, bad.code, bad.text)
            return default

    def required(self, key: str, parse: Callable[[str], T], default: T) -> T:
        if not self.text(key):
            self.refuse(key, "REQUIRED", Text("This cell is empty.", "此单元格不能为空。"))
        return self.read(key, parse, default)

    def refuse(self, key: str, code: str, text: Text) -> None:
        heading = self.headings.shown.get(key, key)
        self.findings.refuse(self.number, heading, code, text)

    def refuse_all(self, faults: Iterable[Fault], column_of: Mapping[str, str]) -> None:
        """Refusals of the domain, each at the column that its field comes from."""
        for fault in faults:
            field = fault.field[-1] if fault.field else ""
            self.refuse(column_of.get(field, field), fault.code, fault.text)

    @property
    def is_out(self) -> bool:
        return self.findings.is_out(self.number)


def rows_of(table: Table, columns: tuple[Column, ...], findings: Findings) -> list[Cells]:
    """The rows of a table. Raises InvalidInput for columns that are missing or stand twice.

    A heading that nobody knows is warned of: a misspelt column would be lost silently.
    """
    headings, wrong = find_columns(table.name, table.headings, columns)
    if wrong:
        raise InvalidInput(*wrong)
    for heading in headings.unknown:
        known = Text("This column is not known and was not read.", "无法识别此列，其内容未被读取。")
        findings.warn(1, heading, "UNKNOWN_COLUMN", known)
    return [Cells(row.number, row.cells, headings, findings) for row in table.rows]


def refuse_repeated(rows: Sequence[Cells], key: str) -> None:
    """Two rows with the same number: the second is refused, naming the first."""
    first_at: dict[str, int] = {}
    for row in rows:
        typed = row.text(key)
        first = first_at.setdefault(typed, row.number) if typed else row.number
        if first != row.number:
            why = Text(f"Row {first} has the same number.", f"与第 {first} 行编号重复。")
            row.refuse(key, "DUPLICATE", why)


def look_at_quantities(rows: Sequence[tuple[Cells, int, str]], max_quantity: int | None) -> None:
    """Leave out what is above the limit, and warn of what nobody can have meant.

    rows   with the quantity as it is typed (cash in yuan) and the category
    """
    for row, quantity, _ in rows:
        if max_quantity is not None and quantity > max_quantity:
            row.findings.leave_out(row.number, row.headings.shown["quantity"], max_quantity)
    kept = [entry for entry in rows if not entry[0].is_out]
    for found in implausible([entry[1] for entry in kept], [entry[2] for entry in kept]):
        row = kept[found.index][0]
        text = Text(
            f"{found.quantity:,} is hardly meant; the median of its kind here is "
            f"{found.median:,}. Leave such rows out with --max-quantity.",
            f"{found.quantity:,} 似不合理，本文件同类数量的中位数为 {found.median:,}。"
            "可用 --max-quantity 略过此类行。",
        )
        row.findings.warn(row.number, row.headings.shown["quantity"], "IMPLAUSIBLE", text)
