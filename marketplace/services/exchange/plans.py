"""Plans: asking for one, stopping it, following it, and deciding on what it proposes."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass

from marketplace.domain.errors import (
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
    Text,
    Unauthenticated,
)
from marketplace.domain.exchange.plans import (
    UNFINISHED,
    WAITING_MAX,
    ApprovalRules,
    PlanKind,
    PlanPolicy,
    PlanStatus,
    check_approver,
    check_move,
)
from marketplace.domain.moves import check_version
from marketplace.domain.permissions import COUNTY_OFFICERS, SUPERVISION, Role, Viewer
from marketplace.persistence import jobs
from marketplace.persistence.database import Database, Row, Writing
from marketplace.persistence.exchange import facts, plan_edits, plans
from marketplace.services.acting import Act, Turn, once, record
from marketplace.services.exchange import allocations
from marketplace.services.exchange.plan_job import KIND
from marketplace.services.jobs import bell_of

POLL_S = 0.5
FOLLOWERS = COUNTY_OFFICERS | SUPERVISION


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatePlan:
    """Plan the needs of a region's and a category's subtree; none: all that the viewer may."""

    kind: PlanKind = PlanKind.PROPOSAL
    policy: PlanPolicy
    region_id: int | None = None
    category_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MovePlan:
    plan_id: int
    expected_version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanProgress:
    """Where a plan is; `share` of the work done, 0 to 1."""

    plan_id: int
    status: PlanStatus
    share: float
    stage: str
    attempt: int


async def create(database: Database, act: Act, command: CreatePlan) -> int:
    """Put a plan and its job in the queue, in one transaction; the plan's key.

    Several plans of one scope may wait at a time: each stands for a question of its own, and only
    approval reserves. Raises Forbidden outside the viewer's region, InvalidInput for an unknown
    region or category, Conflict where the account has too many plans waiting.
    """
    async with once(database, act, "planCreate") as turn:
        if turn.replay is not None:
            return _key(turn.replay["plan"])
        command.policy.check()
        region_id = await _scope(turn.db, act.viewer, command)
        job_id = await jobs.enqueue(turn.db, kind=KIND, payload={})
        plan_id = await plans.add(
            turn.db,
            {
                "kind": command.kind,
                "status": PlanStatus.QUEUED,
                "job_id": job_id,
                "region_id": region_id,
                "category_id": command.category_id,
                "policy": command.policy.to_json(),
                "created_by": act.viewer.account_id,
                "created_at": database.now(),
            },
        )
        await record(turn, database, "plan.created", "Plan", plan_id, order=command.policy.order)
        turn.outcome = {"plan": plan_id}
    bell_of(database).ring()
    return plan_id


async def cancel(database: Database, act: Act, command: MovePlan) -> int:
    """Stop a plan that waits or runs; it is cancelled at once, its computation right after."""
    async with once(database, act, "planCancel") as turn:
        if turn.replay is not None:
            return _key(turn.replay["plan"])
        found = await plans.find(turn.db, command.plan_id)
        if found is None:
            raise NotFound
        # The job's row first, as the worker does when it ends a job.
        await jobs.cancel(turn.db, found["job_id"])
        row = await for_move(turn, "planCancel", command)
        values = {
            "status": PlanStatus.CANCELLED,
            "finished_at": database.now(),
            "version": row["version"] + 1,
        }
        await plans.change(turn.db, command.plan_id, values, was=UNFINISHED)
        await record(turn, database, "plan.cancelled", "Plan", command.plan_id)
        turn.outcome = {"plan": command.plan_id}
    bell_of(database).ring()
    return command.plan_id


async def approve(database: Database, act: Act, command: MovePlan, rules: ApprovalRules) -> int:
    """Reserve what the plan proposes, line by line as far as it still fits; the plan's key.

    A line that no longer fits is left out with its reason; nothing is forced. Raises Conflict from
    a wrong state, for a simulation, and (code FOUR_EYES) for whoever ran the plan.
    """
    async with once(database, act, "planApprove") as turn:
        if turn.replay is not None:
            return _key(turn.replay["plan"])
        row = await for_move(turn, "planApprove", command)
        check_approver(
            PlanKind(row["kind"]),
            created_by=row["created_by"],
            account_id=act.viewer.account_id,
            rules=rules,
            edited_by=await plan_edits.editors(turn.db, command.plan_id),
        )
        done = await allocations.reserve_plan(turn, database, command.plan_id, rules)
        await _decide(turn, database, row, PlanStatus.APPROVED)
        told = {"reserved": done.reserved, "left_out": done.left_out}
        await record(turn, database, "plan.approved", "Plan", command.plan_id, **told)
        turn.outcome = {"plan": command.plan_id}
    return command.plan_id


async def discard(database: Database, act: Act, command: MovePlan) -> int:
    """Put a proposed plan aside for good."""
    async with once(database, act, "planDiscard") as turn:
        if turn.replay is not None:
            return _key(turn.replay["plan"])
        row = await for_move(turn, "planDiscard", command)
        await _decide(turn, database, row, PlanStatus.DISCARDED)
        await record(turn, database, "plan.discarded", "Plan", command.plan_id)
        turn.outcome = {"plan": command.plan_id}
    return command.plan_id


async def follow(
    database: Database, plan_id: int, viewer: Callable[[], Awaitable[Viewer]]
) -> AsyncGenerator[PlanProgress, None]:
    """Where the plan is, at once and whenever that changes, until it is finished.

    viewer   who follows, as the database knows it now: asked before every event

    Raises NotFound or Forbidden as soon as the viewer may not know of it any more. Following again
    after a lost connection begins with where the plan is then.
    """
    said: PlanProgress | None = None
    while True:
        who = await viewer()
        async with database.read() as db:
            row = await plans.progress(db, plan_id)
        check_reader(who, row)
        assert row is not None
        now = _progress(row)
        if now != said:
            yield now
            said = now
        if now.status not in UNFINISHED:
            return
        await bell_of(database).heard(POLL_S)


def in_reach(viewer: Viewer, region_low: int | None) -> bool:
    """Whether the plan's region lies in the viewer's; a plan without one lies in nobody's."""
    return region_low is not None and viewer.region_low <= region_low <= viewer.region_high


def check_reader(viewer: Viewer, row: Row | None) -> None:
    """Raise unless the viewer may know of a plan, given with its `region_low`; None: of none."""
    if viewer.role not in FOLLOWERS:
        raise Unauthenticated if viewer.role is Role.PUBLIC else Forbidden
    everywhere = viewer.role in SUPERVISION
    if row is None or not (everywhere or in_reach(viewer, row["region_low"])):
        raise NotFound


def _progress(row: Row) -> PlanProgress:
    status = PlanStatus(row["status"])
    return PlanProgress(
        plan_id=row["id"],
        status=status,
        share=1.0 if status not in UNFINISHED else float(row["progress"]),
        stage=row["stage"],
        attempt=row["attempt"],
    )


async def _scope(db: Writing, viewer: Viewer, command: CreatePlan) -> int:
    """The plan's region, within the viewer's own. Raises Forbidden, InvalidInput, Conflict."""
    if viewer.region_id is None or viewer.account_id is None:
        raise Forbidden
    region_id = command.region_id if command.region_id is not None else viewer.region_id
    region = await plans.region(db, region_id)
    if region is None:
        raise InvalidInput.of(
            "region_id", "There is no such region.", "没有此行政区划。", code="NOT_FOUND"
        )
    if not viewer.region_low <= region["tree_low"] <= viewer.region_high:
        raise Forbidden
    if command.category_id is not None and await facts.category(db, command.category_id) is None:
        raise InvalidInput.of(
            "category_id", "There is no such category.", "没有此类别。", code="NOT_FOUND"
        )
    if await plans.unfinished_of(db, viewer.account_id) >= WAITING_MAX:
        raise Conflict.of(
            "",
            f"You have {WAITING_MAX} plans waiting or running. Wait for them, or cancel some.",
            f"您已有 {WAITING_MAX} 个方案在排队或计算，请等待完成或先取消部分方案。",
            code="TOO_MANY",
        )
    return region_id


async def for_move(turn: Turn, move: str, command: MovePlan) -> Row:
    """The plan, locked. Raises NotFound, or Conflict where it is stale or in another state."""
    row = await plans.lock(turn.db, command.plan_id)
    if row is None or not in_reach(turn.act.viewer, row["region_low"]):
        raise NotFound
    check_move(move, PlanStatus(row["status"]))
    check_version(Text("plan", "方案"), command.expected_version, row["version"])
    return row


async def _decide(turn: Turn, database: Database, row: Row, status: PlanStatus) -> None:
    values: dict[str, object] = {
        "status": status,
        "decided_at": database.now(),
        "version": row["version"] + 1,
    }
    if status is PlanStatus.APPROVED:
        values["approved_by"] = turn.act.viewer.account_id
    changed = await plans.change(turn.db, row["id"], values, was=frozenset({PlanStatus.PROPOSED}))
    assert changed, "the row is locked, and was proposed"


def _key(value: object) -> int:
    assert isinstance(value, int), "an outcome keeps keys"
    return value
