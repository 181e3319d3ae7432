"""Workers that are really killed, stopped and cancelled: every plan is finished exactly once."""

from __future__ import annotations

import signal
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from marketplace.persistence.database import Database
from marketplace.persistence.jobs import enqueue
from marketplace.persistence.tables import events, jobs, plan_lines, plans
from marketplace.services import worker
from marketplace.services.exchange import plans as service
from marketplace.services.exchange.plan_job import PLAN
from marketplace.services.exchange.plans import MovePlan
from marketplace.settings import Settings
from tests.fixtures.market import Market, a_consent, a_household, a_market, a_need, an_offer
from tests.planning.processes import a_program, all_gone, is_stopped
from tests.planning.workers import a_plan, a_worker, finished, status_of, until

LEASE_S = 1  # so short that a test can wait for its end
HELD_S = 60  # so long that nobody else comes by
CANCEL_WITHIN_S = 2.0


@pytest.fixture
async def market(database: Database) -> Market:
    market = await a_market(database)
    household = await a_household(market)
    await a_consent(market, household)
    await a_need(market, household)
    await an_offer(market, quantity=60)
    return market


async def assert_planned_once(market: Market, plan_id: int) -> None:
    plan = await market.row(plans, plan_id)
    assert (plan["status"], plan["units_served"]) == ("PROPOSED", 60)
    assert await market.count(plan_lines, plan_lines.c.plan_id == plan_id) == 1
    assert await market.count(events, events.c.kind == "plan.proposed") == 1
    assert (await market.row(jobs, plan["job_id"]))["status"] == "DONE"


async def the_job(market: Market, plan_id: int) -> Any:
    return await market.row(jobs, (await market.row(plans, plan_id))["job_id"])


@pytest.mark.parametrize("moment", ["SOLVING", "BEFORE_THE_COMMIT"])
async def test_a_plan_whose_worker_is_killed_is_finished_once_by_the_next(
    market: Market, database_url: str, moment: str
) -> None:
    await killed_and_finished(market, database_url, moment)


@pytest.mark.slow
@pytest.mark.one_database
@pytest.mark.parametrize("moment", ["CLAIMED", "READING", "CHECKING"])
async def test_a_plan_whose_worker_is_killed_elsewhere_is_finished_too(
    market: Market, database_url: str, moment: str
) -> None:
    await killed_and_finished(market, database_url, moment)


async def killed_and_finished(market: Market, database_url: str, moment: str) -> None:
    in_child = moment in ("READING", "SOLVING", "CHECKING")
    async with a_program(database_url, lease_s=LEASE_S, moment=moment) as program:
        plan_id = await a_plan(market)
        if in_child:
            await reaches_stage(market, plan_id, moment)
        else:
            await program.reaches(moment)
        children = program.children()
        await program.kill()
        await all_gone(children, within_s=5.0)
    assert await status_of(market.database, plan_id) in ("QUEUED", "RUNNING")
    assert await market.count(plan_lines) == 0

    async with a_worker(market.database):
        assert await finished(market.database, plan_id) == "PROPOSED"

    await assert_planned_once(market, plan_id)
    assert (await the_job(market, plan_id))["attempt"] == 2


async def reaches_stage(market: Market, plan_id: int, stage: str) -> None:
    async def there() -> bool:
        return bool((await the_job(market, plan_id))["stage"] == stage)

    await until(there)


@pytest.mark.slow
@pytest.mark.one_database
async def test_a_plan_asked_for_while_no_worker_lives_waits_for_one(
    market: Market, database_url: str
) -> None:
    async with a_program(database_url, lease_s=LEASE_S) as program:
        await program.kill()
        plan_id = await a_plan(market)
        assert await status_of(market.database, plan_id) == "QUEUED"

    async with a_program(database_url, lease_s=LEASE_S) as program:
        assert await finished(market.database, plan_id) == "PROPOSED"
        await program.kill()  # right after: nothing is done again

    async with a_worker(market.database):
        other = await a_plan(market)
        assert await finished(market.database, other) == "PROPOSED"
    assert await market.count(plan_lines, plan_lines.c.plan_id == plan_id) == 1
    assert (await the_job(market, plan_id))["attempt"] == 1


async def test_a_worker_stopped_beyond_its_lease_cannot_write_when_it_wakes(
    market: Market, database_url: str
) -> None:
    async with a_program(database_url, lease_s=LEASE_S, moment="BEFORE_THE_LAST_WRITE") as zombie:
        plan_id = await a_plan(market)
        await zombie.reaches("BEFORE_THE_LAST_WRITE")

        async def stopped() -> bool:
            return is_stopped(zombie.process.pid)

        await until(stopped)
        assert await market.count(plan_lines) == 0
        async with a_worker(market.database):
            assert await finished(market.database, plan_id) == "PROPOSED"
        await assert_planned_once(market, plan_id)

        zombie.send(signal.SIGCONT)
        zombie.send(signal.SIGTERM)

        assert await zombie.ends() == 0
        assert "is no longer that of attempt 1" in await zombie.says()
    await assert_planned_once(market, plan_id)


@pytest.mark.slow
@pytest.mark.one_database
async def test_a_worker_stopped_while_it_solves_ends_its_child_when_it_wakes_and_lives_on(
    market: Market, database_url: str
) -> None:
    async with a_program(database_url, lease_s=LEASE_S, moment="SOLVING") as zombie:
        plan_id = await a_plan(market)
        await reaches_stage(market, plan_id, "SOLVING")
        children = zombie.children()
        zombie.send(signal.SIGSTOP)
        async with a_worker(market.database):
            assert await finished(market.database, plan_id) == "PROPOSED"

        zombie.send(signal.SIGCONT)

        await all_gone(children, within_s=5.0)
        other = await a_plan(market)
        await reaches_stage(market, other, "SOLVING")  # it has taken the next one
    await assert_planned_once(market, plan_id)


@pytest.mark.one_database
async def test_a_running_plan_is_cancelled_within_two_seconds_and_no_solver_survives(
    market: Market, database_url: str
) -> None:
    async with a_program(database_url, lease_s=HELD_S, moment="SOLVING") as program:
        plan_id = await a_plan(market)
        await reaches_stage(market, plan_id, "SOLVING")
        children = program.children()
        assert children

        act = market.act("reviewer")
        await service.cancel(market.database, act, MovePlan(plan_id=plan_id))

        assert await status_of(market.database, plan_id) == "CANCELLED"
        await all_gone(children, CANCEL_WITHIN_S)
        assert (await the_job(market, plan_id))["status"] == "CANCELLED"
        other = await a_plan(market)  # the worker lives on
        await reaches_stage(market, other, "SOLVING")
    assert await market.count(plan_lines) == 0
    assert await market.count(events, events.c.kind == "plan.cancelled") == 1


@pytest.mark.one_database
async def test_a_waiting_plan_that_is_cancelled_is_never_run(market: Market) -> None:
    plan_id = await a_plan(market)
    act = market.act("reviewer")
    await service.cancel(market.database, act, MovePlan(plan_id=plan_id, expected_version=0))

    async with a_worker(market.database):
        other = await a_plan(market)
        assert await finished(market.database, other) == "PROPOSED"

    assert await status_of(market.database, plan_id) == "CANCELLED"
    assert (await the_job(market, plan_id))["attempt"] == 0


@pytest.mark.slow
@pytest.mark.one_database
async def test_a_worker_told_to_stop_hands_its_job_back_at_once(
    market: Market, database_url: str
) -> None:
    async with a_program(database_url, lease_s=HELD_S, moment="SOLVING") as program:
        plan_id = await a_plan(market)
        await reaches_stage(market, plan_id, "SOLVING")
        children = program.children()

        program.send(signal.SIGTERM)

        assert await program.ends() == 0
        await all_gone(children, within_s=5.0)
    job = await the_job(market, plan_id)
    assert (job["status"], job["lease_until"]) == ("QUEUED", None)

    async with a_worker(market.database):
        assert await finished(market.database, plan_id) == "PROPOSED"
    await assert_planned_once(market, plan_id)


@pytest.mark.one_database
async def test_a_plan_that_kills_every_worker_fails_in_the_end_and_says_so(
    market: Market, database_url: str
) -> None:
    plan_id = await a_plan(market)
    async with market.database.write() as db:
        await db.execute(sa.update(jobs).values(attempts_max=1))
    async with a_program(database_url, lease_s=LEASE_S, moment="CLAIMED") as program:
        await program.reaches("CLAIMED")
        await program.kill()

    async with a_worker(market.database):
        assert await finished(market.database, plan_id) == "FAILED"

    plan = await market.row(plans, plan_id)
    assert plan["error"]["code"] == "GAVE_UP"
    assert plan["error"]["zh"]
    assert (await the_job(market, plan_id))["status"] == "DEAD"
    assert await market.count(events, events.c.kind == "plan.failed") == 1


@pytest.mark.slow
@pytest.mark.one_database
async def test_a_child_that_crashes_is_tried_again_later(market: Market, database_url: str) -> None:
    async with a_program(database_url, lease_s=HELD_S, moment="crashing"):
        plan_id = await a_plan(market)

        async def requeued() -> bool:
            return bool((await the_job(market, plan_id))["error"])

        await until(requeued)
        job = await the_job(market, plan_id)
    assert (job["status"], job["error"]) == ("QUEUED", "the child ended with 9")

    async with a_worker(market.database):
        assert await finished(market.database, plan_id) == "PROPOSED"
    await assert_planned_once(market, plan_id)


@pytest.mark.one_database
async def test_a_plan_that_cannot_be_computed_fails_with_its_reason_and_is_not_tried_again(
    market: Market, database_url: str
) -> None:
    async with a_program(database_url, lease_s=HELD_S, moment="refusing"):
        plan_id = await a_plan(market)
        assert await finished(market.database, plan_id) == "FAILED"

    plan = await market.row(plans, plan_id)
    assert plan["error"] == {"code": "TOO_MUCH", "en": "Too much.", "zh": "过多。"}
    assert (await the_job(market, plan_id))["attempt"] == 1


async def a_buried_job(market: Market, job_id: int) -> Any:
    async def over() -> bool:
        return bool((await market.row(jobs, job_id))["status"] == "DEAD")

    await until(over)
    return await market.row(jobs, job_id)


async def test_a_job_whose_plan_is_gone_is_buried_at_once(market: Market) -> None:
    async with market.database.write() as db:
        job_id = await enqueue(db, kind="plan", payload={})

    async with a_worker(market.database):
        job = await a_buried_job(market, job_id)

    assert (job["attempt"], job["error"]) == (1, "GONE")


async def test_a_job_is_buried_even_if_its_kind_cannot_say_why(market: Market) -> None:
    async def tripping(*_: object) -> None:
        raise ZeroDivisionError

    tripped = replace(PLAN, compute="tests.planning.computing:refusing", give_up=tripping)
    plan_id = await a_plan(market)

    async with a_worker(market.database, kinds={"plan": tripped}):
        job = await a_buried_job(market, (await market.row(plans, plan_id))["job_id"])

    assert (job["attempt"], job["error"]) == (1, "TOO_MUCH")


@pytest.mark.slow
@pytest.mark.one_database
async def test_a_computation_beyond_its_deadline_is_ended_and_the_plan_fails(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HALT_AT", "SOLVING")
    monkeypatch.setattr(worker, "GRACE_S", 0)
    halting = replace(PLAN, compute="tests.planning.computing:halting")
    plan_id = await a_plan(market)
    async with a_worker(market.database, Settings(plan_deadline_s=1), kinds={"plan": halting}):
        assert await finished(market.database, plan_id) == "FAILED"

    assert (await market.row(plans, plan_id))["error"]["code"] == "DEADLINE"


async def test_a_worker_outlives_the_loss_of_its_connections(
    market: Market, database_url: str, dialect: str
) -> None:
    if dialect != "postgresql":
        pytest.skip("SQLite has no connections that somebody else can end")
    async with a_program(database_url, lease_s=HELD_S) as program:
        async with market.database.write() as db:
            await db.rows(
                sa.text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            )
        plan_id = await a_plan(market)
        assert await finished(market.database, plan_id) == "PROPOSED"
        assert program.process.returncode is None
    await assert_planned_once(market, plan_id)
