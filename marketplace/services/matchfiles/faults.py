"""What is wrong with handed-in files: each fault by file, row, column and reason."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from marketplace.domain.errors import DomainError, Fault, Text

KEPT_MAX = 1_000


class FilesRefused(DomainError):
    """The files hold faults; nothing was matched. `count` may exceed the faults kept."""

    code = "FILES_REFUSED"

    def __init__(self, *faults: Fault, count: int | None = None) -> None:
        super().__init__(*faults)
        self.count = len(faults) if count is None else count


class Faults:
    """Collects faults row by row; counts all, keeps the first thousand."""

    def __init__(self) -> None:
        self.kept: list[Fault] = []
        self.count = 0

    def add(self, name: str, row: int, column: str, code: str, reason: Text) -> None:
        """A fault of a cell: `row` as a spreadsheet shows it, `column` the heading in the file."""
        self.count += 1
        if len(self.kept) < KEPT_MAX:
            where = Text(f"{name}, row {row}, {column}: ", f"{name} 第 {row} 行“{column}”：")
            text = Text(where.en + reason.en, where.zh + reason.zh)
            self.kept.append(Fault((name, str(row), column), code, text))

    def some(self, rows: Sequence[int]) -> Sequence[int]:
        """As many of these bad rows as are still kept; the rest is counted here and now."""
        room = max(0, KEPT_MAX - len(self.kept))
        self.count += max(0, len(rows) - room)
        return rows[:room]

    def extend(self, faults: Iterable[Fault]) -> None:
        for fault in faults:
            self.count += 1
            self.kept.append(fault)

    def refuse(self) -> None:
        """Raise FilesRefused if there is any fault."""
        if self.count:
            raise FilesRefused(*self.kept, count=self.count)
