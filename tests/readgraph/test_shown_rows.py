"""Fields that a viewer sees in some rows only: in others they are null, also to a filter."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from marketplace.domain.ids import opaque_id
from marketplace.domain.permissions import Viewer
from marketplace.persistence.tables import (
    allocations,
    jobs,
    plan_lines,
    plans,
    published_needs,
    referrals,
)
from schema.exchange.plans import PlanLine
from schema.readgraph.declare import NODES
from tests.fixtures.market import (
    Market,
    a_consent,
    a_household,
    a_market,
    a_need,
    an_offer,
)
from tests.readgraph.asking import ask


@pytest.fixture
async def market(database: Any) -> Market:
    return await a_market(database)


async def _titles(market: Market, viewer: Viewer, where: str) -> set[str]:
    document = f"{{ offers(first: 9, where: {where}) {{ totalCount nodes {{ title }} }} }}"
    page = (await ask(market.database, viewer, document))["offers"]
    assert page["totalCount"] == len(page["nodes"])
    return {each["title"] for each in page["nodes"]}


async def test_a_provider_learns_no_other_providers_numbers(market: Market) -> None:
    for name in ("charity", "other"):
        organization = market.organization[name]
        await an_offer(
            market, organization_id=organization, title=name, external_reference=f"X-{name}"
        )
    await an_offer(market, title="numberless")
    document = "{ offers(first: 9) { nodes { title externalReference } } }"
    expected = {
        "provider": {"charity": "X-charity", "other": None, "numberless": None},
        "federation": {"charity": "X-charity", "other": None, "numberless": None},
        "other_provider": {"charity": None, "other": "X-other", "numberless": None},
        "reviewer": {"charity": "X-charity", "other": "X-other", "numberless": None},
    }

    for who, numbers in expected.items():
        viewer = market.viewer[who]
        nodes = (await ask(market.database, viewer, document))["offers"]["nodes"]
        assert {each["title"]: each["externalReference"] for each in nodes} == numbers, who
        for number in ("X-charity", "X-other"):
            listed = {title for title, known in numbers.items() if known == number}
            others = set(numbers) - listed
            for given in (f'{{eq: "{number}"}}', f'{{oneOf: ["{number}"]}}'):
                asked = f"{{externalReference: {given}}}"
                assert await _titles(market, viewer, asked) == listed, (who, asked)
                assert await _titles(market, viewer, f"{{NOT: {asked}}}") == others, (who, asked)
        missing = {title for title, known in numbers.items() if known is None}
        asked = "{externalReference: {isNull: true}}"
        assert await _titles(market, viewer, asked) == missing, who
        asked = "{externalReference: {isNull: false}}"
        assert await _titles(market, viewer, asked) == set(numbers) - missing, who


async def test_a_provider_without_an_organization_learns_no_number(market: Market) -> None:
    await an_offer(market, external_reference="X-1", title="theirs")
    viewer = replace(market.viewer["provider"], organization_id=None)

    assert await _titles(market, viewer, '{externalReference: {eq: "X-1"}}') == set()
    assert await _titles(market, viewer, '{NOT: {externalReference: {eq: "X-1"}}}') == {"theirs"}


@pytest.mark.parametrize(("metres", "km"), [(0, 0), (1, 1), (1_000, 1), (1_001, 2), (12_345, 13)])
async def test_a_lines_distance_is_told_in_whole_kilometres(
    market: Market, metres: int, km: int
) -> None:
    line = await _line(market, metres, consents=True)

    assert await _distance(market, "assistance", line) == {"distanceKm": km}
    assert await _distance(market, "reviewer", line) == {"distanceKm": km}
    assert await _distance(market, "auditor", line) == {"distanceKm": km}


async def test_a_line_tells_no_distance_to_whoever_may_not_see_its_need(market: Market) -> None:
    line = await _line(market, 5_000, consents=False)

    assert await _distance(market, "reviewer", line) == {"distanceKm": None}
    assert await _distance(market, "assistance", line) == {"distanceKm": 5}
    assert await _distance(market, "provider", line) is None


def test_nothing_about_a_lines_distance_can_be_asked_by() -> None:
    fields = NODES[PlanLine.__name__].fields
    assert "cost" not in fields
    assert not fields["distanceKm"].spec.filter  # type: ignore[union-attr]
    assert not fields["distanceKm"].spec.order  # type: ignore[union-attr]


async def _line(market: Market, metres: int, *, consents: bool) -> int:
    now = market.database.now()
    home = await a_household(market)
    if consents:
        await a_consent(market, home)
    need_id, offer_id = await _referred(market, home), await an_offer(market)
    async with market.database.write() as db:
        job = {"kind": "plan", "payload": {}, "run_after": now, "created_at": now}
        plan = {
            "job_id": await db.insert(jobs, job),
            "region_id": market.region["county"],
            "policy": {"order": "FLOOR"},
            "created_by": market.viewer["reviewer"].account_id,
            "created_at": now,
        }
        line = {"need_id": need_id, "offer_id": offer_id, "units_served": 1, "units_drawn": 1}
        line |= {"cost": metres, "plan_id": await db.insert(plans, plan), "offer_version": 0}
        return await db.insert(plan_lines, line)


async def _referred(market: Market, home: int) -> int:
    by = market.viewer["assistance"].account_id
    async with market.database.write() as db:
        batch = {"referred_by": by, "referred_at": market.database.now(), "line_count": 1}
        referral = await db.insert(referrals, batch)
    return await a_need(market, home, referral_id=referral, referred_by=by)


async def _copy(market: Market, need_id: int) -> int:
    """A public copy that is closed."""
    async with market.database.write() as db:
        return await db.insert(
            published_needs,
            {
                "need_id": need_id,
                "category_id": market.category["staple"],
                "region_id": market.region["xiugu"],
                "is_open": False,
                "quantity": 100,
                "severity_band": "HIGH",
                "published_at": market.database.now(),
            },
        )


async def _distance(market: Market, who: str, line: int) -> dict[str, Any] | None:
    document = "query ($id: ID!) { node(id: $id) { ... on PlanLine { distanceKm } } }"
    variables = {"id": opaque_id("PlanLine", line)}
    found = (await ask(market.database, market.viewer[who], document, variables))["node"]
    assert found is None or isinstance(found, dict)
    return found


@pytest.mark.parametrize(
    ("status", "sees"),
    [("RESERVED", True), ("CONFIRMED", True), ("CANCELLED", False), ("DECLINED", False)],
)
async def test_a_provider_follows_a_closed_need_while_its_allocation_lives(
    market: Market, status: str, sees: bool
) -> None:
    need_id = await a_need(market, await a_household(market), status="WITHDRAWN")
    copy_id = await _copy(market, need_id)
    offer_id = await an_offer(market)
    async with market.database.write() as db:
        await db.insert(
            allocations,
            {
                "need_id": need_id,
                "offer_id": offer_id,
                "origin": "PLAN",
                "status": status,
                "units_served": 1,
                "units_drawn": 1,
                "created_at": market.database.now(),
            },
        )

    document = "query ($id: ID!) { node(id: $id) { id } }"
    variables = {"id": opaque_id("PublishedNeed", copy_id)}
    viewer = market.viewer["provider"]
    found = (await ask(market.database, viewer, document, variables))["node"]
    assert (found is not None) == sees
    other = await ask(market.database, market.viewer["other_provider"], document, variables)
    assert other["node"] is None
