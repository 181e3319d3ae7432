"""Plans in the graph: runs of the optimizer with their lines and their proof."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

import sqlalchemy as sa
import strawberry

from marketplace.domain.exchange.plans import (
    ApprovalRules,
    LeftOutReason,
    PlanKind,
    PlanLineStatus,
    PlanStatus,
    allowed_moves,
)
from marketplace.domain.permissions import COUNTY_OFFICERS, SUPERVISION
from marketplace.persistence.tables.exchange import needs, plan_lines, plans
from marketplace.persistence.tables.house import jobs
from marketplace.persistence.tables.pledges import plan_edits
from marketplace.services.exchange.plan_report import SHOWN
from marketplace.services.exchange.report_links import link
from marketplace.services.registry.sealing import sealer_of
from schema.context import Context
from schema.enums import described
from schema.exchange.amounts import days_of, in_units, unit_drawn, unit_served
from schema.exchange.explained import PlanLineReason, reason_of
from schema.exchange.needs import visible as visible_need
from schema.exchange.plans_changes import PlanChanges, changes_of
from schema.exchange.plans_comparison import PlanComparison, comparison_of
from schema.exchange.plans_proof import (
    PlanLeftAside,
    PlanPolicy,
    PlanProof,
    left_aside_of,
    policy_of,
    proof_of,
)
from schema.readgraph.declare import (
    Ascending,
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
from schema.registry.trees import within_reach
from schema.scalars import BigInt, Quantity

described(
    PlanKind,
    "What a plan is for.",
    {
        PlanKind.PROPOSAL: "方案, may be approved.",
        PlanKind.SIMULATION: "模拟, shows what would be; never approved.",
    },
)
described(
    PlanStatus,
    "Where a plan stands.",
    {
        PlanStatus.QUEUED: "waits for a worker.",
        PlanStatus.RUNNING: "is being computed.",
        PlanStatus.PROPOSED: "is there to be approved or discarded.",
        PlanStatus.APPROVED: "its lines were reserved as far as they still fitted.",
        PlanStatus.DISCARDED: "was put aside.",
        PlanStatus.CANCELLED: "was stopped.",
        PlanStatus.FAILED: "could not be computed; says why.",
    },
)
described(
    PlanLineStatus,
    "Where a line of a plan stands.",
    {
        PlanLineStatus.PROPOSED: "its plan is not approved yet.",
        PlanLineStatus.RESERVED: "became an allocation.",
        PlanLineStatus.LEFT_OUT: "no longer fitted when the plan was approved.",
    },
)
described(
    LeftOutReason,
    "Why approval did not reserve a line: what had changed since the plan was made.",
    {
        LeftOutReason.NEED_NOT_IN_MARKET: "The need was withdrawn, closed or expired.",
        LeftOutReason.NEED_COVERED: "Less of the need is open than the line would give.",
        LeftOutReason.QUANTITY_MIN: "The need would get less than is of use to it.",
        LeftOutReason.OWN_HOUSEHOLD: "The approver's own household: ask a colleague.",
        LeftOutReason.OFFER_NOT_IN_MARKET: "The offer was paused, closed or expired.",
        LeftOutReason.OFFER_CHANGED: "The offer was changed after the plan was made.",
        LeftOutReason.OFFER_USED_UP: "Less of the offer is left than the line would draw.",
        LeftOutReason.HOUSEHOLD_MAX: "The household would get more than the offer allows.",
        LeftOutReason.DELIVERIES_MAX: "The offer's deliveries are used up.",
        LeftOutReason.DELIVERY_MIN: "The offer gives more per delivery, or nothing.",
        LeftOutReason.VISITS_MAX: "The days that remain of the service do not hold the visits.",
    },
)

READERS = COUNTY_OFFICERS | SUPERVISION


def _visible(row: Columns, scope: Scope) -> Condition:
    """Both desks, plans of their region; one without a region is supervision's alone."""
    if not scope.is_one_of(READERS):
        return sa.false()
    return within_reach(scope, row["region_id"])


def _editors(row: Columns) -> sa.ColumnElement[str]:
    """The accounts that edited the plan, as one text."""
    edit = plan_edits.alias()
    key = sa.cast(edit.c.edited_by, sa.Text)
    found = sa.select(sa.func.aggregate_strings(key, ",")).where(edit.c.plan_id == row["id"])
    return found.scalar_subquery()


def _moves(
    context: Context, status: str, kind: str, created_by: int, editors: str | None
) -> list[str]:
    rules = ApprovalRules(self_approval=context.settings.plan_self_approval)
    return list(
        allowed_moves(
            context.viewer,
            status=PlanStatus(status),
            kind=PlanKind(kind),
            created_by=created_by,
            rules=rules,
            edited_by=[int(key) for key in (editors or "").split(",") if key],
        )
    )


def _error(context: Context, error: Mapping[str, str] | None) -> str | None:
    if error is None:
        return None
    return error.get("zh" if context.viewer.language == "zh-CN" else "en")


def _report_link(context: Context, key: int, created_at: str, status: str) -> str | None:
    """For the holder of this key only; there is nothing to see before the plan is computed."""
    account_id, digest = context.viewer.account_id, context.key_digest
    if PlanStatus(status) not in SHOWN or account_id is None or digest is None:
        return None
    return link(
        sealer_of(context.settings),
        plan_id=key,
        year=int(created_at[:4]),
        account_id=account_id,
        key_digest=digest,
        now=context.database.now(),
    )


def _progress(row: Columns) -> sa.ColumnElement[float]:
    job = jobs.alias()
    return sa.select(job.c.progress).where(job.c.id == row["job_id"]).scalar_subquery()


@node(
    table=plans,
    visible=_visible,
    order=(Descending("createdAt"),),
    description="匹配方案: one run of the optimizer, with its lines and its proof.",
)
class Plan(Entity):
    reference: str = referenced("M")
    kind: PlanKind = column("kind", "What it is for.", filter=PlanKind)
    status: PlanStatus = column("status", "Where it stands.", filter=PlanStatus, order=True)
    progress: float = computed((_progress,), float, "How much of the computation is done, 0 to 1.")
    policy: PlanPolicy = computed(("policy",), policy_of, "The order of precedence it was made by.")
    input_digest: str | None = column(
        "input_digest", "SHA-256 of the problem that was solved; equal inputs, equal digest."
    )
    need_count: int | None = column("need_count", "How many needs took part.")
    offer_count: int | None = column("offer_count", "How many offers took part.")
    pair_count: BigInt | None = column("pair_count", "How many pairs could have been matched.")
    units_asked: BigInt | None = column("units_asked", "Units that were open in all.")
    units_served: BigInt | None = column("units_served", "Units that the plan serves.")
    needs_served: int | None = column("needs_served", "Needs that get at least one unit.")
    cost: BigInt | None = column("cost", "Metres times units, over all lines.")
    proof: PlanProof | None = for_viewer(
        ("proof", "left_aside"),
        proof_of,
        "How good it is proven to be; null before it is computed.",
    )
    left_aside: list[PlanLeftAside] = computed(
        ("left_aside",), left_aside_of, "What could not be planned, and why."
    )
    changes: PlanChanges | None = computed(
        ("changes",), changes_of, "Of a simulation: what it changes in its base plan."
    )
    comparison: PlanComparison | None = for_viewer(
        ("comparison",),
        comparison_of,
        "Of a simulation, or of a plan around edits: how it compares with its base plan.",
    )
    error: str | None = for_viewer(
        ("error",), _error, "What went wrong and what to do, if it failed."
    )
    report_link: str | None = for_viewer(
        ("id", "created_at", "status"),
        _report_link,
        "Path of its picture for a browser, on this server: good for 30 minutes and only as long "
        "as the key that asked for it; whoever has it can open it. Null until it is computed.",
    )
    created_at: datetime = column("created_at", "When it was asked for.", filter=True, order=True)
    started_at: datetime | None = column("started_at", "When its computation began.")
    finished_at: datetime | None = column(
        "finished_at", "When its computation ended.", filter=True, order=True
    )
    decided_at: datetime | None = column("decided_at", "When it was approved or discarded.")
    version: int = column("version", "Goes up with every change; for `expectedVersion`.")
    allowed_moves: list[str] = for_viewer(
        ("status", "kind", "created_by", _editors),
        _moves,
        "Mutations that the viewer may ask for now.",
    )
    region: Edge = one("Region", "region_id", "Needs of this subtree only; null: all.")
    category: Edge = one("Category", "category_id", "Needs of this subtree only; null: all.")
    base: Edge = one(
        "Plan",
        "base_plan_id",
        "Of a simulation: the plan that it changes. Of a plan around edits: the one edited.",
    )
    edits: Edge = many("PlanEdit", "plan_id", "What people settled; the rest is planned around.")
    lines: Edge = many("PlanLine", "plan_id", "Who gets what from whom.")


def line_visible(row: Columns, scope: Scope) -> Condition:
    """Both desks, as far as the need that it serves is of their region."""
    if not scope.is_one_of(READERS):
        return sa.false()
    need = needs.alias()
    region = sa.select(need.c.region_id).where(need.c.id == row["need_id"])
    return within_reach(scope, region.scalar_subquery())


def _need_visible(row: Columns, scope: Scope) -> Condition:
    need = needs.alias()
    seen = sa.select(need.c.id).where(need.c.id == row["need_id"], visible_need(need.c, scope))
    return seen.exists()


def _whole_km(metres: int | None) -> int | None:
    """Rounded, since exact distances from three offers would say where a household lives."""
    return None if metres is None else -(-metres // 1_000)


@node(
    table=plan_lines,
    visible=line_visible,
    order=(Ascending("id"),),
    description="One line of a plan: so much of this offer for that need.",
)
class PlanLine(Entity):
    status: PlanLineStatus = column("status", "Where it stands.", filter=PlanLineStatus, order=True)
    left_out_reason: LeftOutReason | None = column(
        "left_out_reason", "Why approval did not reserve it.", filter=LeftOutReason
    )
    served: Quantity = computed(
        ("units_served", unit_served), in_units, "What the need gets, in the need's unit."
    )
    drawn: Quantity = computed(
        ("units_drawn", unit_drawn), in_units, "What the offer gives, in the offer's unit."
    )
    visits: list[date] | None = computed(
        ("visit_days",),
        days_of,
        "Of a service: suggested days of its visits, with no day of the offer given away twice and "
        "one visit at most in each span of a recurring need; fewer than visits where the days do "
        "not hold them. Null of goods and cash.",
    )
    distance_km: int | None = computed(
        ("cost",),
        _whole_km,
        "From the offer to the household, in whole kilometres, rounded up; null where you may not "
        "see the need.",
        only=_need_visible,
    )
    reason: PlanLineReason | None = for_viewer(
        ("plan_id", "need_id", "offer_id", "units_served", unit_served),
        reason_of,
        "Why the plan has it; null of plans from before this was kept.",
    )
    plan: Edge = one("Plan", "plan_id", "The plan it is of.", filter=True)
    need: Edge = one("Need", "need_id", "Whom it serves.", filter=True)
    offer: Edge = one("Offer", "offer_id", "What it draws on.", filter=True)
    allocation: Edge = one(
        "Allocation", "id", "What it became when it was reserved.", there="plan_line_id"
    )


@strawberry.type
class PlanQuery:
    plans: Edge = root("Plan", "Plans, newest first; for the county's officers.")
