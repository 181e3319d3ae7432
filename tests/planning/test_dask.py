"""Plans on a Dask cluster that the operator names, and without one that should be there."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from marketplace.persistence.database import Database
from marketplace.persistence.tables import plans
from marketplace.settings import Settings
from tests.fixtures.dask import WITHIN_S, Cluster
from tests.fixtures.market import Market, a_market, a_need, an_offer
from tests.planning.planned import a_consenting
from tests.planning.workers import a_plan, a_worker, finished

distributed = pytest.importorskip("distributed")
pytestmark = [
    pytest.mark.one_database,  # what differs is where a plan is solved
    pytest.mark.xdist_group("dask"),
]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path_factory.mktemp("dask"))
    cluster.with_workers(1)
    yield cluster
    cluster.end()


def steps(cluster: Cluster) -> int:
    """How many steps the scheduler has taken with any work."""
    with distributed.Client(cluster.address, timeout=WITHIN_S, set_as_default=False) as client:
        return int(
            client.run_on_scheduler(lambda dask_scheduler: dask_scheduler.transition_counter)
        )


async def a_plan_on(market: Market, settings: Settings) -> int:
    plan_id = await a_plan(market)
    async with a_worker(market.database, settings):
        assert await finished(market.database, plan_id) == "PROPOSED"
    plan = await market.row(plans, plan_id)
    assert plan["proof"]["certificate"]["optimal"] is True
    return int(plan["units_served"])


async def test_a_large_plan_is_solved_on_the_cluster_and_a_small_one_here(
    database: Database, cluster: Cluster
) -> None:
    market = await a_market(database)
    await a_need(market, await a_consenting(market))
    await an_offer(market, quantity=60)
    large = Settings(dask_address=cluster.address, dask_pairs_min=1, dask_connect_s=WITHIN_S)

    before = await asyncio.to_thread(steps, cluster)
    assert await a_plan_on(market, replace(large, dask_pairs_min=2)) == 60
    assert await asyncio.to_thread(steps, cluster) == before
    assert await a_plan_on(market, large) == 60
    assert await asyncio.to_thread(steps, cluster) > before


@pytest.mark.slow
async def test_without_the_scheduler_a_plan_is_made_on_this_machine(
    database: Database, tmp_path: Path
) -> None:
    market = await a_market(database)
    await a_need(market, await a_consenting(market))
    await an_offer(market, quantity=60)
    gone = Cluster(tmp_path)
    gone.end()

    settings = Settings(dask_address=gone.address, dask_pairs_min=1, dask_connect_s=1)
    assert await a_plan_on(market, settings) == 60
