"""Referrals by the calendar: the house prepares a batch, and a person sends it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from marketplace.domain.days import COUNTY_TIME, county_day
from marketplace.domain.errors import Conflict, InvalidInput, NotFound, Text
from marketplace.domain.events import Event
from marketplace.domain.exchange.referrals import LINES_MAX
from marketplace.domain.exchange.schedules import MOVES, DraftStatus, ScheduleKind
from marketplace.domain.moves import check_move, check_version
from marketplace.domain.permissions import Viewer
from marketplace.persistence import events
from marketplace.persistence.database import Database, Row, Writing
from marketplace.persistence.exchange import needs, review_policies
from marketplace.persistence.exchange import schedules as rows
from marketplace.services.acting import Act, Turn, once, record
from marketplace.services.exchange import schedules
from marketplace.services.exchange.reach import in_scope
from marketplace.services.exchange.referrals import Referred, from_outcome, keeps_from, pass_on
from marketplace.services.exchange.referrals import to_outcome as referred_outcome

NOUN = Text("prepared referral", "待发转介")


@dataclass(frozen=True, slots=True, kw_only=True)
class SendDraft:
    """Send a prepared referral, without some of its needs."""

    draft_id: int
    leave_out: tuple[int, ...] = ()
    expected_version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscardDraft:
    draft_id: int
    expected_version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """The draft that was sent, and what became of each of its needs."""

    draft_id: int
    referred: Referred


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """What the desks of a region have before them.

    weekly_capacity, free    needs a week by the policy, and what of it the queue leaves; None: any
    reviewed                 decisions by county day, the last seven, the oldest first
    """

    policy_version: int
    weekly_capacity: int | None
    free: int | None
    waiting: int
    overdue: int
    returned: int
    returned_late: int
    ready: int
    next_due: datetime | None
    reviewed: tuple[tuple[date, int], ...]


async def prepare_referrals(database: Database) -> int:
    """Prepare the referrals whose day has come; how many schedules ran. A chore."""
    return await schedules.run_due(database, ScheduleKind.REFERRAL, _prepare)


async def send(database: Database, act: Act, command: SendDraft) -> Sent:
    """Refer what a prepared referral holds, as far as it is still ready.

    Whoever sends it refers the needs, and may not review them. Raises Conflict where it was sent
    or discarded, is stale, or nothing of it is ready; InvalidInput to leave out what is not in it.
    """
    async with once(database, act, "referralSend") as turn:
        if turn.replay is not None:
            return Sent(draft_id=int(str(turn.replay["draft"])), referred=from_outcome(turn.replay))
        await _for_move(turn, "referralSend", command.draft_id, command.expected_version)
        lines = await rows.lines_of(turn.db, command.draft_id)
        foreign = [i for i, key in enumerate(command.leave_out) if key not in lines]
        if foreign:
            raise InvalidInput.of(
                f"leave_out.{foreign[0]}",
                "This need is not in the prepared referral.",
                "该需求不在此待发转介中。",
                code="NOT_FOUND",
            )
        sent = tuple(key for key in lines if key not in command.leave_out)
        if not sent:
            raise Conflict.of(
                "leave_out",
                "Nothing is left to send. Discard the prepared referral instead.",
                "没有可发送的需求，请改为弃用该待发转介。",
            )
        referred = await pass_on(turn, database, sent)
        await _decide(turn, database, command.draft_id, DraftStatus.SENT, referred.referral_id)
        turn.outcome = {"draft": command.draft_id, **referred_outcome(referred)}
        return Sent(draft_id=command.draft_id, referred=referred)


async def discard(database: Database, act: Act, command: DiscardDraft) -> int:
    """Put a prepared referral aside; its needs stay drafts for the next one."""
    async with once(database, act, "referralDraftDiscard") as turn:
        if turn.replay is not None:
            return int(str(turn.replay["draft"]))
        move = "referralDraftDiscard"
        await _for_move(turn, move, command.draft_id, command.expected_version)
        await _decide(turn, database, command.draft_id, DraftStatus.DISCARDED, None)
        turn.outcome = {"draft": command.draft_id}
        return command.draft_id


async def capacity(database: Database, viewer: Viewer) -> Capacity:
    """What the desks of the viewer's region have before them."""
    now = database.now()
    today = county_day(now)
    begin = datetime.combine(today - timedelta(days=6), time(), COUNTY_TIME)
    low, high = viewer.region_low, viewer.region_high
    async with database.read() as db:
        policy = await review_policies.in_force(db, low, now)
        found = await review_policies.desk(db, low, high, now=now, since=begin)
        decided = await review_policies.reviewed_at(db, low, high, since=begin)
    days = Counter(county_day(at) for at in decided)
    most = policy.weekly_capacity
    week = [today - timedelta(days=back) for back in range(6, -1, -1)]
    return Capacity(
        policy_version=policy.version,
        weekly_capacity=most,
        free=None if most is None else max(0, most - found["waiting"]),
        waiting=found["waiting"],
        overdue=found["overdue"],
        returned=found["returned"],
        returned_late=found["returned_late"],
        ready=int(found["ready"]),
        next_due=found["next_due"],
        reviewed=tuple((day, days[day]) for day in week),
    )


async def _prepare(db: Writing, database: Database, schedule: Row) -> None:
    """Gather what is ready, the most severe first, as far as the charity desk has room.

    What waits from before is discarded: its needs are gathered anew.
    """
    now = database.now()
    low, high = schedule["tree_low"], schedule["tree_high"]
    gone = await rows.discard_prepared(db, schedule["region_id"], now=now)
    policy = await review_policies.in_force(db, low, now)
    room = LINES_MAX
    if policy.weekly_capacity is not None:
        room = min(room, policy.weekly_capacity - await review_policies.waiting(db, low, high))
    found = await rows.referable(db, low, high, now=now)
    ready = await _ready(db, found, now)
    told = [_event(now, "referral.draft_discarded", key, by="SCHEDULE") for key in gone]
    lines = ready[: max(0, room)]
    if lines:
        values = {
            "region_id": schedule["region_id"],
            "line_count": len(lines),
            "waiting": len(ready) - len(lines),
            "prepared_at": now,
        }
        draft_id = await rows.add_draft(db, values, lines)
        told.append(_event(now, "referral.prepared", draft_id, lines=len(lines)))
    await events.append_many(db, told)


async def _ready(db: Writing, need_ids: list[int], now: datetime) -> list[int]:
    """Those of the needs that nothing keeps from being referred, in their order."""
    locked: Mapping[int, Row] = await needs.lock(db, need_ids, now=now)
    return [key for key in need_ids if keeps_from(locked[key], own_household=None, now=now) is None]


async def _for_move(turn: Turn, move: str, draft_id: int, expected_version: int | None) -> Row:
    """The draft, locked before its needs. Raises NotFound, or Conflict (state, stale)."""
    row = await rows.lock_draft(turn.db, draft_id)
    if row is None or not in_scope(turn.act.viewer, row["tree_low"]):
        raise NotFound
    check_move(MOVES, move, DraftStatus(row["status"]), NOUN)
    check_version(NOUN, expected_version, row["version"])
    return row


async def _decide(
    turn: Turn, database: Database, draft_id: int, status: DraftStatus, referral_id: int | None
) -> None:
    values = {
        "status": status,
        "decided_at": database.now(),
        "decided_by": turn.act.viewer.account_id,
        "referral_id": referral_id,
    }
    await rows.change_draft(turn.db, draft_id, values)
    kind = f"referral.draft_{status.lower()}"
    await record(turn, database, kind, "ReferralDraft", draft_id, referral=referral_id)


def _event(at: datetime, kind: str, draft_id: int, **data: object) -> Event:
    return Event(kind=kind, at=at, entity="ReferralDraft", entity_id=draft_id, data=data)
