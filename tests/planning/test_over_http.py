"""Plans over the graph: asked for, followed by SSE and websocket, approved, and a server killed."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from marketplace.domain.ids import key_of
from marketplace.domain.permissions import Role
from marketplace.persistence.database import Database
from marketplace.persistence.tables import allocations, api_keys, events, jobs, plan_lines, plans
from tests.fixtures.market import Market, a_consent, a_household, a_market, a_need, an_offer
from tests.fixtures.served import Served, add_account, served, settings_for
from tests.planning.proposals import a_proposal
from tests.planning.workers import finished, status_of, until

CREATE = """mutation Create($input: PlanCreateInput!) { planCreate(input: $input) {
  plan { id reference status version policy { order } allowedMoves }
  userErrors { field code message } } }"""
APPROVE = """mutation Approve($input: PlanApproveInput!) { planApprove(input: $input) {
  plan { status version lines(first: 5) { nodes { status leftOutReason served { value unit } } } }
  userErrors { field code message } } }"""
CANCEL = """mutation Cancel($input: PlanCancelInput!) { planCancel(input: $input) {
  plan { status } userErrors { field code } } }"""
FOLLOW = """subscription Follow($plan: ID!) { planProgress(planId: $plan) {
  planId status progress stage stageLabel } }"""
STREAM = {"Accept": "text/event-stream", "Accept-Language": "en"}


@dataclass(frozen=True)
class Desk:
    """A market with something to plan, and the keys of two officers and a provider."""

    market: Market
    first: str
    second: str
    provider: str


@pytest.fixture
async def desk(database: Database) -> Desk:
    market = await a_market(database)
    household = await a_household(market)
    await a_consent(market, household)
    await a_need(market, household)
    await an_offer(market, quantity=60)
    county = market.region["county"]
    return Desk(
        market,
        await add_account(database, Role.CHARITY_OFFICER, region_id=county),
        await add_account(database, Role.CHARITY_OFFICER, region_id=county),
        await add_account(database, Role.PROVIDER, organization_id=market.organization["charity"]),
    )


@pytest.fixture
def server(desk: Desk, database_url: str, tmp_path: Path) -> Iterator[Served]:
    with served(settings_for(database_url, tmp_path, worker_in_server=True)) as server:
        yield server


@pytest.fixture
def quiet_server(desk: Desk, database_url: str, tmp_path: Path) -> Iterator[Served]:
    """One without a worker: plans wait for ever."""
    with served(settings_for(database_url, tmp_path)) as server:
        yield server


def asked(server: Served, query: str, key: str, **input: Any) -> dict[str, Any]:
    answer = server.ask(query, {"input": input}, key=key).json()
    assert "errors" not in answer, answer
    (payload,) = answer["data"].values()
    return dict(payload)


def streamed(server: Served, key: str, plan: str) -> list[dict[str, Any]]:
    """Every event until the stream is complete."""
    response = server.client.post(
        "/graphql",
        json={"query": FOLLOW, "variables": {"plan": plan}},
        headers=STREAM | {"Authorization": f"Bearer {key}"},
    )
    blocks = [block.split("\n") for block in response.text.strip().split("\n\n")]
    found = [json.loads(b[1].removeprefix("data: ")) for b in blocks if b[0] == "event: next"]
    assert blocks[-1][0].startswith("event: complete")
    return found


async def test_a_plan_is_asked_for_followed_and_approved_by_another(
    desk: Desk, server: Served
) -> None:
    made = asked(server, CREATE, desk.first, order="LEXIMIN")
    assert made["userErrors"] == []
    plan = made["plan"]
    assert plan["status"] in ("QUEUED", "RUNNING")  # the worker may be quicker than the answer
    assert plan["policy"]["order"] == "LEXIMIN"
    assert plan["allowedMoves"] == ["planCancel"]

    told = [event["data"]["planProgress"] for event in streamed(server, desk.first, plan["id"])]
    assert (told[-1]["status"], told[-1]["progress"]) == ("PROPOSED", 1.0)
    shares = [event["progress"] for event in told]
    assert shares == sorted(shares)

    own = asked(server, APPROVE, desk.first, id=plan["id"])
    assert own["plan"] is None
    assert [(e["field"], e["code"]) for e in own["userErrors"]] == [(["input", "id"], "FOUR_EYES")]
    done = asked(server, APPROVE, desk.second, id=plan["id"], expectedVersion=0)
    assert done["plan"]["status"] == "APPROVED"
    assert done["plan"]["lines"]["nodes"] == [
        {"status": "RESERVED", "leftOutReason": None, "served": {"value": "60", "unit": "kg"}}
    ]
    assert await desk.market.count(allocations) == 1
    late = asked(server, CANCEL, desk.first, id=plan["id"])
    assert [e["code"] for e in late["userErrors"]] == ["CONFLICT"]


def test_a_share_that_is_none_is_an_error_of_its_field(desk: Desk, quiet_server: Served) -> None:
    refused = asked(quiet_server, CREATE, desk.first, floorSharePercent=0)

    assert refused["plan"] is None
    assert [(e["field"], e["code"]) for e in refused["userErrors"]] == [
        (["input", "floorSharePercent"], "TOO_SMALL")
    ]


def test_following_again_begins_where_the_plan_is_and_ends_with_it(
    desk: Desk, quiet_server: Served
) -> None:
    plan = asked(quiet_server, CREATE, desk.first)["plan"]["id"]
    headers = STREAM | {"Authorization": f"Bearer {desk.first}"}
    body = {"query": FOLLOW, "variables": {"plan": plan}}
    with quiet_server.client.stream("POST", "/graphql", json=body, headers=headers) as lost:
        assert '"status":"QUEUED"' in next(lost.iter_text())

    asked(quiet_server, CANCEL, desk.first, id=plan)

    (event,) = streamed(quiet_server, desk.first, plan)
    assert event["data"]["planProgress"]["status"] == "CANCELLED"


def test_a_plan_is_followed_over_a_websocket_in_the_readers_language(
    desk: Desk, quiet_server: Served
) -> None:
    plan = asked(quiet_server, CREATE, desk.first)["plan"]["id"]
    told = []
    with connect(
        quiet_server.socket_url, subprotocols=[Subprotocol("graphql-transport-ws")], proxy=None
    ) as opened:
        begin = {"Authorization": f"Bearer {desk.second}", "Accept-Language": "zh-CN"}
        opened.send(json.dumps({"type": "connection_init", "payload": begin}))
        assert json.loads(opened.recv(timeout=10))["type"] == "connection_ack"
        payload = {"query": FOLLOW, "variables": {"plan": plan}}
        opened.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
        told.append(json.loads(opened.recv(timeout=10))["payload"]["data"]["planProgress"])
        asked(quiet_server, CANCEL, desk.first, id=plan)
        told.append(json.loads(opened.recv(timeout=10))["payload"]["data"]["planProgress"])
        assert json.loads(opened.recv(timeout=10)) == {"id": "1", "type": "complete"}

    assert [(event["status"], event["stageLabel"]) for event in told] == [
        ("QUEUED", "等待处理"),
        ("CANCELLED", "等待处理"),
    ]


async def test_a_key_that_ends_stops_the_stream(desk: Desk, quiet_server: Served) -> None:
    plan = asked(quiet_server, CREATE, desk.first)["plan"]["id"]
    headers = STREAM | {"Authorization": f"Bearer {desk.second}"}
    body = {"query": FOLLOW, "variables": {"plan": plan}}
    with quiet_server.client.stream("POST", "/graphql", json=body, headers=headers) as response:
        texts = response.iter_text()
        assert '"status":"QUEUED"' in next(texts)
        async with desk.market.database.write() as db:
            await db.execute(
                sa.update(api_keys)
                .where(api_keys.c.prefix == desk.second[:6])
                .values(revoked_at=desk.market.database.now())
            )
        rest = await asyncio.to_thread("".join, texts)

    assert "UNAUTHENTICATED" in rest
    assert "event: complete" in rest
    assert '"status"' not in rest


async def test_who_may_not_see_plans_cannot_follow_one(desk: Desk, quiet_server: Served) -> None:
    asked(quiet_server, CREATE, desk.first)
    plan_id = await a_proposal(desk.market, [])
    plan = asked(quiet_server, CREATE, desk.first)["plan"]["id"]
    assert key_of("Plan", plan) > plan_id

    for key, code in ((desk.provider, "FORBIDDEN"), (None, "UNAUTHENTICATED")):
        answer = quiet_server.ask(FOLLOW, {"plan": plan}, key=key, Accept=STREAM["Accept"])
        assert code in answer.text
        assert 'planProgress":{' not in answer.text
    answer = quiet_server.ask(FOLLOW, {"plan": "x"}, key=desk.first, Accept=STREAM["Accept"])
    assert "INVALID_ID" in answer.text


@contextmanager
def a_server_process(url: str, folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], Served]]:
    """The real server with its worker, as a program that can be killed."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = f"--port {port} --ws websockets-sansio --log-level warning".split()
    program = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", "schema.app:create_app", "--factory", *options],
        env=os.environ
        | {
            "AIDLOOP_DATABASE_URL": url,
            "AIDLOOP_DATA_DIR": str(folder),
            "AIDLOOP_JOB_LEASE_S": "1",
        },
    )
    base = f"http://127.0.0.1:{port}"
    try:
        with httpx.Client(base_url=base, timeout=20, trust_env=False) as client:
            yield program, Served(base, client)
    finally:
        program.kill()
        program.wait()


async def is_up(server: Served) -> bool:
    try:
        return server.client.get("/healthz").status_code == 200
    except httpx.TransportError:
        return False


async def test_a_server_that_is_killed_and_started_again_finishes_its_plan_once(
    desk: Desk, database_url: str, tmp_path: Path
) -> None:
    await killed_and_started_again(desk, database_url, tmp_path, "RUNNING")


@pytest.mark.slow
@pytest.mark.one_database
async def test_a_server_that_is_killed_before_it_begins_a_plan_finishes_it_once(
    desk: Desk, database_url: str, tmp_path: Path
) -> None:
    await killed_and_started_again(desk, database_url, tmp_path, "QUEUED")


async def killed_and_started_again(
    desk: Desk, database_url: str, tmp_path: Path, moment: str
) -> None:
    database = desk.market.database
    with a_server_process(database_url, tmp_path) as (program, server):
        await until(lambda: is_up(server))
        plan = asked(server, CREATE, desk.first, idempotencyKey="once")["plan"]["id"]
        plan_id = key_of("Plan", plan)

        async def there() -> bool:
            return await status_of(database, plan_id) == moment

        if moment != "QUEUED":
            await until(there)
        program.kill()
        program.wait()

    with a_server_process(database_url, tmp_path) as (_, server):
        await until(lambda: is_up(server))
        again = asked(server, CREATE, desk.first, idempotencyKey="once")["plan"]["id"]
        assert again == plan
        assert await finished(database, plan_id) == "PROPOSED"
    assert await desk.market.count(plans) == await desk.market.count(plan_lines) == 1
    assert await desk.market.count(events, events.c.kind == "plan.proposed") == 1
    assert await desk.market.count(jobs, jobs.c.status == "DONE") == 1
