"""Nightly plans: once a day, at the hour that the charity desk set, a plan is asked for."""

from __future__ import annotations

from marketplace.domain.days import county_day
from marketplace.domain.events import Event
from marketplace.domain.exchange.plans import PlanKind, PlanStatus
from marketplace.domain.exchange.schedules import ScheduleKind
from marketplace.persistence import events, jobs
from marketplace.persistence.database import Database, Row, Writing
from marketplace.persistence.exchange import plans
from marketplace.services.exchange import schedules
from marketplace.services.exchange.plan_job import KIND
from marketplace.services.jobs import bell_of


async def plan_tonight(database: Database) -> int:
    """Ask for the plans whose hour has come; how many. A chore, not a request."""
    done = await schedules.run_due(database, ScheduleKind.NIGHTLY_PLAN, _enqueue)
    if done:
        bell_of(database).ring()
    return done


async def _enqueue(db: Writing, database: Database, schedule: Row) -> None:
    """A proposal in the name of whoever set the schedule, who may not approve it either."""
    now = database.now()
    night = county_day(now).isoformat()
    key = f"nightly-plan:{schedule['region_id']}:{night}"
    job_id = await jobs.enqueue(db, kind=KIND, payload={}, dedupe_key=key)
    if await plans.of_job(db, job_id) is not None:
        return  # a schedule that was set anew after it ran today
    values = {
        "kind": PlanKind.PROPOSAL,
        "status": PlanStatus.QUEUED,
        "job_id": job_id,
        "region_id": schedule["region_id"],
        "policy": schedule["policy"],
        "created_by": schedule["set_by"],
        "created_at": now,
    }
    plan_id = await plans.add(db, values)
    told = {"schedule": schedule["id"], "order": schedule["policy"]["order"]}
    await events.append(
        db, Event(kind="plan.created", at=now, entity="Plan", entity_id=plan_id, data=told)
    )
