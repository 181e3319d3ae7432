"""Results and their copies in the graph: each desk sees what was sent in its region."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
import strawberry

from marketplace.domain.exchange.ratings import RatingSide, side_of
from marketplace.domain.exchange.results import DESK_OF, Desk, ResultStatus, allowed_moves
from marketplace.domain.permissions import COUNTY_OFFICERS, PROVIDERS, STAFF, SUPERVISION, Role
from marketplace.persistence.tables.columns import UtcDateTime
from marketplace.persistence.tables.exchange import needs
from marketplace.persistence.tables.house import accounts
from marketplace.persistence.tables.results import result_copies, result_ratings, results
from schema.context import Context
from schema.enums import described
from schema.exchange.amounts import in_units, unit_served
from schema.readgraph.declare import (
    Cell,
    Columns,
    Condition,
    Descending,
    Edge,
    Entity,
    Scope,
    column,
    computed,
    for_viewer,
    many,
    node,
    one,
    root,
)
from schema.readgraph.references import referenced_by
from schema.registry.trees import in_region_of, of_household
from schema.scalars import Quantity

# Whoever uses the enums takes them from here, so that they are described before they are used.
__all__ = ["DESKS", "Desk", "Result", "ResultCopy", "ResultQuery", "ResultStatus"]

DESKS = COUNTY_OFFICERS | {Role.TOWNSHIP_OFFICER}
NOT_PROVIDERS = STAFF | {Role.APPLICANT}

described(
    Desk,
    "Who gets a copy of a result, and who replies to feedback.",
    {
        Desk.CHARITY: "慈善事业和社会工作口, the county's charity desk.",
        Desk.ASSISTANCE: "社会救助口, the county's assistance desk.",
        Desk.TOWNSHIP: "乡镇民政所, the township's civil affairs office.",
    },
)
described(
    ResultStatus,
    "Where a result, or one desk's copy of it, stands.",
    {
        ResultStatus.SENT: "sent and not yet acknowledged.",
        ResultStatus.ACKNOWLEDGED: "acknowledged; of a result: by every desk.",
    },
)


def _visible(row: Columns, scope: Scope) -> Condition:
    if scope.is_one_of(SUPERVISION):
        return sa.true()
    if scope.is_one_of(PROVIDERS):
        return sa.or_(
            row["organization_id"] == scope.organization_id,
            row["delivered_by_id"] == scope.organization_id,
        )
    if scope.role is Role.CHARITY_OFFICER:
        return in_region_of(scope, row["region_id"])
    need = needs.alias()
    household = sa.select(need.c.household_id).where(need.c.id == row["need_id"])
    return of_household(scope, household.scalar_subquery(), row["region_id"])


def _copy_visible(row: Columns, scope: Scope) -> Condition:
    """The desks see who of them acknowledged, each in its region."""
    if scope.is_one_of(SUPERVISION):
        return sa.true()
    return in_region_of(scope, row["region_id"]) if scope.is_one_of(DESKS) else sa.false()


def _overdue(row: Columns) -> Condition:
    now = sa.bindparam("now", type_=UtcDateTime())  # as Scope has it
    return sa.and_(row["status"] == ResultStatus.SENT, row["due_at"] <= now)


def _moves(context: Context, status: str, desk: str) -> list[str]:
    return list(allowed_moves(context.viewer, status=ResultStatus(status), desk=Desk(desk)))


def _waiting(desk: Desk) -> Cell:
    def cell(row: Columns) -> sa.ColumnElement[bool]:
        copy = result_copies.alias()
        sent = sa.select(copy.c.id).where(
            copy.c.result_id == row["id"],
            copy.c.desk == desk,
            copy.c.status == ResultStatus.SENT,
        )
        return sent.exists()

    return cell


def _unrated(side: RatingSide) -> Cell:
    def cell(row: Columns) -> sa.ColumnElement[bool]:
        rating = result_ratings.alias()
        rated = sa.select(rating.c.id).where(rating.c.result_id == row["id"], rating.c.side == side)
        return ~rated.exists()

    return cell


def _result_moves(context: Context, *open_: bool) -> list[str]:
    role = context.viewer.role
    waits = dict(zip((*Desk, *RatingSide), open_, strict=True))
    acknowledge = waits.get(DESK_OF[role], False) if role in DESK_OF else False
    side = side_of(role)
    rate = side is not None and waits[side]
    return ["resultAcknowledge"] * acknowledge + ["resultRate"] * rate


def _who(row: Columns) -> sa.ColumnElement[str]:
    account = accounts.alias()
    found = sa.select(account.c.name).where(account.c.id == row["acknowledged_by"])
    return found.scalar_subquery()


def _as_it_is(value: object) -> object:
    return value


@node(
    table=results,
    visible=_visible,
    order=(Descending("sentAt"),),
    description="结果反馈: what came of an allocation, told to the desks that took part. A "
    "provider sees what was received of its own, never by whom.",
)
class Result(Entity):
    reference: str = referenced_by("J", "sent_at")
    status: ResultStatus = column(
        "status", "ACKNOWLEDGED once every desk has.", filter=ResultStatus, order=True
    )
    received: Quantity = computed(
        ("units_received", unit_served), in_units, "What was received, in the need's unit."
    )
    delivered_at: datetime = column(
        "delivered_at", "When it was handed over.", filter=True, order=True
    )
    sent_at: datetime = column("sent_at", "When it was confirmed.", filter=True, order=True)
    due_at: datetime = column(
        "due_at", "By when the last desk must acknowledge it.", filter=True, order=True
    )
    acknowledged_at: datetime | None = column(
        "acknowledged_at", "When the last desk did.", filter=True, order=True
    )
    is_overdue: bool = computed((_overdue,), bool, "Whether its last day has passed.", filter=True)
    policy_version: str = column("policy_version", "Whose days count.", roles=STAFF)
    allocation: Edge = one("Allocation", "allocation_id", "Of what.", filter=True)
    need: Edge = one(
        "Need", "need_id", "The need; null for providers.", roles=NOT_PROVIDERS, filter=True
    )
    organization: Edge = one("Organization", "organization_id", "Who gave it.", filter=True)
    region: Edge = one(
        "Region", "region_id", "Where the household lives.", roles=STAFF, filter=True
    )
    copies: Edge = many("ResultCopy", "result_id", "One for each desk; shown to the desks.")
    ratings: Edge = many(
        "ResultRating", "result_id", "How the office and the provider rated each other."
    )
    allowed_moves: list[str] = for_viewer(
        (*map(_waiting, Desk), *map(_unrated, RatingSide)),
        _result_moves,
        "Mutations that the viewer may ask for now.",
    )


@node(
    table=result_copies,
    visible=_copy_visible,
    order=(Descending("sentAt"),),
    description="One desk's copy of a result, which that desk acknowledges.",
)
class ResultCopy(Entity):
    desk: Desk = column("desk", "Whose it is.", filter=Desk)
    status: ResultStatus = column("status", "Where it stands.", filter=ResultStatus, order=True)
    sent_at: datetime = column("sent_at", "When it was sent.", filter=True, order=True)
    due_at: datetime = column("due_at", "By when it must be acknowledged.", filter=True, order=True)
    acknowledged_at: datetime | None = column(
        "acknowledged_at", "When it was.", filter=True, order=True
    )
    is_overdue: bool = computed(
        (_overdue,), bool, "Whether its day has passed and it is not acknowledged.", filter=True
    )
    acknowledged_by: str | None = computed((_who,), _as_it_is, "By whom: the account's name.")
    escalated_at: datetime | None = column(
        "escalated_at", "When it was passed up for being late.", filter=True, order=True
    )
    allowed_moves: list[str] = for_viewer(
        ("status", "desk"), _moves, "Mutations that the viewer may ask for now."
    )
    result: Edge = one("Result", "result_id", "Of which result.", filter=True)
    region: Edge = one("Region", "region_id", "Where the household lives.", filter=True)


@strawberry.type
class ResultQuery:
    results: Edge = root("Result", "Results that the viewer may see, newest first.")
    result_copies: Edge = root(
        "ResultCopy", "Copies of results in the viewer's region, newest first; for the desks."
    )
