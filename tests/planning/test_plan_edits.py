"""Edits of plans: what the desk settles stands, and the rest is proven best around it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

import matching
from marketplace.domain.ids import key_of, opaque_id
from marketplace.persistence.database import Database
from marketplace.persistence.exchange import market as markets
from marketplace.persistence.tables import plan_lines, plans
from marketplace.services.exchange import rounds
from marketplace.services.exchange.edited import Edit
from marketplace.services.exchange.edited import edited as settled
from marketplace.services.exchange.translation import translate
from marketplace.services.jobs import JobFailed
from tests.fixtures.asked import Asked, asked, give_keys
from tests.fixtures.invariants import all_is_well
from tests.fixtures.market import Market, a_market, a_need, an_offer
from tests.planning.planned import a_consenting, units
from tests.planning.proposals import a_proposal
from tests.planning.workers import a_plan, a_worker, finished

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
async def asking(market: Market, database_url: str, tmp_path: Path) -> AsyncIterator[Asked]:
    with asked(market, database_url, tmp_path) as served:
        yield served


async def off_the_loop(ask: Callable[..., Any], *given: Any, **more: Any) -> Any:
    """Ask while a worker runs in this loop, which must not be kept from ending its transaction."""
    return await asyncio.to_thread(ask, *given, **more)


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


def refused(asking: Asked, plan_id: str, edits: Edits, who: str = "reviewer") -> list[str]:
    done = asking.do(who, EDIT, {"planId": plan_id, "edits": edits})
    assert done["plan"] is None
    return [f"{'.'.join(e['field'][1:])} {e['code']}" for e in done["userErrors"]]


async def edited(asking: Asked, plan_id: str, edits: Edits) -> dict[str, Any]:
    """The new plan once the worker that runs has computed it."""
    done = await off_the_loop(asking.do, "reviewer", EDIT, {"planId": plan_id, "edits": edits})
    assert done["userErrors"] == []
    made = done["plan"]
    assert made["kind"] == "PROPOSAL"
    assert made["status"] in ("QUEUED", "RUNNING")  # the worker may be quicker than the answer
    assert made["base"] == {"id": plan_id, "status": "PROPOSED"}
    await finished(asking.market.database, key_of("Plan", made["id"]))
    moves = await off_the_loop(asking.read, "reviewer", MOVES, {"id": made["id"]})
    return dict(await off_the_loop(asking.read, "auditor", SEEN, {"id": made["id"]})) | moves


def given(seen: dict[str, Any]) -> dict[tuple[int, int], int]:
    """Units by need and offer."""
    return {
        (key_of("Need", each["need"]["id"]), key_of("Offer", each["offer"]["id"])): int(
            each["served"]["value"]
        )
        for each in seen["lines"]["nodes"]
    }


@pytest.fixture
async def worker(market: Market) -> AsyncIterator[None]:
    """One for the whole test: each begins a child of its own."""
    async with a_worker(market.database):
        yield


@pytest.mark.one_database
async def test_the_rest_is_planned_around_what_is_pinned_forbidden_and_changed(
    asking: Asked, worker: None
) -> None:
    market = asking.market
    needs = [
        await a_need(market, await a_consenting(market), **units(100, severity=severity))
        for severity in (90, 80, 70, 20)
    ]
    offer, other = await an_offer(market, quantity=200), await an_offer(market, quantity=60)
    key = await a_plan(market)
    assert await finished(market.database, key) == "PROPOSED"
    base = plan(key)
    before = given(await off_the_loop(asking.read, "auditor", SEEN, {"id": base}))

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

    own = await off_the_loop(asking.do, "reviewer", APPROVE, {"id": again["id"]})
    assert [e["code"] for e in own["userErrors"]] == ["FOUR_EYES"]
    done = await off_the_loop(asking.do, "reviewer_2", APPROVE, {"id": again["id"]})
    approved = done["plan"]
    assert approved["status"] == "APPROVED"
    assert {each["status"] for each in approved["lines"]["nodes"]} == {"RESERVED"}
    await all_is_well(market.database)


@pytest.mark.one_database
async def test_edits_that_are_none_are_refused_each_by_its_place(asking: Asked) -> None:
    market = asking.market
    home = await a_consenting(market)
    need, draft = await a_need(market, home), await a_need(market, home, status="DRAFT")
    offer = await an_offer(market)
    key = await a_proposal(market, [(need, offer, 40)])
    base = plan(key)
    found = await market.value(sa.select(plan_lines.c.id).where(plan_lines.c.plan_id == key))
    line = {"lineId": opaque_id("PlanLine", int(found)), "reason": "So."}

    def of(**edit: Any) -> list[str]:
        return refused(asking, base, [edit])

    assert refused(asking, base, []) == ["edits REQUIRED"]
    assert of(**line, kind="CHANGE_QUANTITY") == ["edits.0.units REQUIRED"]
    assert of(**line, kind="CHANGE_QUANTITY", units="40") == ["edits.0.units UNCHANGED"]
    assert of(**line, kind="FORBID", units="4") == ["edits.0.units INVALID"]
    assert of(**line | {"reason": " "}, kind="PIN") == ["edits.0.reason REQUIRED"]
    assert of(kind="PIN", reason="So.") == ["edits.0.lineId REQUIRED"]
    both = a_line(need, offer, "PIN") | line
    assert refused(asking, base, [both]) == ["edits.0.lineId REQUIRED"]
    assert of(**a_line(draft, offer, "PIN", 5)) == ["edits.0.needId NOT_FOUND"]
    assert of(**a_line(need, offer + 99, "FORBID")) == ["edits.0.offerId NOT_FOUND"]
    twice = [a_line(need, offer, "FORBID"), line | {"kind": "PIN"}]
    assert refused(asking, base, twice) == ["edits.1 DUPLICATE"]

    given = {"planId": base, "edits": [line | {"kind": "FORBID"}]}
    for who in ("provider", "assistance", "auditor"):
        assert "errors" in asking.ask(who, EDIT, {"input": given})
    first = asking.do("reviewer", EDIT, given)["plan"]
    assert first["status"] == "QUEUED"
    assert refused(asking, base, given["edits"]) == ["id EDIT_IN_PROGRESS"]
    assert refused(asking, first["id"], given["edits"]) == ["id CONFLICT"]


@pytest.mark.one_database
async def test_an_edit_that_cannot_stand_is_told_with_its_reason(market: Market) -> None:
    home, alone = await a_consenting(market), await a_consenting(market)
    need = await a_need(market, home, **units(100, quantity_min=80))
    other = await a_need(market, alone)
    offer, far = await an_offer(market, quantity=90), await an_offer(market, target_groups=2)
    async with market.database.snapshot() as db:
        seen = await markets.read(
            db, now=market.database.now(), region_id=market.region["county"], category_id=None
        )
    for edits, why in (
        ([(need, far, 10)], "the offer's rules do not allow it"),
        ([(need, offer, 80), (other, offer, 20)], "less left"),
        ([(need, offer + 99, 80)], "no longer in the market"),
    ):
        with pytest.raises(JobFailed) as failed:
            settled(seen, [Edit(need_id=n, offer_id=o, units=u) for n, o, u in edits])
        assert why in failed.value.said.en

    halved = settled(seen, [Edit(need_id=need, offer_id=offer, units=50)])
    rest = rounds.solved(halved.market, translate(halved.market, pairs_max=9), matching.solve)
    with pytest.raises(JobFailed, match="less than is of use"):
        halved.completed(rest)


async def test_an_edit_is_too_late_once_the_edited_plan_is_approved(asking: Asked) -> None:
    market = asking.market
    need = await a_need(market, await a_consenting(market))
    offer = await an_offer(market)
    base = plan(await a_proposal(market, [(need, offer, 90)]))
    late = asking.do("reviewer", EDIT, {"planId": base, "edits": [a_line(need, offer, "FORBID")]})
    key = key_of("Plan", late["plan"]["id"])
    asking.do("reviewer_2", APPROVE, {"id": base})
    async with a_worker(market.database):
        assert await finished(market.database, key) == "FAILED"
    assert (await market.row(plans, key))["error"]["code"] == "BASE_APPROVED"
    assert (await market.row(plans, key_of("Plan", base)))["status"] == "APPROVED"
    await all_is_well(market.database)
