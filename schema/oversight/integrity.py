"""Integrity in the graph: cases, restrictions, appeals and the file's lines, and who sees them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
import strawberry

from marketplace.domain.days import last_day
from marketplace.domain.oversight.integrity import (
    AppealOutcome,
    CaseKind,
    CaseStatus,
    EntryKind,
    RecoveryKind,
    allowed_moves,
)
from marketplace.domain.permissions import COUNTY_OFFICERS, PROVIDERS, SUPERVISION, Role
from marketplace.domain.restrictions import RestrictionEnd, RestrictionScope
from marketplace.persistence.tables.house import accounts
from marketplace.persistence.tables.oversight import (
    integrity_appeals,
    integrity_cases,
    integrity_entries,
    integrity_findings,
    recoveries,
    restrictions,
)
from marketplace.persistence.tables.registry import households
from schema.context import Context
from schema.enums import described
from schema.readgraph.declare import (
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
from schema.readgraph.references import referenced
from schema.registry.categories import money
from schema.registry.trees import in_region_of
from schema.scalars import Money

DESKS = COUNTY_OFFICERS | SUPERVISION
# What was dismissed stands in nobody's file.
NOT_IN_THE_FILE = (CaseStatus.OPEN, CaseStatus.DISMISSED)

described(
    CaseKind,
    "What is alleged.",
    {
        CaseKind.FALSE_STATEMENT: "虚假申报, a household said what is not so.",
        CaseKind.CONCEALMENT: "隐瞒情况, a household kept income or property back.",
        CaseKind.FORGERY: "伪造材料, a household handed in forged papers.",
        CaseKind.ACCEPTED_NEVER_DELIVERED: "接受后未交付, a provider accepted and never delivered.",
        CaseKind.DEFECTIVE_GOODS: "物资不合格, a provider gave defective goods.",
    },
)
described(
    CaseStatus,
    "Where a case stands.",
    {
        CaseStatus.OPEN: "under examination; nothing is halted.",
        CaseStatus.FOUND: "found true by two people.",
        CaseStatus.RESTRICTED: "something is halted until an end.",
        CaseStatus.APPEALED: "an appeal waits for another person's decision.",
        CaseStatus.RECOVERED: "all that was ordered back is paid.",
        CaseStatus.CLOSED: "over; nothing is halted any more.",
        CaseStatus.DISMISSED: "not true or not proven; everything was put back.",
    },
)
described(
    RestrictionScope,
    "What a restriction halts.",
    {
        RestrictionScope.CHARITY: "慈善救助, what charity would give the household.",
        RestrictionScope.GOVERNMENT: "政府救助, what government would grant the household.",
        RestrictionScope.BOTH: "两者, both.",
        RestrictionScope.OFFERS: "供给, a provider's offers.",
    },
)
described(
    RestrictionEnd,
    "Why a restriction is over.",
    {
        RestrictionEnd.LAPSED: "期满, its last day has passed.",
        RestrictionEnd.CLOSED: "办结, its case was closed.",
        RestrictionEnd.DISMISSED: "撤销, its case was dismissed.",
    },
)
described(
    AppealOutcome,
    "What came of an appeal.",
    {
        AppealOutcome.REFUSED: "维持, the restriction stands.",
        AppealOutcome.GRANTED: "撤销, the case was dismissed and everything put back.",
    },
)
described(
    EntryKind,
    "What a line of the integrity file says.",
    {
        EntryKind.FOUND: "认定, found true by two people.",
        EntryKind.RESTRICTED: "限制, a restriction began.",
        EntryKind.RECOVERY_ORDERED: "责令退回, an amount is to be paid back.",
        EntryKind.RECOVERY_RECEIVED: "退回到账, part of it or all was received.",
        EntryKind.RECOVERED: "全部追回, nothing is due any more.",
        EntryKind.APPEALED: "申诉, an appeal was made.",
        EntryKind.APPEAL_REFUSED: "申诉维持, an appeal was decided and the restriction stands.",
        EntryKind.RESTRICTION_LAPSED: "限制期满, the restriction is over.",
        EntryKind.CLOSED: "办结, the case was closed.",
        EntryKind.DISMISSED: "撤销, the case was dismissed.",
    },
)
described(
    RecoveryKind,
    "A step of a recovery.",
    {
        RecoveryKind.ORDERED: "责令退回, the amount that is to be paid back.",
        RecoveryKind.RECEIVED: "到账, an amount that was received.",
    },
)


def _case_visible(row: Columns, scope: Scope) -> Condition:
    if scope.is_one_of(SUPERVISION):
        return sa.true()
    status: sa.ColumnElement[Any] = row["status"]
    # An allegation is no fact: until two people found it, only the desk that handles it knows of
    # it; nor does anybody else of one that was dropped before.
    found = row["found_at"].is_not(None)
    if scope.role is Role.CHARITY_OFFICER:
        return row["organization_id"].is_not(None)
    if scope.is_one_of(PROVIDERS):
        return sa.and_(row["organization_id"] == scope.organization_id, found)
    own = _is_own(row["household_id"], scope)
    if scope.role is Role.APPLICANT:
        return sa.and_(own, found)
    here = sa.and_(row["household_id"].is_not(None), _lives_in_region(row, scope), ~own)
    if scope.role is Role.ASSISTANCE_OFFICER:
        return here
    if scope.role is Role.TOWNSHIP_OFFICER:
        return sa.and_(here, status.not_in(NOT_IN_THE_FILE))
    return sa.false()


def _is_own(household_id: sa.ColumnElement[Any], scope: Scope) -> Condition:
    """Never unknown, also where the account has no household."""
    mine = accounts.alias()
    return (
        sa.select(mine.c.id)
        .where(mine.c.id == scope.account_id, mine.c.household_id == household_id)
        .exists()
    )


def _lives_in_region(row: Columns, scope: Scope) -> Condition:
    home = households.alias()
    region = sa.select(home.c.region_id).where(home.c.id == row["household_id"])
    return in_region_of(scope, region.scalar_subquery())


def _of_visible_case(row: Columns, scope: Scope) -> Condition:
    case = integrity_cases.alias()
    return (
        sa.select(case.c.id)
        .where(case.c.id == row["case_id"], _case_visible(case.c, scope))
        .exists()
    )


def _moves(context: Context, kind: str, status: str) -> list[str]:
    return list(allowed_moves(context.viewer, kind=CaseKind(kind), status=CaseStatus(status)))


def _people(row: Columns) -> sa.ColumnElement[Any]:
    return (
        sa.select(sa.func.count())
        .select_from(integrity_findings)
        .where(integrity_findings.c.case_id == row["id"])
        .scalar_subquery()
    )


def _due(row: Columns) -> sa.ColumnElement[Any]:
    ordered = sa.func.coalesce(row["recovery_ordered_fen"], 0)
    due = ordered - row["recovery_received_fen"]
    return sa.case((row["status"] == CaseStatus.DISMISSED, 0), else_=due)


def _to_refund(row: Columns) -> sa.ColumnElement[Any]:
    return sa.case((row["status"] == CaseStatus.DISMISSED, row["recovery_received_fen"]), else_=0)


def _as_it_is(value: object) -> object:
    return value


def _last_day(ends_at: str) -> date:
    return last_day(datetime.fromisoformat(ends_at))


def _stands(context: Context, ends_at: str, ended_at: str | None) -> bool:
    return ended_at is None and datetime.fromisoformat(ends_at) > context.database.now()


@node(
    table=integrity_cases,
    visible=_case_visible,
    order=(Descending("createdAt"),),
    description="诚信事项: what is alleged of a household or a provider, and what came of it. What "
    "people typed about it is read by `integrityCaseTexts` alone.",
)
class IntegrityCase(Entity):
    reference: str = referenced("I")
    kind: CaseKind = column("kind", "What is alleged.", filter=CaseKind)
    status: CaseStatus = column("status", "Where it stands.", filter=CaseStatus, order=True)
    people: int = computed(
        (_people,), _as_it_is, "How many people found it true; two make it so.", roles=DESKS
    )
    recovery_ordered: Money | None = computed(
        ("recovery_ordered_fen",), money, "What is to be paid back; null: nothing was ordered."
    )
    recovery_received: Money = computed(
        ("recovery_received_fen",), money, "What was paid back so far."
    )
    recovery_due: Money = computed((_due,), money, "What is still to be paid back.")
    refund_due: Money = computed(
        (_to_refund,), money, "What was paid back though the case was dismissed: owed to the payer."
    )
    created_at: datetime = column("created_at", "When it was opened.", filter=True, order=True)
    found_at: datetime | None = column("found_at", "When the second person found it true.")
    ended_at: datetime | None = column("ended_at", "When it was closed or dismissed.")
    version: int = column("version", "Goes up with every change; for `expectedVersion`.")
    allowed_moves: list[str] = for_viewer(
        ("kind", "status"), _moves, "Mutations that the viewer may ask for now."
    )
    household: Edge = one("Household", "household_id", "The household it is about.", filter=True)
    organization: Edge = one(
        "Organization", "organization_id", "The provider it is about.", filter=True
    )
    allocation: Edge = one("Allocation", "allocation_id", "What the provider did not deliver.")
    restriction: Edge = one("Restriction", "id", "What it halts.", there="case_id")
    recoveries: Edge = many("Recovery", "case_id", "Orders and receipts of what is paid back.")
    appeals: Edge = many("IntegrityAppeal", "case_id", "Appeals against it.")
    entries: Edge = many("IntegrityEntry", "case_id", "What stands of it in the integrity file.")


@node(
    table=restrictions,
    visible=_of_visible_case,
    order=(Descending("startsAt"),),
    description="限制措施: what a household or a provider is kept from, and until when.",
)
class Restriction(Entity):
    scope: RestrictionScope = column("scope", "What it halts.", filter=RestrictionScope)
    starts_at: datetime = column("starts_at", "Since when.", filter=True, order=True)
    ends_on: date = computed(("ends_at",), _last_day, "Its last day, by the county's calendar.")
    in_force: bool = for_viewer(("ends_at", "ended_at"), _stands, "Whether it halts anything now.")
    ended_at: datetime | None = column("ended_at", "When it was over; null: not yet.", filter=True)
    end_reason: RestrictionEnd | None = column("end_reason", "Why it is over.")
    case: Edge = one("IntegrityCase", "case_id", "The case it follows from.")


@node(
    table=recoveries,
    visible=_of_visible_case,
    order=(Descending("recordedAt"),),
    description="追回: an amount that was ordered back, or received.",
)
class Recovery(Entity):
    kind: RecoveryKind = column("kind", "Ordered or received.")
    amount: Money = computed(("amount_fen",), money, "How much.")
    received_on: date | None = column("received_on", "On which day it was received.")
    receipt: str | None = column("receipt", "The receipt's number.")
    recorded_at: datetime = column("recorded_at", "When it was written down.", order=True)


@node(
    table=integrity_appeals,
    visible=_of_visible_case,
    order=(Descending("appealedAt"),),
    description="申诉: an appeal against a restriction.",
)
class IntegrityAppeal(Entity):
    appealed_at: datetime = column("appealed_at", "When it was made.", order=True)
    decided_at: datetime | None = column("decided_at", "When it was decided; null: it waits.")
    outcome: AppealOutcome | None = column("outcome", "What came of it.")


@node(
    table=integrity_entries,
    visible=_of_visible_case,
    order=(Descending("enteredAt"),),
    description="诚信档案: one line of a household's or a provider's integrity file.",
)
class IntegrityEntry(Entity):
    kind: EntryKind = column("kind", "What it says.", filter=EntryKind)
    amount: Money | None = computed(
        ("amount_fen",), money, "Of what is ordered or received back: how much."
    )
    entered_at: datetime = column("entered_at", "When it was entered.", filter=True, order=True)
    case: Edge = one("IntegrityCase", "case_id", "Its case, with scope, end and appeals.")


@strawberry.type
class IntegrityQuery:
    integrity_cases: Edge = root(
        "IntegrityCase",
        "Cases that the viewer may see, newest first: each desk its own, the accused once it was "
        "found true, the township what stands in a household's file.",
    )
