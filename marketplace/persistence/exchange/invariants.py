"""What must hold in the exchange at any time, as SQL that lists every row where it does not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from marketplace.domain.exchange.allocations import OPEN_STATUSES, AllocationStatus, CancelReason
from marketplace.domain.exchange.consents import ConsentStatus
from marketplace.domain.exchange.needs import NeedStatus
from marketplace.domain.exchange.plans import PlanLineStatus
from marketplace.domain.exchange.referrals import ReviewDecision
from marketplace.domain.exchange.results import ResultStatus
from marketplace.persistence.database import Reading
from marketplace.persistence.exchange.desk_invariants import DESK_FACTS
from marketplace.persistence.exchange.giving_invariants import GIVING_FACTS
from marketplace.persistence.exchange.household_invariants import HOUSEHOLD_FACTS
from marketplace.persistence.tables import (
    allocations,
    categories,
    consents,
    need_reviews,
    needs,
    offers,
    plan_lines,
    published_needs,
    result_copies,
    results,
)

DELIVERED = (AllocationStatus.DELIVERED, AllocationStatus.CONFIRMED, AllocationStatus.DISPUTED)
LIVE = (*sorted(OPEN_STATUSES), *DELIVERED)
# States that a need only reaches through a review that approved it.
ONCE_PUBLISHED = (NeedStatus.PUBLISHED, NeedStatus.FULFILLED, NeedStatus.CLOSED)


# The table that it is about, and its rows where it does not hold.
Fact = tuple[str, sa.Select[int, int, int]]


@dataclass(frozen=True, slots=True)
class Broken:
    """One row where a fact does not hold.

    fact    stable name, such as "offer_reserved"
    says    what the row says; is: what it should be, where that is a number
    """

    fact: str
    table: str
    row_id: int
    says: int
    should: int


async def broken(
    db: Reading, *, limit: int = 100, facts: Mapping[str, Fact] | None = None
) -> list[Broken]:
    """Every broken fact, at most `limit` rows of each; empty if all is well.

    facts    which; None: all of the exchange

    Give it a snapshot, so that all is of one moment. One statement a fact.
    """
    found: list[Broken] = []
    for fact, (table, statement) in (FACTS if facts is None else facts).items():
        rows = await db.rows(statement.limit(limit))
        found += [
            Broken(fact, table, row["id"], int(row["says"] or 0), int(row["should"] or 0))
            for row in rows
        ]
    return found


def _counter(
    counter: sa.Column[int],
    key: sa.Column[int],
    units: sa.ColumnElement[int],
    statuses: tuple[str, ...],
) -> sa.Select[int, int, int]:
    """Rows whose counter is not the sum over their allocations in these states."""
    table = counter.table
    sums = (
        sa.select(key.label("key"), sa.func.sum(units).label("units"))
        .where(allocations.c.status.in_(statuses))
        .group_by(key)
        .subquery()
    )
    should = sa.func.coalesce(sums.c.units, 0)
    return (
        sa.select(table.c.id, counter.label("says"), should.label("should"))
        .select_from(table.outerjoin(sums, sums.c.key == table.c.id))
        .where(counter != should)
        .order_by(table.c.id)
    )


def _rows(
    table: sa.FromClause, key: sa.Column[int], *where: sa.ColumnElement[bool]
) -> sa.Select[int, int, int]:
    """Rows that must not be there."""
    return (
        sa.select(key.label("id"), sa.literal(1).label("says"), sa.literal(0).label("should"))
        .select_from(table)
        .where(*where)
        .order_by(key)
    )


_RESULT = sa.select(results.c.id).where(results.c.allocation_id == allocations.c.id)
_WAITING_RESULT = sa.select(results.c.id).where(
    results.c.need_id == needs.c.id, results.c.status == ResultStatus.SENT
)
_WAITING_COPY = sa.select(result_copies.c.id).where(
    result_copies.c.result_id == results.c.id, result_copies.c.status == ResultStatus.SENT
)
_COPIES = (
    sa.select(sa.func.count())
    .select_from(result_copies)
    .where(result_copies.c.result_id == results.c.id)
    .scalar_subquery()
)
_STANDING = (
    sa.select(consents.c.id)
    .where(
        consents.c.household_id == needs.c.household_id,
        consents.c.status == ConsentStatus.GIVEN,
    )
    .exists()
)
_SHOWN = (
    sa.select(published_needs.c.id)
    .where(published_needs.c.need_id == needs.c.id, published_needs.c.is_open)
    .exists()
)
_APPROVED_BY_ANOTHER = (
    sa.select(need_reviews.c.id)
    .where(
        need_reviews.c.need_id == needs.c.id,
        need_reviews.c.referral_id == needs.c.referral_id,
        need_reviews.c.decision == ReviewDecision.APPROVE,
        need_reviews.c.reviewed_by != needs.c.referred_by,
    )
    .exists()
)
_HAS_ALLOCATION = (
    sa.select(allocations.c.id).where(allocations.c.plan_line_id == plan_lines.c.id).exists()
)

_UNCONFIRMED = (
    sa.select(allocations.c.id)
    .where(
        allocations.c.need_id == needs.c.id,
        allocations.c.status.in_([s for s in LIVE if s != AllocationStatus.CONFIRMED]),
    )
    .exists()
)
_CONFIRMED = (
    sa.select(allocations.c.id)
    .where(allocations.c.need_id == needs.c.id, allocations.c.confirmed_at.is_not(None))
    .exists()
)

FACTS: dict[str, Fact] = {
    "confirmed_has_its_result": (
        "allocations",
        _rows(
            allocations,
            allocations.c.id,
            allocations.c.status == AllocationStatus.CONFIRMED,
            allocations.c.confirmed_at.is_not(None),
            ~_RESULT.exists(),
        ),
    ),
    "result_only_of_confirmed": (
        "results",
        _rows(
            results.join(allocations, allocations.c.id == results.c.allocation_id),
            results.c.id,
            allocations.c.status != AllocationStatus.CONFIRMED,
        ),
    ),
    "result_has_a_copy_for_each_desk": ("results", _rows(results, results.c.id, _COPIES != 3)),
    "result_is_acknowledged_with_its_copies": (
        "results",
        _rows(
            results,
            results.c.id,
            (results.c.status == ResultStatus.SENT) != _WAITING_COPY.exists(),
        ),
    ),
    "closed_waits_for_no_result": (
        "needs",
        _rows(needs, needs.c.id, needs.c.status == NeedStatus.CLOSED, _WAITING_RESULT.exists()),
    ),
    "offer_reserved": (
        "offers",
        _counter(
            offers.c.reserved,
            allocations.c.offer_id,
            allocations.c.units_drawn,
            tuple(sorted(OPEN_STATUSES)),
        ),
    ),
    "offer_delivered": (
        "offers",
        # What was lost on the way is gone, also where the allocation was cancelled in the end.
        _counter(
            offers.c.delivered,
            allocations.c.offer_id,
            allocations.c.lost_drawn
            + sa.case((allocations.c.status.in_(DELIVERED), allocations.c.units_drawn), else_=0),
            tuple(AllocationStatus),
        ),
    ),
    "offer_within_quantity": (
        "offers",
        _rows(
            offers,
            offers.c.id,
            sa.or_(
                offers.c.reserved < 0,
                offers.c.delivered < 0,
                offers.c.reserved + offers.c.delivered > offers.c.quantity,
            ),
        ),
    ),
    "need_covered": (
        "needs",
        _counter(needs.c.covered, allocations.c.need_id, allocations.c.units_served, LIVE),
    ),
    "need_within_quantity": (
        "needs",
        _rows(
            needs,
            needs.c.id,
            sa.or_(needs.c.covered < 0, needs.c.covered > needs.c.quantity),
        ),
    ),
    "services_are_needed_in_visits": (
        "needs",
        _rows(
            needs.join(categories, categories.c.id == needs.c.category_id),
            needs.c.id,
            (categories.c.kind == "SERVICE") != needs.c.visit_minutes.is_not(None),
        ),
    ),
    "services_are_drawn_in_minutes": (
        "allocations",
        _rows(
            allocations.join(needs, needs.c.id == allocations.c.need_id).join(
                offers, offers.c.id == allocations.c.offer_id
            ),
            allocations.c.id,
            offers.c.kind == "SERVICE",
            allocations.c.units_drawn != allocations.c.units_served * needs.c.visit_minutes,
        ),
    ),
    "published_only_with_consent": (
        "needs",
        _rows(needs, needs.c.id, needs.c.status == NeedStatus.PUBLISHED, ~_STANDING),
    ),
    "published_has_an_open_copy": (
        "needs",
        _rows(
            needs,
            needs.c.id,
            needs.c.status == NeedStatus.PUBLISHED,
            needs.c.covered < needs.c.quantity,
            ~_SHOWN,
        ),
    ),
    "open_copy_only_of_published": (
        "published_needs",
        _rows(
            published_needs.join(needs, needs.c.id == published_needs.c.need_id),
            published_needs.c.id,
            published_needs.c.is_open,
            needs.c.status != NeedStatus.PUBLISHED,
        ),
    ),
    "no_open_copy_of_covered": (
        "published_needs",
        _rows(
            published_needs.join(needs, needs.c.id == published_needs.c.need_id),
            published_needs.c.id,
            published_needs.c.is_open,
            needs.c.covered >= needs.c.quantity,
        ),
    ),
    "published_after_another_approved": (
        "needs",
        _rows(
            needs,
            needs.c.id,
            needs.c.status.in_(ONCE_PUBLISHED),
            needs.c.referral_id.is_not(None),
            ~_APPROVED_BY_ANOTHER,
        ),
    ),
    "nothing_reserved_without_consent": (
        "allocations",
        _rows(
            allocations.join(needs, needs.c.id == allocations.c.need_id),
            allocations.c.id,
            allocations.c.status.in_([AllocationStatus.RESERVED, AllocationStatus.ACCEPTED]),
            ~_STANDING,
        ),
    ),
    "cancelled_says_why": (
        "allocations",
        _rows(
            allocations,
            allocations.c.id,
            allocations.c.status == AllocationStatus.CANCELLED,
            sa.or_(
                allocations.c.cancel_reason.is_(None),
                allocations.c.cancel_reason.not_in(tuple(CancelReason)),
            ),
        ),
    ),
    "confirmed_counts_what_was_received": (
        "allocations",
        _rows(
            allocations,
            allocations.c.id,
            allocations.c.status == AllocationStatus.CONFIRMED,
            sa.or_(
                allocations.c.received_served != allocations.c.units_served,
                allocations.c.received_drawn != allocations.c.units_drawn,
            ),
        ),
    ),
    "on_its_way_counts_what_was_sent": (
        "allocations",
        _rows(
            allocations,
            allocations.c.id,
            allocations.c.status == AllocationStatus.DISPATCHED,
            sa.or_(
                allocations.c.sent_served != allocations.c.units_served,
                allocations.c.sent_drawn != allocations.c.units_drawn,
            ),
        ),
    ),
    "fulfilled_only_by_confirmed": (
        "needs",
        _rows(
            needs,
            needs.c.id,
            needs.c.status.in_([NeedStatus.FULFILLED, NeedStatus.CLOSED]),
            _CONFIRMED,
            sa.or_(needs.c.covered < needs.c.quantity, _UNCONFIRMED),
        ),
    ),
    "reserved_line_has_its_allocation": (
        "plan_lines",
        _rows(
            plan_lines,
            plan_lines.c.id,
            plan_lines.c.status == PlanLineStatus.RESERVED,
            ~_HAS_ALLOCATION,
        ),
    ),
    **GIVING_FACTS,
}
FACTS |= HOUSEHOLD_FACTS | DESK_FACTS
