"""The picture of a plan over HTTP: who may read it, what it says, and what it never says."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from marketplace.domain.permissions import Role
from marketplace.persistence.database import Database
from marketplace.persistence.exchange import market as markets
from marketplace.persistence.exchange import plan_records
from marketplace.persistence.tables import api_keys
from marketplace.services.exchange.plan_records import packed_market
from tests.fixtures.market import Market, a_market, a_need, an_offer
from tests.fixtures.served import Served, add_account, served, settings_for
from tests.planning.planned import a_consenting, a_reference
from tests.planning.proposals import a_proposal

PLAN = """{ plans(first: 1) { nodes {
  reference needCount needsServed offerCount reportLink proof { sentence } } } }"""
NEAR, FAR = 7, 3


@dataclass(frozen=True)
class Desk:
    """A plan for seven households of one township and three of another, and keys by role."""

    market: Market
    plan_id: int
    keys: dict[str, str]

    @property
    def path(self) -> str:
        return f"/plans/{a_reference(self.market, 'M', self.plan_id)}/report"


@pytest.fixture
async def desk(database: Database) -> Desk:
    market = await a_market(database)
    for place, count in (("grid", NEAR), ("far_village", FAR)):
        for _ in range(count):
            home = await a_consenting(market, region=place)
            await a_need(market, home, region_id=market.region[place])
    await an_offer(market, quantity=600)
    where = {
        Role.CHARITY_OFFICER: "county",
        Role.ASSISTANCE_OFFICER: "county",
        Role.AUDITOR: None,
        Role.TOWNSHIP_OFFICER: "xiugu",
        Role.GRID_WORKER: "grid",
        Role.PROVIDER: None,
        Role.ADMIN: "county",
    }
    keys = {
        role.value: await add_account(
            database, role, region_id=market.region[place] if place else None
        )
        for role, place in where.items()
    }
    keys["ELSEWHERE"] = await add_account(
        database, Role.CHARITY_OFFICER, region_id=market.region["xiugu"]
    )
    return Desk(market, await a_recorded_plan(market), keys)


async def a_recorded_plan(market: Market) -> int:
    """A proposed plan with its record, as a worker leaves it, but without the optimizer's time."""
    database = market.database
    async with database.snapshot() as db:
        read = await markets.read(db, now=database.now(), region_id=None, category_id=None)
    lines = [(need, read.offers["id"][0], 60) for need in read.needs["id"]]
    proof = {"status": "optimal", "gap": 0, "certificate": {"optimal": True, "proven": 1}}
    levels = {key: [] for key in ("level_keys", "level_asked", "level_served", "level_bound")}
    counted = {"need_count": len(lines), "needs_served": len(lines), "offer_count": 1}
    plan_id = await a_proposal(market, lines, proof=proof | levels, left_aside=[], **counted)
    async with database.write() as db:
        packed = packed_market(read)
        await plan_records.add(db, plan_id, market=packed, explained=None, now=database.now())
    return plan_id


@pytest.fixture
def server(desk: Desk, database_url: str, tmp_path: Path) -> Iterator[Served]:
    with served(settings_for(database_url, tmp_path)) as server:
        yield server


def asked(
    server: Served, path: str, key: str | None = None, language: str = "en"
) -> tuple[int, str]:
    sent = {"Accept-Language": language} | ({"Authorization": f"Bearer {key}"} if key else {})
    answer = server.client.get(path, headers=sent)
    return answer.status_code, answer.text


def all_text(html: str) -> str:
    """The page with its charts opened."""
    images = re.findall(r"data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)", html)
    assert images
    return html + "".join(base64.b64decode(image).decode() for image in images)


async def test_those_who_may_read_plans_may_ask_for_it_and_nobody_else(
    desk: Desk, server: Served
) -> None:
    """Of a plan that is not done yet, so that nothing needs to be drawn."""
    waiting = await a_proposal(desk.market, [], status="QUEUED")
    path = f"/plans/{a_reference(desk.market, 'M', waiting)}/report"

    said = {role: asked(server, path, key)[0] for role, key in desk.keys.items()}

    assert said == {
        "CHARITY_OFFICER": 409,
        "ASSISTANCE_OFFICER": 409,
        "AUDITOR": 409,
        "TOWNSHIP_OFFICER": 403,
        "GRID_WORKER": 403,
        "PROVIDER": 403,
        "ADMIN": 403,
        "ELSEWHERE": 404,
    }
    for key in ("TOWNSHIP_OFFICER", "GRID_WORKER", "PROVIDER", "ADMIN"):
        assert asked(server, desk.path, desk.keys[key])[0] == 403
    assert asked(server, desk.path, desk.keys["ELSEWHERE"])[0] == 404
    assert asked(server, desk.path)[0] == 401
    assert asked(server, desk.path, "no key of ours")[0] == 401


@pytest.mark.one_database
def test_it_says_what_the_graph_says_and_nothing_of_few_or_of_one(
    desk: Desk, server: Served
) -> None:
    key = desk.keys["CHARITY_OFFICER"]
    answer = server.client.get(
        desk.path, headers={"Authorization": f"Bearer {key}", "Accept-Language": "en"}
    )
    (plan,) = server.ask(PLAN, key=key).json()["data"]["plans"]["nodes"]

    text = all_text(answer.text)
    facts = dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", answer.text))
    assert facts["needs"] == str(plan["needCount"]) == "10"
    assert facts["needs served"] == str(plan["needsServed"])
    assert facts["offers"] == str(plan["offerCount"]) == "1"
    assert plan["proof"]["sentence"] in answer.text
    assert plan["reference"] in answer.text
    # Seven households, rounded; three are few.
    rows = dict(re.findall(r'<th scope="row">(.*?)</th><td class="number">(.*?)</td>', answer.text))
    assert rows["xiugu"] == "5"
    assert rows["huangtong"] == "&lt;5"
    first_chart = base64.b64decode(re.findall(r"base64,([A-Za-z0-9+/=]+)", answer.text)[0])
    assert b"xiugu" in first_chart
    assert b"huangtong" not in first_chart
    for canary in ("N-20", "H-20", "<script", "http://127", 'src="http'):
        assert canary not in text.replace("http://www.w3.org", "")
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert answer.headers["cache-control"] == "private, no-store"
    status, chinese = asked(server, desk.path, desk.keys["ASSISTANCE_OFFICER"], "zh-CN")
    assert status == 200
    for word in ('<html lang="zh-CN">', "按乡镇", "缺口", "已证明最优", "全额"):
        assert word in all_text(chinese)


@pytest.mark.one_database
async def test_a_page_drawn_before_is_not_shown_once_what_it_shows_is_let_go_of(
    desk: Desk, server: Served
) -> None:
    key, database = desk.keys["CHARITY_OFFICER"], desk.market.database
    assert asked(server, desk.path, key)[0] == 200
    async with database.write() as db:
        await plan_records.forget_markets(db, before=database.now() + timedelta(days=1))

    assert asked(server, desk.path, key)[0] == 410


async def test_what_cannot_be_shown_says_why(desk: Desk, server: Served) -> None:
    key, market = desk.keys["CHARITY_OFFICER"], desk.market
    waiting = await a_proposal(market, [], status="QUEUED")
    failed = await a_proposal(market, [], status="FAILED")
    old = await a_proposal(market, [])

    def said(plan_id: int, language: str) -> tuple[int, str]:
        path = f"/plans/{a_reference(market, 'M', plan_id)}/report"
        status, html = asked(server, path, key, language)
        return status, re.findall(r"<p>(.*?)</p>", html)[0]

    assert said(waiting, "en") == (
        409,
        "The plan is still being computed. Try again in a minute.",
    )
    assert said(waiting, "zh-CN") == (409, "方案仍在计算中，请稍后再试。")
    assert said(failed, "en")[0] == 409
    gone = said(old, "zh-CN")
    assert gone[0] == 410
    assert "30" in gone[1]
    assert said(999_999, "en")[0] == 404
    for path in ("/plans/M-1999-000001/report", "/plans/x/report", "/plans/M-2026-1/report"):
        assert asked(server, path, key)[0] == 404
    answer = server.client.get(desk.path, headers={"Accept": "application/json"})
    assert answer.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_a_link_opens_it_without_a_key_as_long_as_the_key_stands(
    desk: Desk, server: Served
) -> None:
    key = desk.keys["AUDITOR"]
    (plan,) = server.ask(PLAN, key=key).json()["data"]["plans"]["nodes"]
    link = plan["reportLink"]
    account, until, signed = link.split("pass=")[1].split(".")

    assert key not in link
    assert asked(server, link)[0] == 200
    other = await a_proposal(desk.market, [])
    others = f"/plans/{a_reference(desk.market, 'M', other)}/report?pass="
    for broken in (
        f"{desk.path}?pass={account}.{int(until) + 1}.{signed}",
        f"{desk.path}?pass={int(account) + 1}.{until}.{signed}",
        f"{desk.path}?pass={account}.1.{signed}",
        f"{desk.path}?pass=x",
        f"{others}{account}.{until}.{signed}",
    ):
        assert asked(server, broken)[0] == 401, broken
    async with desk.market.database.write() as db:
        await db.execute(
            sa.update(api_keys)
            .where(api_keys.c.prefix == key[:6])
            .values(revoked_at=desk.market.database.now())
        )
    assert asked(server, link)[0] == 401
