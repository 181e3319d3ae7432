"""Handing over: the allocations of a request, each with what keeps it, and telling of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from marketplace.domain.checks import fault
from marketplace.domain.errors import Conflict, Fault, InvalidInput, NotFound, Text
from marketplace.domain.exchange.allocations import LINES_MAX, MOVES, NOUN, AllocationStatus
from marketplace.domain.exchange.needs import NeedStatus
from marketplace.domain.moves import check_move, check_version
from marketplace.domain.own_household import OWN_CASE
from marketplace.domain.permissions import PROVIDERS, Role, Viewer
from marketplace.persistence.database import Database, Row
from marketplace.persistence.exchange import allocations, facts, needs, published_needs
from marketplace.services import refusals
from marketplace.services.acting import Turn, record
from marketplace.services.exchange.reach import in_scope

# Providers are not told whether a household took its leave back or came under a restriction.
NOT_OPEN = fault(
    "",
    "NEED_NOT_OPEN",
    "Nothing may be given for this need now. What was set aside for it goes back, or it opens "
    "again.",
    "该需求当前不可提供：预留数量将退回，或待其重新开放。",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One allocation of a request.

    units    of the need: how much is sent; None: all that was set aside
    """

    allocation_id: int
    expected_version: int | None = None
    units: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """Which allocations were moved; `refused` by their place in the list asked for."""

    allocation_ids: tuple[int, ...]
    refused: Mapping[int, Fault]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """The lines that may be moved, with their locked rows, and what keeps the others."""

    rows: tuple[tuple[Line, Row], ...]
    refused: Mapping[int, Fault]

    @property
    def ids(self) -> tuple[int, ...]:
        return tuple(line.allocation_id for line, _ in self.rows)

    def moved(self) -> Moved:
        return Moved(allocation_ids=self.ids, refused=self.refused)


async def ready_lines(
    turn: Turn,
    database: Database,
    move: str,
    lines: Sequence[Line],
    keeps: Callable[[Line, Row], Fault | None],
) -> Ready:
    """Lock the allocations of a list and part those that may make the move from the others.

    keeps    what keeps a line beside state, scope and version; None if nothing does

    Raises Conflict with every fault where none is ready, InvalidInput for an empty, overlong or
    repeating list.
    """
    _check_list(lines)
    viewer = turn.act.viewer
    rows = await allocations.lock(
        turn.db, [line.allocation_id for line in lines], now=database.now()
    )
    own = await facts.household_of(turn.db, viewer.account_id)
    refused: dict[int, Fault] = {}
    ready: list[tuple[Line, Row]] = []
    for place, line in enumerate(lines):
        row = rows.get(line.allocation_id)
        if row is None or not reaches(viewer, row, own):
            bad: Fault | None = fault("", "NOT_FOUND", NotFound.text.en, NotFound.text.zh)
        else:
            bad = _held(move, line.expected_version, row, viewer, own) or keeps(line, row)
        if bad is None:
            assert row is not None
            ready.append((line, row))
        else:
            refused[place] = Fault(("lines", str(place), *bad.field), bad.code, bad.text)
    if not ready:
        raise Conflict(*(refused[place] for place in sorted(refused)))
    return Ready(rows=tuple(ready), refused=refused)


async def locked_one(
    turn: Turn, database: Database, move: str, allocation_id: int, expected_version: int | None
) -> Row:
    """Lock one allocation that may make a move.

    Raises NotFound outside the viewer's scope, Conflict (state, version, FOUR_EYES).
    """
    viewer = turn.act.viewer
    rows = await allocations.lock(turn.db, [allocation_id], now=database.now())
    own = await facts.household_of(turn.db, viewer.account_id)
    row = rows.get(allocation_id)
    if row is None or not reaches(viewer, row, own):
        raise NotFound
    bad = _held(move, expected_version, row, viewer, own)
    if bad is not None:
        raise Conflict(bad)
    return row


def reaches(viewer: Viewer, row: Row, own_household: int | None) -> bool:
    """Whether an allocation is the viewer's to act on: by offer, by household, or by region."""
    if viewer.role in PROVIDERS:
        return bool(row["organization_id"] == viewer.organization_id)
    if viewer.role is Role.APPLICANT:
        return bool(row["household_id"] == own_household)
    return in_scope(viewer, row["tree_low"])


def not_open(row: Row) -> Fault | None:
    """What keeps anything from being given for a household now; None if nothing does."""
    suspended = row["need_status"] == NeedStatus.SUSPENDED
    return NOT_OPEN if suspended or not row["consent_in_force"] else None


async def fulfil(turn: Turn, database: Database, need_id: int) -> None:
    """PUBLISHED to FULFILLED where every unit of a locked need is confirmed; a consequence."""
    if await allocations.all_confirmed(turn.db, need_id):
        await needs.change(turn.db, [need_id], {"status": NeedStatus.FULFILLED})
        await published_needs.follow(turn.db, [need_id])
        await record(turn, database, "need.fulfilled", "Need", need_id)


def to_outcome(done: Moved) -> dict[str, object]:
    """What a repetition of the request is told from."""
    return {
        "allocations": list(done.allocation_ids),
        "refused": refusals.kept(done.refused),
    }


def from_outcome(kept: Mapping[str, object]) -> Moved:
    ids = kept["allocations"]
    assert isinstance(ids, list)
    return Moved(allocation_ids=tuple(ids), refused=refusals.again(kept["refused"]))


def _held(
    move: str, expected_version: int | None, row: Row, viewer: Viewer, own_household: int | None
) -> Fault | None:
    if viewer.role is not Role.APPLICANT and own_household == row["household_id"]:
        return OWN_CASE
    try:
        check_version(NOUN, expected_version, row["version"])
        check_move(MOVES, move, AllocationStatus(row["status"]), NOUN)
    except Conflict as refusal:
        return refusal.faults[0]
    return None


def _check_list(lines: Sequence[Line]) -> None:
    if not 1 <= len(lines) <= LINES_MAX:
        raise InvalidInput.of(
            "lines",
            f"Name between 1 and {LINES_MAX} allocations.",
            f"每次须包含 1 至 {LINES_MAX} 项匹配。",
            code="TOO_MANY" if lines else "REQUIRED",
        )
    ids = [line.allocation_id for line in lines]
    twice = [i for i, key in enumerate(ids) if key in ids[:i]]
    if twice:
        said = Text("This allocation is in the list already.", "该匹配在列表中重复。")
        raise InvalidInput(*(Fault(("lines", str(i), "id"), "DUPLICATE", said) for i in twice))
