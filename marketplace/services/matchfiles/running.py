"""Match files: read needs and offers, solve, and say who gets what share."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from marketplace.domain.errors import Fault, Text
from marketplace.domain.plausibility import Implausible, implausible
from marketplace.services.importing.headings import Column, find_columns
from marketplace.services.importing.tables import Table as Sheet
from marketplace.services.importing.tables import read_table
from marketplace.services.matchfiles import baseline, shares
from marketplace.services.matchfiles.baseline import Served
from marketplace.services.matchfiles.building import Market, market_of
from marketplace.services.matchfiles.columns import NEEDS, OFFERS
from marketplace.services.matchfiles.faults import Faults
from marketplace.services.matchfiles.pairs import Ids, read_pairs
from marketplace.services.matchfiles.rows import NeedRow, OfferRow, read_needs, read_offers
from matching import (
    Plan,
    Policy,
    ProcessExecutor,
    Progress,
    drawn_units,
    served_units,
    solve,
)

Advance = Callable[[float, Text], None]
READING = Text("reading", "读取文件")
HOPELESS = {"MISSING_COLUMN", "DUPLICATE_COLUMN"}  # of a file as a whole: no row can be kept
Row = TypeVar("Row", NeedRow, OfferRow)


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchFiles:
    """What to match and how.

    `max_quantity` leaves out needs and offers that are larger, `skip_bad` rows with a fault;
    `deadline_s` is for solving alone; `compare` adds what first come, first served would do.
    """

    needs: Path
    offers: Path
    pairs: Path | None = None
    policy: Policy = field(default_factory=Policy)
    max_quantity: int | None = None
    skip_bad: bool = False
    deadline_s: float | None = None
    processes: int | None = None
    compare: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRead:
    """A file's rows: all, used, left out as too large; and what is used though absurd (largest
    first: id, category, finding)."""

    name: str
    sha256: str
    rows: int
    used: int
    too_large: int
    implausible: tuple[tuple[str, str, Implausible], ...]
    unknown_columns: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Matched:
    """The plan, what it was made of, and its totals. `skipped` are the faults of rows left out."""

    market: Market
    plan: Plan
    served: tuple[int, ...]
    drawn: tuple[int, ...]
    total: shares.Share
    tables: tuple[shares.Table, ...]
    given: shares.Given
    first_come: Served | None
    files: tuple[FileRead, ...]
    skipped: tuple[Fault, ...]
    skipped_count: int
    seconds: dict[str, float]


def match_files(asked: MatchFiles, advance: Advance = lambda share, stage: None) -> Matched:
    """Read, solve, check, sum up.

    Raises FilesRefused with every bad row unless `skip_bad`, and InvalidInput for a file that is
    no table or a problem that cannot be counted. `advance` is told a share 0..1 and a stage.
    """
    clock, faults = _Clock(), Faults()
    advance(0.0, READING)
    needs_sheet, offers_sheet = _sheet(asked.needs), _sheet(asked.offers)
    all_needs, all_offers = read_needs(needs_sheet, faults), read_offers(offers_sheet, faults)
    if any(fault.code in HOPELESS for fault in faults.kept):
        faults.refuse()
    needs, offers = _small(all_needs, asked), _small(all_offers, asked)
    pairs = None
    if asked.pairs is not None:
        known = _ids(needs_sheet, NEEDS, needs), _ids(offers_sheet, OFFERS, offers)
        pairs = read_pairs(asked.pairs, *known, faults, lambda share: advance(share / 4, READING))
        if any(fault.code in HOPELESS for fault in faults.kept):
            faults.refuse()
    clock.lap("read")
    if not asked.skip_bad:
        faults.refuse()
    advance(0.25, Text("building", "建立模型"))
    name = asked.pairs.name if asked.pairs else ""
    market = market_of(needs, offers, pairs, name, faults)
    del pairs
    if not asked.skip_bad:
        faults.refuse()
    clock.lap("build")
    plan = _solve(asked, market, advance)
    clock.lap("solve")
    served = tuple(served_units(market.problem, plan.pair_units).tolist())
    drawn = tuple(drawn_units(market.problem, plan.pair_units).tolist())
    first_come = None
    if asked.compare:
        advance(0.95, Text("comparing", "对比计算"))
        first_come = baseline.first_come_first_served(market)
        clock.lap("compare")
    files = (
        _file(asked.needs, needs_sheet, NEEDS, all_needs, needs),
        _file(asked.offers, offers_sheet, OFFERS, all_offers, offers),
    )
    return Matched(
        market=market,
        plan=plan,
        served=served,
        drawn=drawn,
        total=shares.total(needs, served),
        tables=shares.tables(needs, served),
        given=shares.given(offers, drawn),
        first_come=first_come,
        files=files,
        skipped=tuple(faults.kept),
        skipped_count=faults.count,
        seconds=clock.seconds,
    )


class _Clock:
    """Wall seconds by phase."""

    def __init__(self) -> None:
        self.at = time.perf_counter()
        self.seconds: dict[str, float] = {}

    def lap(self, phase: str) -> None:
        before, self.at = self.at, time.perf_counter()
        self.seconds[phase] = self.at - before


def _solve(asked: MatchFiles, market: Market, advance: Advance) -> Plan:
    stages = {
        "build": Text("building", "建立模型"),
        "solve": Text("solving", "求解"),
        "check": Text("checking", "校验"),
        "done": Text("done", "完成"),
    }

    def tell(share: float, progress: Progress) -> None:
        advance(0.3 + 0.65 * share, stages[progress.phase])

    executor = None if asked.processes is None else ProcessExecutor(asked.processes)
    try:
        return solve(
            market.problem,
            asked.policy,
            deadline_s=asked.deadline_s,
            executor=executor,
            on_progress=tell,
        )
    finally:
        if executor is not None:
            executor.shutdown(cancel_futures=True)


def _sheet(path: Path) -> Sheet:
    return read_table(path.read_bytes(), path.name)


def _small(rows: tuple[Row, ...], asked: MatchFiles) -> tuple[Row, ...]:
    limit = asked.max_quantity
    return rows if limit is None else tuple(row for row in rows if row.quantity <= limit)


def _ids(sheet: Sheet, columns: tuple[Column, ...], rows: tuple[Row, ...]) -> Ids:
    """Rows by id; what else stands in the file was bad or too large, and is left out."""
    at = find_columns(sheet.name, sheet.headings, columns)[0].at[columns[0].key]
    return Ids(
        {row.id: index for index, row in enumerate(rows)},
        frozenset(cells[at] for _, cells in sheet.rows),
    )


def _file(
    path: Path,
    sheet: Sheet,
    columns: tuple[Column, ...],
    read: tuple[Row, ...],
    used: tuple[Row, ...],
) -> FileRead:
    found = implausible([row.quantity for row in used], [row.category for row in used])
    return FileRead(
        name=sheet.name,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        rows=len(sheet.rows),
        used=len(used),
        too_large=len(read) - len(used),
        implausible=tuple((used[f.index].id, used[f.index].category, f) for f in found),
        unknown_columns=find_columns(sheet.name, sheet.headings, columns)[0].unknown,
    )
