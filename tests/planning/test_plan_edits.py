"""Edits of plans: what the desk settles stands, and the rest is proven best around it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from marketplace.domain.ids import key_of, opaque_id
from marketplace.persistence.database import Database
from marketplace.persistence.tables import plan_lines, plans
from tests.exchange.asking import Asking, give_keys
from tests.fixtures.invariants import all_is_well
from tests.fixtures.market import Market, a_market, a_need, an_offer
from tests.fixtures.served import served, settings_for
from tests.planning.planned import a_consenting, units
from tests.planning.workers import a_proposed_plan, a_worker, finished

EDIT = """mutation ($input: PlanEditInput!) { planEdit(input: $input) {
  plan { id kind status base { id status } edits(first: 9) { totalCount } }
  userErrors { field code message } } }"""
SEEN = """query ($id: ID!) { node(id: $id) { ... on Plan {
  id status error unitsServed base { id status }
  proof { optimal edits sentence }
  comparison { unchanged all { gaining losing } }
  edits(first: 9) { nodes { kind reason units { value } unitsBefore { value } need { id } } }
  lines(first: 50) { nodes { id status need { id } offer { id } served { value } } } } } }"""
MOVES = "query ($id: ID!) { node(id: $id) { ... on Plan { allowedMoves } } }"
APPROVE = """mutation ($input: PlanApproveInput!) { planApprove(input: $input) {
  plan { status lines(first: 50) { nodes { status leftOutReason } } } userErrors { code } } }"""

Edits = list[dict[str, Any]]


@pytest.fixture
async def market(database: Database) -> Market:
    market = await a_market(database)
    await give_keys(market)
    return market


@pytest.fixture
async def asking(market: Market, database_url: str, tmp_path: Path) -> AsyncIterator[Asking]:
    with served(settings_for(database_url, tmp_path)) as server:
        yield Asking(market, server)


def plan(key: int) -> str:
    return opaque_id("Plan", key)


def a_line(need_id: int, offer_id: int, kind: str, count: int | None = None) -> dict[str, Any]:
    return {
        "kind": kind,
        "reason": "The school asked for it.",
        "needId": opaque_id("Need", need_id),
        "offerId": opaque_id("Offer", offer_id),
        "units": None if count is None else str(count),
    }


def refused(asking: Asking, plan_id: str, edits: Edits, who: str = "reviewer") -> list[str]:
    done = asking.do(who, EDIT, {"planId": plan_id, "edits": edits})
    assert done["plan"] is None
    return [f"{'.'.join(e['field'][1:])} {e['code']}" for e in done["userErrors"]]


async def edited(asking: Asking, plan_id: str, edits: Edits) -> dict[str, Any]:
    """The new plan once it is computed."""
    done = asking.do("reviewer", EDIT, {"planId": plan_id, "edits": edits})
    assert done["userErrors"] == []
    made = done["plan"]
    assert (made["kind"], made["status"]) == ("PROPOSAL", "QUEUED")
    assert made["base"] == {"id": plan_id, "status": "PROPOSED"}
    async with a_worker(asking.market.database):
        await finished(asking.market.database, key_of("Plan", made["id"]))
    moves = asking.read("reviewer", MOVES, id=made["id"])
    return dict(asking.read("auditor", SEEN, id=made["id"])) | moves


def given(seen: dict[str, Any]) -> dict[tuple[int, int], int]:
    """Units by need and offer."""
    return {
        (key_of("Need", each["need"]["id"]), key_of("Offer", each["offer"]["id"])): int(
            each["served"]["value"]
        )
        for each in seen["lines"]["nodes"]
    }


async def test_the_rest_is_planned_around_what_is_pinned_forbidden_and_changed(
    asking: Asking,
) -> None:
    market = asking.market
    needs = [
        await a_need(market, await a_consenting(market), **units(100, severity=severity))
        for severity in (90, 80, 70, 20)
    ]
    offer, other = await an_offer(market, quantity=200), await an_offer(market, quantity=60)
    base = plan(await a_proposed_plan(market))
    before = given(asking.read("auditor", SEEN, id=base))

    seen = await edited(
        asking,
        base,
        [
            a_line(needs[3], offer, "PIN", 90),
            a_line(needs[0], other, "FORBID"),
            a_line(needs[0], offer, "FORBID"),
        ],
    )

    after = given(seen)
    assert seen["status"] == "PROPOSED", seen["error"]
    assert after != before
    assert after[needs[3], offer] == 90
    assert not any(need == needs[0] for need, _ in after)
    assert sum(after.values()) == 260, "nothing is left lying about"
    assert seen["base"] == {"id": base, "status": "DISCARDED"}
    assert seen["proof"]["optimal"] is True
    assert seen["proof"]["edits"] == 3
    assert seen["proof"]["sentence"].startswith("Given what the charity desk settled (3 edits")
    assert seen["comparison"]["unchanged"] is False
    assert [e["kind"] for e in seen["edits"]["nodes"]] == ["PIN", "FORBID", "FORBID"]
    assert "planApprove" not in seen["allowedMoves"], "whoever edited it is not the second person"

    line = next(
        each for each in seen["lines"]["nodes"] if key_of("Need", each["need"]["id"]) == needs[1]
    )
    change = {"kind": "CHANGE_QUANTITY", "lineId": line["id"], "units": "30", "reason": "Enough."}
    again = await edited(asking, seen["id"], [change])
    last = given(again)
    offer_1 = key_of("Offer", line["offer"]["id"])
    assert last[needs[1], offer_1] == 30
    assert last[needs[3], offer] == 90
    assert not any(need == needs[0] for need, _ in last)
    assert again["proof"]["edits"] == len(again["edits"]["nodes"]) == 4

    own = asking.do("reviewer", APPROVE, {"id": again["id"]})
    assert [e["code"] for e in own["userErrors"]] == ["FOUR_EYES"]
    approved = asking.do("reviewer_2", APPROVE, {"id": again["id"]})["plan"]
    assert approved["status"] == "APPROVED"
    assert {each["status"] for each in approved["lines"]["nodes"]} == {"RESERVED"}
    await all_is_well(market.database)
