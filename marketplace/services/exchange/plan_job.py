"""A plan's job: what the optimizer is told, and writing its answer down once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from marketplace.domain.errors import Text
from marketplace.domain.events import Event
from marketplace.domain.exchange.plans import UNFINISHED, PlanStatus
from marketplace.domain.jobs import Job, LeaseLost
from marketplace.persistence import events
from marketplace.persistence.database import Database, Row, Writing
from marketplace.persistence.exchange import plan_records, plans
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
GONE = Text("The plan of this job is no longer there.", "该任务对应的方案已不存在。")


async def request(database: Database, job: Job) -> Values:
    """Mark the plan as running and say what to compute. Raises LeaseLost if it has ended."""
    now = database.now()
    async with database.write() as db:
        plan = await _plan(db, job)
        if not await plans.change(db, plan["id"], plans.begun(now), was=UNFINISHED):
            raise LeaseLost(f"Plan {plan['id']} of job {job.id} has ended.")
    return {
        "database_url": database.url.render_as_string(hide_password=False),
        "now": now.isoformat(),
        "region_id": plan["region_id"],
        "category_id": plan["category_id"],
        "policy": plan["policy"],
        "base_plan_id": plan["base_plan_id"],
        "changes": plan["changes"],
    }


async def settle(db: Writing, database: Database, job: Job, result: Values) -> None:
    """Write lines, proof, totals and event in the transaction that ends the job."""
    plan = await _plan(db, job)
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
