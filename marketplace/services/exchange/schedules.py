"""Schedules: a desk says on which days the house plans or prepares a referral by itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from marketplace.domain.days import county_day
from marketplace.domain.errors import Forbidden, InvalidInput, NotFound
from marketplace.domain.exchange.plans import PlanPolicy
from marketplace.domain.exchange.schedules import (
    ARRANGED_BY,
    ScheduleKind,
    check_times,
    is_due,
)
from marketplace.domain.permissions import Role
from marketplace.persistence.database import Database, Row, Writing
from marketplace.persistence.exchange import review_policies
from marketplace.persistence.exchange import schedules as rows
from marketplace.services.acting import Act, once, record
from marketplace.services.exchange.reach import in_scope

Run = Callable[[Writing, Database, Row], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetSchedule:
    """On which day of the week (1 Monday to 7; None: every day) and from which hour it runs.

    region_id    None: the viewer's own
    policy       of plans alone: the order of precedence
    """

    kind: ScheduleKind
    hour: int
    weekday: int | None = None
    is_on: bool = True
    region_id: int | None = None
    policy: PlanPolicy | None = None


async def arrange(database: Database, act: Act, command: SetSchedule) -> int:
    """Set the one schedule of a kind that a region has; its key.

    Raises Forbidden for another desk's schedule, NotFound outside the viewer's region,
    InvalidInput for times that there are not.
    """
    async with once(database, act, "scheduleSet") as turn:
        if turn.replay is not None:
            return int(str(turn.replay["schedule"]))
        viewer = act.viewer
        if viewer.role not in (ARRANGED_BY[command.kind], Role.ADMIN):
            raise Forbidden
        check_times(weekday=command.weekday, hour=command.hour)
        policy = _policy(command)
        region_id = command.region_id or viewer.region_id
        region = (
            None if region_id is None else await review_policies.lock_region(turn.db, region_id)
        )
        if region is None or not in_scope(viewer, region["tree_low"]):
            raise NotFound
        values = {
            "region_id": region["id"],
            "kind": command.kind,
            "is_on": command.is_on,
            "weekday": command.weekday,
            "hour": command.hour,
            "policy": None if policy is None else policy.to_json(),
            "set_by": viewer.account_id,
            "set_at": database.now(),
        }
        key = await rows.put(turn.db, values)
        told = {"of": command.kind, "on": command.is_on, "hour": command.hour}
        await record(turn, database, "schedule.set", "Schedule", key, **told)
        turn.outcome = {"schedule": key}
        return key


async def run_due(database: Database, kind: ScheduleKind, run: Run) -> int:
    """Run schedules of a kind whose time has come; how many. Any number of processes may try.

    Each is claimed and run in one transaction: whoever comes second finds it has run today.
    """
    now = database.now()
    today = county_day(now)
    async with database.read() as db:
        due = [
            row
            for row in await rows.on(db, kind, today=today)
            if is_due(now, weekday=row["weekday"], hour=row["hour"])
        ]
    done = 0
    for schedule in due:
        async with database.write() as db:
            if await rows.claim(db, schedule["id"], version=schedule["version"], today=today):
                await run(db, database, schedule)
                done += 1
    return done


def _policy(command: SetSchedule) -> PlanPolicy | None:
    """The policy to keep. Raises InvalidInput where the kind has none, or it is none."""
    if command.kind is not ScheduleKind.NIGHTLY_PLAN:
        if command.policy is not None:
            raise InvalidInput.of(
                "order",
                "Only plans have an order of precedence. Leave it out.",
                "仅匹配方案有优先次序，请删去。",
            )
        return None
    policy = command.policy or PlanPolicy()
    policy.check()
    return policy
