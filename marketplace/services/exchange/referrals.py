"""Referrals: passing needs to the charity desk in batches, and its review, which publishes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from marketplace.domain.checks import fault
from marketplace.domain.errors import Conflict, Fault, InvalidInput, NotFound, Text
from marketplace.domain.exchange.categories import CategoryFacts
from marketplace.domain.exchange.needs import NeedStatus
from marketplace.domain.exchange.publishing import public_copy
from marketplace.domain.exchange.referrals import (
    LINES_MAX,
    Line,
    ReviewDecision,
    ReviewPolicy,
    check_line,
    check_review,
)
from marketplace.domain.moves import check_version
from marketplace.domain.permissions import Viewer
from marketplace.domain.registry.categories import CategoryKind
from marketplace.persistence.database import Database, Row, Writing
from marketplace.persistence.exchange import (
    facts,
    needs,
    published_needs,
    referrals,
    review_policies,
)
from marketplace.services import refusals
from marketplace.services.acting import Act, Turn, once, record, record_many
from marketplace.services.exchange.reach import in_scope


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferNeeds:
    need_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Referred:
    """What became of each need of a batch: `refused` by its place in the list asked for."""

    referral_id: int
    need_ids: tuple[int, ...]
    refused: Mapping[int, Fault]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewNeed:
    need_id: int
    decision: ReviewDecision
    reason: str | None = None
    expected_version: int | None = None


async def refer(database: Database, act: Act, command: ReferNeeds) -> Referred:
    """Pass those needs of the list that are ready on to the charity desk, as one referral.

    Each of the others is reported with what keeps it. Raises Conflict with all of these where no
    need is ready, InvalidInput for an empty, overlong or repeating list.
    """
    async with once(database, act, "needRefer") as turn:
        if turn.replay is not None:
            return from_outcome(turn.replay)
        _check_list(command.need_ids)
        done = await pass_on(turn, database, command.need_ids)
        turn.outcome = to_outcome(done)
        return done


async def pass_on(turn: Turn, database: Database, need_ids: tuple[int, ...]) -> Referred:
    """Refer what is ready of a list in a transaction that is under way; see `refer`."""
    refused = await _refused(turn, need_ids, database)
    ready = tuple(k for i, k in enumerate(need_ids) if i not in refused)
    if not ready:
        raise Conflict(*(refused[i] for i in sorted(refused)))
    account_id, now = _account(turn.act.viewer), database.now()
    policy = await review_policies.in_force(turn.db, turn.act.viewer.region_low, now)
    due_at = policy.review_by(now)
    referral_id = await referrals.add(
        turn.db, referred_by=account_id, referred_at=now, due_at=due_at, line_count=len(ready)
    )
    moved = {
        "status": NeedStatus.REFERRED,
        "referral_id": referral_id,
        "referred_by": account_id,
        "due_at": due_at,
    }
    await needs.change(turn.db, ready, moved)
    await record(turn, database, "referral.created", "Referral", referral_id, lines=len(ready))
    await record_many(turn, database, "need.referred", "Need", ready, referralId=referral_id)
    return Referred(referral_id=referral_id, need_ids=ready, refused=refused)


async def review(database: Database, act: Act, command: ReviewNeed) -> int:
    """Decide on a referred need; its key. Its last approval publishes it without personal data.

    Raises Conflict (wrong state, stale version, FOUR_EYES, CONSENT_REQUIRED, DEADLINE_PASSED),
    InvalidInput where a reason lacks, NotFound for a need outside the viewer's scope.
    """
    async with once(database, act, "needReview") as turn:
        if turn.replay is not None:
            return int(str(turn.replay["need"]))
        row = await _for_review(turn, command, database)
        reviewer, referral_id = _account(act.viewer), row["referral_id"]
        before = await referrals.reviews_of(
            turn.db, need_id=command.need_id, referral_id=referral_id
        )
        check_review(
            _line(row),
            command.decision,
            command.reason,
            reviewer=reviewer,
            reviewed_before=before,
            own_household=await facts.household_of(turn.db, reviewer),
            now=database.now(),
        )
        reviewed = {
            "need_id": command.need_id,
            "referral_id": referral_id,
            "reviewed_by": reviewer,
            "decision": command.decision,
            "reason": (command.reason or "").strip() or None,
            "reviewed_at": database.now(),
        }
        await referrals.add_review(turn.db, reviewed)
        await _decide(turn, row, command.decision, len(before) + 1, database)
        turn.outcome = {"need": command.need_id}
        return command.need_id


async def _decide(
    turn: Turn, row: Row, decision: ReviewDecision, approvals: int, database: Database
) -> None:
    """Move the need as decided. A round only goes on after approvals, so all before were."""
    need_id, now = row["id"], database.now()
    policy = await review_policies.in_force(turn.db, row["tree_low"], now)
    if decision is not ReviewDecision.APPROVE:
        returned = decision is ReviewDecision.RETURN
        status = NeedStatus.RETURNED if returned else NeedStatus.REJECTED
        due_at = policy.resubmit_by(now) if returned else None
        await needs.change(turn.db, [need_id], {"status": status, "due_at": due_at})
        await record(turn, database, f"need.{status.lower()}", "Need", need_id)
        return
    asked = approvals_asked(row, policy)
    if approvals < asked:
        # The version counts up, so that a decision on what was read before is late.
        await needs.change(turn.db, [need_id], {})
        await record(
            turn, database, "need.approved", "Need", need_id, approvals=approvals, asked=asked
        )
        return
    published = {"status": NeedStatus.PUBLISHED, "published_at": now, "due_at": None}
    await needs.change(turn.db, [need_id], published)
    copy_id = await _publish(turn.db, row, database)
    await record(turn, database, "need.published", "Need", need_id, publishedNeedId=copy_id)


def approvals_asked(row: Row, policy: ReviewPolicy) -> int:
    """How many people must approve the need in this row, by the policy's bands of value."""
    category = CategoryFacts(
        kind=CategoryKind(row["kind"]), unit="", reference_price_fen=row["reference_price_fen"]
    )
    return policy.approvals_asked(category.value_fen(row["quantity"]))


async def _publish(db: Writing, row: Row, database: Database) -> int:
    copy = public_copy(
        need_id=row["id"],
        category_id=row["category_id"],
        category_kind=CategoryKind(row["kind"]),
        township_id=await published_needs.township_of(db, row["region_id"]),
        quantity=row["quantity"],
        severity=row["severity"],
        target_groups=row["target_groups"],
        deadline=row["deadline"],
        published_at=database.now(),
        visit_minutes=row["visit_minutes"],
        every_days=row["every_days"],
    )
    return await published_needs.publish(db, copy)


def _check_list(need_ids: tuple[int, ...]) -> None:
    if not 1 <= len(need_ids) <= LINES_MAX:
        raise InvalidInput.of(
            "need_ids",
            f"Name between 1 and {LINES_MAX} needs.",
            f"每批须包含 1 至 {LINES_MAX} 项需求。",
            code="TOO_MANY" if need_ids else "REQUIRED",
        )
    twice = [i for i, k in enumerate(need_ids) if k in need_ids[:i]]
    if twice:
        raise InvalidInput(
            *(
                Fault(
                    ("need_ids", str(i)),
                    "DUPLICATE",
                    Text("This need is in the list already.", "该需求在列表中重复。"),
                )
                for i in twice
            )
        )


async def _refused(turn: Turn, need_ids: tuple[int, ...], database: Database) -> dict[int, Fault]:
    """What keeps each need from being referred, by its place in the list."""
    viewer, now = turn.act.viewer, database.now()
    rows = await needs.lock(turn.db, need_ids, now=now)
    own = await facts.household_of(turn.db, viewer.account_id)
    refused: dict[int, Fault] = {}
    for place, need_id in enumerate(need_ids):
        row = rows.get(need_id)
        if row is None or not in_scope(viewer, row["tree_low"]):
            found = fault("", "NOT_FOUND", NotFound.text.en, NotFound.text.zh)
        elif (bad := keeps_from(row, own_household=own, now=now)) is not None:
            found = bad
        else:
            continue
        refused[place] = Fault(("need_ids", str(place)), found.code, found.text)
    return refused


async def _for_review(turn: Turn, command: ReviewNeed, database: Database) -> Row:
    viewer = turn.act.viewer
    found = await needs.lock(turn.db, [command.need_id], now=database.now())
    row = found.get(command.need_id)
    if row is None or not in_scope(viewer, row["tree_low"]):
        raise NotFound
    check_version(Text("need", "需求"), command.expected_version, row["version"])
    return row


def keeps_from(row: Row, *, own_household: int | None, now: datetime) -> Fault | None:
    """What keeps a locked need from being referred; None if nothing does."""
    return check_line(_line(row), own_household=own_household, now=now)


def _line(row: Row) -> Line:
    return Line(
        status=NeedStatus(row["status"]),
        consent_in_force=bool(row["consent_in_force"]),
        government_decided=bool(row["government_decided"]),
        deadline=row["deadline"],
        household_id=row["household_id"],
        referred_by=row["referred_by"],
        restricted=bool(row["restricted"]),
    )


def _account(viewer: Viewer) -> int:
    assert viewer.account_id is not None, "the matrix lets nobody without an account refer"
    return viewer.account_id


def to_outcome(done: Referred) -> dict[str, object]:
    return {
        "referral": done.referral_id,
        "needs": list(done.need_ids),
        "refused": refusals.kept(done.refused),
    }


def from_outcome(kept: Mapping[str, object]) -> Referred:
    need_ids = kept["needs"]
    assert isinstance(need_ids, list)
    return Referred(
        referral_id=int(str(kept["referral"])),
        need_ids=tuple(need_ids),
        refused=refusals.again(kept["refused"]),
    )
