"""The desks of the demo county: needs referred in batches, reviewed by others, published."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from marketplace.domain.events import Event
from marketplace.domain.exchange.needs import NeedStatus
from marketplace.domain.exchange.publishing import public_copy
from marketplace.domain.exchange.referrals import LINES_MAX, POLICY, ReviewDecision
from marketplace.domain.registry.categories import CategoryKind
from marketplace.persistence.database import Row, Writing
from marketplace.persistence.tables import need_reviews, needs, published_needs, referrals
from marketplace.services.demo.cases import Case, NeedDraft
from marketplace.services.demo.ground import Ground, Staff

BATCH_DAYS = 7
RETURNED_FOR = ("请补充医疗费用票据", "数量与家庭人口不符，请核实", "请先核对政府救助是否已覆盖")
REJECTED_FOR = ("经核实需求已由其他渠道解决",)
DECISIONS = {
    NeedStatus.PUBLISHED: ReviewDecision.APPROVE,
    NeedStatus.WITHDRAWN: ReviewDecision.APPROVE,
    NeedStatus.RETURNED: ReviewDecision.RETURN,
    NeedStatus.REJECTED: ReviewDecision.REJECT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What the desks work with: keys of households by the place of their case."""

    ground: Ground
    staff: Staff
    cases: Sequence[Case]
    households: Sequence[int]
    dice: random.Random

    def town(self, draft: NeedDraft) -> Row:
        return self.ground.town_of(self.cases[draft.case].home.household.region_id)

    def created_by(self, draft: NeedDraft) -> int:
        return self.staff.by_town[str(self.town(draft)["code"])]


@dataclass(slots=True, kw_only=True)
class Worked:
    """One need on its way, its rows filled in desk by desk."""

    draft: NeedDraft
    row: dict[str, object]
    referred_at: datetime | None = None
    reviews: list[dict[str, object]]
    published_at: datetime | None = None


async def work(db: Writing, desk: Desk, drafts: Sequence[NeedDraft]) -> list[Event]:
    """Write every need with its referral, reviews and public copy; what happened on the way."""
    done = [_drafted(desk, number, draft) for number, draft in enumerate(drafts, 1)]
    told = await _refer(db, desk, done)
    for worked in done:
        _review(desk, worked)
    keys = await db.insert_keys(needs, [worked.row for worked in done])
    reviews = [
        review | {"need_id": k} for k, w in zip(keys, done, strict=True) for review in w.reviews
    ]
    await db.insert_many(need_reviews, reviews)
    public = [(k, w) for k, w in zip(keys, done, strict=True) if w.published_at]
    made = await db.insert_keys(published_needs, [_copy(desk, k, w) for k, w in public])
    copies = {key: copy for (key, _), copy in zip(public, made, strict=True)}
    for key, worked in zip(keys, done, strict=True):
        told.extend(_told(desk, key, worked, copies.get(key)))
    return told


def _drafted(desk: Desk, number: int, draft: NeedDraft) -> Worked:
    case = desk.cases[draft.case]
    row = draft.row(
        case,
        number=number,
        household_id=desk.households[draft.case],
        region_id=case.home.household.region_id,
        category_id=desk.ground.categories[draft.want.category]["id"],
        created_by=desk.created_by(draft),
    )
    return Worked(
        draft=draft,
        row=row | {"referral_id": None, "referred_by": None, "published_at": None},
        reviews=[],
    )


def _is_referred(draft: NeedDraft) -> bool:
    return draft.was_published or draft.status not in (NeedStatus.DRAFT, NeedStatus.WITHDRAWN)


async def _refer(db: Writing, desk: Desk, done: Sequence[Worked]) -> list[Event]:
    """Pass on what is ready, in weekly batches of at most as many lines as one referral takes."""
    weeks: dict[datetime, list[Worked]] = {}
    now = desk.ground.now
    for worked in done:
        if _is_referred(worked.draft):
            age = (now - worked.draft.created_at) // timedelta(days=1)
            weeks_ago = max(0, age - 1) // BATCH_DAYS
            at = now - timedelta(days=weeks_ago * BATCH_DAYS, hours=30)
            weeks.setdefault(at, []).append(worked)
    told: list[Event] = []
    officers = [desk.staff.by_role[name] for name in ("ASSISTANCE_OFFICER", "ASSISTANCE_OFFICER_2")]
    for at in sorted(weeks):
        for start in range(0, len(weeks[at]), LINES_MAX):
            lines = weeks[at][start : start + LINES_MAX]
            officer = officers[len(told) % 2]
            values = {"referred_by": officer, "referred_at": at, "line_count": len(lines)}
            key = await db.insert(referrals, values)
            told.append(_event("referral.created", at, "Referral", key, officer, lines=len(lines)))
            for worked in lines:
                worked.referred_at = at
                worked.row |= {"referral_id": key, "referred_by": officer}
    return told


def _review(desk: Desk, worked: Worked) -> None:
    """One reviewer, or two where the need is worth so much; neither is who referred it."""
    draft, at = worked.draft, worked.referred_at
    if at is None:
        return
    value = draft.quantity * desk.ground.categories[draft.want.category]["reference_price_fen"]
    asked = POLICY.approvals_asked(value)
    decision = DECISIONS.get(draft.status)
    if decision is None:
        # Waiting: of those that need two, some have their first approval.
        if asked == 1 or desk.dice.random() < 0.5:
            return
        decision, asked = ReviewDecision.APPROVE, 1
    reviewers = [desk.staff.by_role[name] for name in ("CHARITY_OFFICER", "CHARITY_OFFICER_2")]
    if desk.dice.random() < 0.5:
        reviewers.reverse()
    reasons = {ReviewDecision.RETURN: RETURNED_FOR, ReviewDecision.REJECT: REJECTED_FOR}
    for reviewer in reviewers[: asked if decision is ReviewDecision.APPROVE else 1]:
        at += timedelta(hours=desk.dice.uniform(2, 14))
        worked.reviews.append(
            {
                "referral_id": worked.row["referral_id"],
                "reviewed_by": reviewer,
                "decision": decision,
                "reason": desk.dice.choice(reasons[decision]) if decision in reasons else None,
                "reviewed_at": at,
            }
        )
    if draft.was_published:
        worked.published_at = at
        worked.row["published_at"] = at


def _copy(desk: Desk, key: int, worked: Worked) -> dict[str, object]:
    draft, home = worked.draft, desk.cases[worked.draft.case].home
    category = desk.ground.categories[draft.want.category]
    assert worked.published_at is not None
    copy = public_copy(
        need_id=key,
        category_id=category["id"],
        category_kind=CategoryKind(category["kind"]),
        township_id=desk.town(draft)["id"],
        quantity=draft.quantity,
        severity=desk.cases[draft.case].assessed.severity,
        target_groups=home.household.groups,
        deadline=draft.deadline,
        published_at=worked.published_at,
        visit_minutes=draft.want.minutes,
        every_days=draft.want.every_days,
    )
    return copy | {"is_open": draft.status is NeedStatus.PUBLISHED}


def _told(desk: Desk, key: int, worked: Worked, copy: int | None) -> list[Event]:
    """What happened to one need; `copy` is the key of its public copy, by which others hear."""
    draft, row = worked.draft, worked.row
    by_government = {"quantity": draft.quantity, "byGovernment": draft.by_government}
    told = [
        _event("need.created", draft.created_at, "Need", key, row["created_by"], **by_government)
    ]
    if worked.referred_at is not None:
        referral = {"referralId": row["referral_id"]}
        told.append(
            _event("need.referred", worked.referred_at, "Need", key, row["referred_by"], **referral)
        )
    last = len(worked.reviews)
    for place, review in enumerate(worked.reviews, 1):
        at, by = review["reviewed_at"], review["reviewed_by"]
        assert isinstance(at, datetime)
        decided = place == last and draft.status is not NeedStatus.REFERRED
        if review["decision"] is not ReviewDecision.APPROVE:
            kind = f"need.{draft.status.lower()}"
        else:
            kind = "need.published" if decided else "need.approved"
        public = {"publishedNeedId": copy} if kind == "need.published" else {}
        told.append(_event(kind, at, "Need", key, by, **public))
    if draft.status is NeedStatus.WITHDRAWN:
        told.append(
            _event("need.withdrawn", desk.ground.now - timedelta(days=3), "Need", key, None)
        )
    return told


def _event(kind: str, at: datetime, entity: str, key: int, by: object, **data: object) -> Event:
    account_id = by if isinstance(by, int) else None
    return Event(kind=kind, at=at, entity=entity, entity_id=key, account_id=account_id, data=data)


def open_units(drafts: Sequence[NeedDraft]) -> Mapping[str, int]:
    """Units that are in the market, by category; of services, minutes."""
    units: dict[str, int] = {}
    for draft in drafts:
        if draft.status is NeedStatus.PUBLISHED:
            category = draft.want.category
            each = draft.want.minutes or 1
            units[category] = units.get(category, 0) + draft.quantity * each
    return units
