"""What came of an import: how many rows, and what is wrong with which."""

from __future__ import annotations

from dataclasses import dataclass, field

from marketplace.domain.errors import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOptions:
    """dry_run        check everything, write nothing
    skip_bad       take the good rows; without it, all or nothing
    max_quantity   leave out rows with a larger quantity, as it is typed
    """

    dry_run: bool = False
    skip_bad: bool = False
    max_quantity: int | None = None


@dataclass(frozen=True, slots=True)
class RowProblem:
    """`row` as a spreadsheet numbers it (headings are row 1), `column` as the file heads it."""

    row: int
    column: str
    code: str
    text: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """Rows, whatever they stand for: imported (in a dry run: that would be), already there,
    left out for their quantity; the others are bad, and `problems` says why. All rows of a
    household are bad where one is.
    """

    kind: str
    rows: int
    imported: int
    already_there: int
    left_out: int
    problems: tuple[RowProblem, ...]
    warnings: tuple[RowProblem, ...]
    written: bool


@dataclass(slots=True)
class Findings:
    """Collects what is wrong while rows are read and checked."""

    problems: list[RowProblem] = field(default_factory=list)
    warnings: list[RowProblem] = field(default_factory=list)
    bad_rows: set[int] = field(default_factory=set)
    left_out: set[int] = field(default_factory=set)
    there_rows: set[int] = field(default_factory=set)

    def refuse(self, row: int, column: str, code: str, text: Text) -> None:
        self.bad_rows.add(row)
        self.problems.append(RowProblem(row, column, code, text))

    def warn(self, row: int, column: str, code: str, text: Text) -> None:
        self.warnings.append(RowProblem(row, column, code, text))

    def leave_out(self, row: int, column: str, most: int) -> None:
        self.left_out.add(row)
        text = Text(f"Left out: more than {most}.", f"已略过：大于 {most}。")
        self.warn(row, column, "LEFT_OUT", text)

    def is_out(self, row: int) -> bool:
        return row in self.bad_rows or row in self.left_out or row in self.there_rows
