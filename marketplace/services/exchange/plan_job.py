"""A plan's job: what the optimizer is told, and writing its answer down once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from marketplace.domain.errors import Text
from marketplace.domain.events import Event
from marketplace.domain.exchange.plans import UNFINISHED, PlanKind, PlanStatus
from marketplace.domain.jobs import Job, LeaseLost
from marketplace.persistence import events
from marketplace.persistence.database import Database, Row, Writing
from marketplace.persistence.exchange import plan_edits, plan_records, plans
from marketplace.services.exchange import plan_records as records
from marketplace.services.exchange import rotas
from marketplace.services.jobs import JobFailed, Kind, Values

KIND = "plan"
# What the child answers about the plan as a whole; its lines come apart.
TOTALS = (
    "input_digest",
    "need_count",
    "offer_count",
    "pair_count",
    "units_asked",
    "units_served",
    "needs_served",
    "cost",
    "proof",
    "left_aside",
)
BASE_APPROVED = Text(
    "The plan that was edited has been approved meanwhile. Run a new plan for what is still open.",
    "被调整的方案已在此期间获批。请针对仍未满足的部分重新运行方案。",
)
GONE = Text("The plan of this job is no longer there.", "该任务对应的方案已不存在。")


async def request(database: Database, job: Job) -> Values:
    """Mark the plan as running and say what to compute. Raises LeaseLost if it has ended."""
    now = database.now()
    async with database.write() as db:
        plan = await _plan(db, job)
        if not await plans.change(db, plan["id"], plans.begun(now), was=UNFINISHED):
            raise LeaseLost(f"Plan {plan['id']} of job {job.id} has ended.")
        edits = await plan_edits.of_plan(db, plan["id"])
    return {
        "database_url": database.url.render_as_string(hide_password=False),
        "now": now.isoformat(),
        "region_id": plan["region_id"],
        "category_id": plan["category_id"],
        "policy": plan["policy"],
        "changes": plan["changes"],
        **_base(plan, edits),
    }


async def settle(db: Writing, database: Database, job: Job, result: Values) -> None:
    """Write lines, proof, totals and event in the transaction that ends the job.

    The plan that it was edited from is discarded; if that was approved meanwhile, this one fails.
    """
    plan = await _plan(db, job)
    if not await _superseded(db, database, plan):
        await give_up(db, database, job, JobFailed("BASE_APPROVED", BASE_APPROVED))
        return
    lines = cast("Mapping[str, list[int]]", result["lines"])
    values = {name: result[name] for name in TOTALS}
    values |= {"comparison": result.get("comparison")}
    values |= {"status": PlanStatus.PROPOSED, "finished_at": database.now()}
    if not await plans.change(db, plan["id"], values, was=UNFINISHED):
        raise LeaseLost(f"Plan {plan['id']} of job {job.id} has ended.")
    await plans.add_lines(db, plan["id"], lines)
    await rotas.propose(db, plan["id"], now=database.now())
    await _record(db, database, plan["id"], result)
    told = {name: result[name] for name in ("need_count", "needs_served", "cost")}
    await events.append(
        db, _event(database, "plan.proposed", plan, lines=len(lines["need_id"]), **told)
    )


def _base(plan: Row, edits: Sequence[Row]) -> Values:
    """The plan that this one begins from: simulated from it, or edited."""
    simulated = plan["kind"] == PlanKind.SIMULATION
    return {
        "base_plan_id": plan["base_plan_id"] if simulated else None,
        "edited_plan_id": None if simulated else plan["base_plan_id"],
        "edits": [[each["need_id"], each["offer_id"], each["units"] or 0] for each in edits],
    }


async def _superseded(db: Writing, database: Database, plan: Row) -> bool:
    """Discard the plan that this one was edited from; False if it was approved meanwhile."""
    if plan["kind"] == PlanKind.SIMULATION or plan["base_plan_id"] is None:
        return True
    base = await plans.lock(db, plan["base_plan_id"])
    assert base is not None, "plans are never deleted"
    if base["status"] == PlanStatus.APPROVED:
        return False
    if base["status"] == PlanStatus.PROPOSED:
        values = {
            "status": PlanStatus.DISCARDED,
            "decided_at": database.now(),
            "version": base["version"] + 1,
        }
        await plans.change(db, base["id"], values, was=frozenset({PlanStatus.PROPOSED}))
        await events.append(db, _event(database, "plan.superseded", base, by=plan["id"]))
    return True


async def _record(db: Writing, database: Database, plan_id: int, result: Values) -> None:
    explained = result["explained"]
    await plan_records.add(
        db,
        plan_id,
        market=records.from_text(str(result["market"])),
        explained=None if explained is None else records.from_text(str(explained)),
        now=database.now(),
    )


async def give_up(db: Writing, database: Database, job: Job, failed: JobFailed) -> None:
    """Mark the plan as failed and say why; without a plan there is nobody to tell."""
    plan = await plans.of_job(db, job.id)
    if plan is None:
        return
    error = {"code": failed.code, "en": failed.said.en, "zh": failed.said.zh}
    values = {"status": PlanStatus.FAILED, "finished_at": database.now(), "error": error}
    if await plans.change(db, plan["id"], values, was=UNFINISHED):
        await events.append(db, _event(database, "plan.failed", plan, code=failed.code))


async def _plan(db: Writing, job: Job) -> Row:
    plan = await plans.of_job(db, job.id)
    if plan is None:
        raise JobFailed("GONE", GONE)
    return plan


def _event(database: Database, kind: str, plan: Row, **data: object) -> Event:
    return Event(
        kind=kind,
        at=database.now(),
        entity="Plan",
        entity_id=plan["id"],
        account_id=None,
        data=data,
    )


PLAN = Kind(
    compute="marketplace.services.exchange.simulation:compute",
    request=request,
    settle=settle,
    give_up=give_up,
)
