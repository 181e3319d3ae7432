"""The file of pairs that may meet: millions of rows, read in blocks without a loop over rows."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from marketplace.domain.errors import Fault, InvalidInput, Text
from marketplace.services.importing import cells
from marketplace.services.importing.cells import BadCell
from marketplace.services.importing.headings import Headings, find_columns
from marketplace.services.importing.tables import (
    delimiter_of,
    encoding_of,
    more_cells,
    not_a_table,
    read_table,
)
from marketplace.services.matchfiles.columns import PAIRS
from marketplace.services.matchfiles.faults import Faults

if TYPE_CHECKING:
    import pandas as pd  # type: ignore[import-untyped]

Ints = npt.NDArray[np.int64]
Indices = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]
Advance = Callable[[float], None]

BLOCK_ROWS = 500_000
HEAD_BYTES = 65_536
COST_MAX = 10**8
DECIMALS = 4  # costs are counted in ten-thousandths at most
UNKNOWN, EMPTY, LEFT_OUT = -1, -2, -3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PairColumns:
    """P good pairs: rows of the needs and offers, the cost of one unit times `scale`, file rows.

    `unit` is what stood in brackets behind the heading of the cost, `priced` is false without one.
    """

    need: Indices
    offer: Indices
    cost: Ints
    number: Indices
    scale: int
    unit: str
    priced: bool


@dataclass(frozen=True, slots=True)
class Ids:
    """Row by id; ids of rows that were left out on purpose are known, but are no rows."""

    rows: Mapping[str, int]
    left_out: frozenset[str]

    def row(self, text: str) -> int:
        plain = text.strip()
        if not plain:
            return EMPTY
        return self.rows.get(plain, LEFT_OUT if plain in self.left_out else UNKNOWN)


def read_pairs(
    path: Path, needs: Ids, offers: Ids, faults: Faults, advance: Advance = lambda share: None
) -> PairColumns:
    """The good pairs of a CSV or XLSX file; what is wrong with the others goes into `faults`.

    Pairs of needs or offers that were left out are left out with them. Raises InvalidInput for
    what is no table. `advance` is told the share that is read.
    """
    name = path.name
    with path.open("rb") as file:
        workbook = file.read(4) == b"PK\x03\x04"
    headings, blocks = _from_table(path) if workbook else _from_csv(path, advance)
    found, wrong = find_columns(name, headings, PAIRS)
    faults.extend(wrong)
    reader = _Reader(name, found, needs, offers, faults)
    if not wrong:
        for number, block in blocks:
            reader.take(number, block)
    return reader.columns()


class _Reader:
    """Collects blocks; one fault for each bad row."""

    def __init__(
        self, name: str, headings: Headings, needs: Ids, offers: Ids, faults: Faults
    ) -> None:
        self.name, self.headings, self.faults = name, headings, faults
        self.sides = {"need_id": needs, "offer_id": offers}
        self.parts: list[tuple[Indices, Indices, Floats, Indices]] = []

    def take(self, number: Indices, block: pd.DataFrame) -> None:
        """A block of rows, with their numbers in the file."""
        need, offer = (self._rows(block[self.headings.at[key]], key) for key in self.sides)
        cost = np.zeros(len(block))
        filled = (need != EMPTY) | (offer != EMPTY)
        if "cost" in self.headings.at:
            cost = self._costs(block[self.headings.at["cost"]], number, filled)
            filled |= ~np.isnan(cost)
        good = filled & ~np.isnan(cost)
        for key, rows in (("need_id", need), ("offer_id", offer)):
            self._refuse_ids(key, rows, number, filled, block)
            good &= rows >= 0
        self.parts.append((need[good], offer[good], cost[good], number[good]))

    def columns(self) -> PairColumns:
        empty = np.empty(0, np.int32)
        parts = self.parts or [(empty, empty, np.empty(0), empty)]
        need, offer, cost, number = (np.concatenate(part) for part in zip(*parts, strict=True))
        self.parts.clear()
        order = self._order(need, offer, number)
        if order is not None:
            need, offer, cost, number = need[order], offer[order], cost[order], number[order]
        scale = _scale(cost)
        return PairColumns(
            need=need,
            offer=offer,
            cost=np.rint(cost * scale).astype(np.int64),
            number=number,
            scale=scale,
            unit=self.headings.brackets.get("cost", ""),
            priced="cost" in self.headings.at,
        )

    def _rows(self, labels: pd.Series[str], key: str) -> Indices:
        """Rows of the other file; each distinct id is looked up once."""
        ids = self.sides[key]
        known = [ids.row(str(label)) for label in labels.cat.categories]
        lookup = np.array([*known, EMPTY], np.int32)  # code -1 (no text) finds the last
        rows: Indices = lookup[labels.cat.codes.to_numpy()]
        return rows

    def _refuse_ids(
        self,
        key: str,
        rows: Indices,
        number: Indices,
        filled: npt.NDArray[np.bool_],
        block: pd.DataFrame,
    ) -> None:
        shown = self.headings.shown[key]
        file = {"need_id": Text("needs", "需求"), "offer_id": Text("offers", "供给")}[key]
        for index in self.faults.some(np.flatnonzero(filled & (rows == EMPTY)).tolist()):
            why = Text("This cell is empty.", "此单元格不能为空。")
            self.faults.add(self.name, int(number[index]), shown, "REQUIRED", why)
        for index in self.faults.some(np.flatnonzero(rows == UNKNOWN).tolist()):
            label = str(block[self.headings.at[key]].iloc[index])[:40]
            why = Text(
                f"'{label}' is not in the file of {file.en}.", f"{file.zh}文件中没有编号“{label}”。"
            )
            self.faults.add(self.name, int(number[index]), shown, "UNKNOWN", why)

    def _costs(
        self, column: pd.Series[float], number: Indices, filled: npt.NDArray[np.bool_]
    ) -> Floats:
        """Costs as floats, NaN where there is none (reported where the row has any text)."""
        if column.dtype.kind in "iuf":
            cost: Floats = column.to_numpy(np.float64, copy=True)
            wrong = np.flatnonzero(filled & ~((cost >= 0) & (cost <= COST_MAX)))
            texts = ["" if np.isnan(cost[i]) else f"{cost[i]:.15g}" for i in wrong]
        else:  # something in this block is no plain number: look at every cell of it
            cost = np.full(len(column), np.nan)
            wrong = np.arange(len(column))
            texts = ["" if text != text else str(text) for text in column]
        for index, text in zip(wrong.tolist(), texts, strict=True):
            cost[index] = np.nan
            try:
                cost[index] = cells.decimal(text, 0, COST_MAX)
            except BadCell as fault:
                if filled[index] or text:
                    shown = self.headings.shown["cost"]
                    self.faults.add(self.name, int(number[index]), shown, fault.code, fault.text)
        return cost

    def _order(self, need: Indices, offer: Indices, number: Indices) -> Ints | None:
        """Pairs by need, then offer, each once (None: they are); each further one is a fault."""
        code = need.astype(np.int64) << 32 | offer
        if len(code) < 2 or bool((code[1:] > code[:-1]).all()):
            return None
        order = np.argsort(code, kind="stable")
        code = code[order]
        first = np.diff(code, prepend=-1) != 0
        again = np.flatnonzero(~first)
        starts = np.flatnonzero(first)
        for at in self.faults.some(again.tolist()):
            start = starts[np.searchsorted(starts, at, side="right") - 1]
            row, earlier = int(number[order[at]]), int(number[order[start]])
            why = Text(f"Row {earlier} has the same pair.", f"与第 {earlier} 行的配对重复。")
            self.faults.add(self.name, row, self.headings.shown["offer_id"], "DUPLICATE", why)
        kept: Ints = order[first]
        return kept


def _scale(cost: Floats) -> int:
    """The smallest power of ten that makes every cost whole; ten-thousandths are the finest."""
    for decimals in range(DECIMALS):
        scale = int(10**decimals)
        if bool((np.rint(cost * scale) / scale == cost).all()):
            return scale
    return int(10**DECIMALS)


Blocks = Iterator[tuple[Indices, "pd.DataFrame"]]


def _from_table(path: Path) -> tuple[tuple[str, ...], Blocks]:
    import pandas as pd  # here: half a second that only large files are worth

    table = read_table(path.read_bytes(), path.name)
    number = np.array([row.number for row in table.rows], np.int32)
    cells_of = pd.DataFrame([row.cells for row in table.rows], columns=range(len(table.headings)))
    return table.headings, iter([(number, cells_of.astype("category"))])


def _from_csv(path: Path, advance: Advance) -> tuple[tuple[str, ...], Blocks]:
    import pandas as pd

    encoding = _encoding(path)
    with path.open(encoding=encoding, newline="") as file:
        head = file.read(HEAD_BYTES)
    start = next((line for line in head.splitlines() if line.strip()), "")
    delimiter = delimiter_of(start)
    reader = csv.reader(io.StringIO(head, newline=""), delimiter=delimiter)
    records = 0
    headings: tuple[str, ...] = ()
    for record in reader:
        records += 1
        if any(cell.strip() for cell in record):
            headings = tuple(cell.strip() for cell in record)
            break
    if not headings:
        raise InvalidInput.of(
            (path.name,), f"{path.name} is empty.", f"{path.name} 是空文件。", code="EMPTY"
        )
    skipped, found = reader.line_num, find_columns(path.name, headings, PAIRS)[0]
    size, width = max(1, path.stat().st_size), len(headings)
    dtype = {at: "category" for at in range(width + 1) if at != found.at.get("cost")}

    def blocks() -> Blocks:
        first = records + 1
        with path.open("rb") as file:
            try:
                with pd.read_csv(
                    file,
                    encoding=encoding,
                    sep=delimiter,
                    header=None,
                    # One more, since pandas drops what is beyond the last without a word.
                    names=list(range(width + 1)),
                    index_col=False,
                    skiprows=skipped,
                    skip_blank_lines=False,
                    keep_default_na=False,
                    na_values={found.at["cost"]: [""]} if "cost" in found.at else {},
                    dtype=dtype,
                    chunksize=BLOCK_ROWS,
                ) as reader:
                    for block in reader:
                        number = np.arange(first, first + len(block), dtype=np.int32)
                        _refuse_overlong(path.name, number, block[width], width)
                        yield number, block
                        first += len(block)
                        advance(min(1.0, file.tell() / size))
            except pd.errors.EmptyDataError:
                return
            except (pd.errors.ParserError, UnicodeDecodeError) as fault:
                raise _unreadable(path.name, str(fault).strip()) from None

    return headings, blocks()


def _refuse_overlong(name: str, number: Indices, beyond: pd.Series[str], width: int) -> None:
    """A cell beyond the headings is most often a number such as 1,200 without quotes."""
    if not any(str(label).strip() for label in beyond.cat.categories):
        return
    filled = [label == label and bool(str(label).strip()) for label in beyond]
    raise more_cells(name, int(number[filled.index(True)]), width)


def _encoding(path: Path) -> str:
    """As `encoding_of`, without holding the file in memory."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        if head[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in head:
            return encoding_of(head, path.name)
        for encoding in ("utf-8-sig", "gb18030"):
            decoder = codecs.getincrementaldecoder(encoding)()
            file.seek(0)
            try:
                while block := file.read(2**22):
                    decoder.decode(block)
                decoder.decode(b"", final=True)
            except UnicodeDecodeError:
                continue
            return encoding
    raise not_a_table(path.name)


def _unreadable(name: str, why: str) -> InvalidInput:
    text = Text(f"{name}: not readable as CSV ({why}).", f"{name}：不是有效的 CSV 内容（{why}）。")
    return InvalidInput(Fault((name,), "UNREADABLE", text))
