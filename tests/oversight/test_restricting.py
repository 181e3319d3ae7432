"""A case of a household, over HTTP: opened, found by two, restricted, and everything it halts."""

from __future__ import annotations

from marketplace.domain.ids import opaque_id
from marketplace.persistence.tables import allocations, needs, offers, published_needs
from tests.fixtures.asked import Asked
from tests.fixtures.market import a_consent, a_household, a_need, an_allocation, an_offer
from tests.oversight.documents import in_days, moving
from tests.oversight.wellness import all_is_well


async def test_a_case_is_found_by_two_and_restricted_and_all_it_halts_goes_back(
    asking: Asked,
) -> None:
    market = asking.market
    household_id = await a_household(market)
    await a_consent(market, household_id)
    published = await a_need(market, household_id)
    draft = await a_need(market, household_id, status="DRAFT")
    offer = await an_offer(market)
    reserved = await an_allocation(market, published, offer, 10)
    accepted = await an_allocation(market, published, offer, 20, status="ACCEPTED")
    on_its_way = await an_allocation(market, published, offer, 30, status="DISPATCHED")
    given = {
        "kind": "CONCEALMENT",
        "householdId": opaque_id("Household", household_id),
        "allegation": "A second flat in the county town",
    }

    case = asking.do("assistance", moving("integrityCaseOpen"), given)["case"]
    assert (case["status"], case["reference"][0]) == ("OPEN", "I")
    assert case["allowedMoves"] == ["integrityCaseFind", "integrityCaseDismiss"]
    found = {"id": case["id"], "finding": "The register of real estate says so"}
    first = asking.do("assistance", moving("integrityCaseFind"), found)
    again = asking.do("assistance", moving("integrityCaseFind"), found)
    second = asking.do("assistance_2", moving("integrityCaseFind"), found)
    assert first["case"]["status"] == "OPEN"
    assert [e["code"] for e in again["userErrors"]] == ["FOUR_EYES"]
    assert second["case"]["status"] == "FOUND"
    restricted = asking.do(
        "assistance",
        moving("integrityCaseRestrict"),
        {
            "id": case["id"],
            "scope": "CHARITY",
            "endsOn": in_days(market, 90),
            "grounds": "Three months, it was the first time",
        },
    )["case"]

    assert restricted["status"] == "RESTRICTED"
    assert restricted["restriction"] == {
        "scope": "CHARITY",
        "endsOn": in_days(market, 90),
        "inForce": True,
        "endReason": None,
    }
    for need_id, before in ((published, "PUBLISHED"), (draft, "DRAFT")):
        row = await market.row(needs, need_id)
        assert (row["status"], row["suspended_from"]) == ("SUSPENDED", before)
    assert (await market.row(needs, published))["covered"] == 30
    assert (await market.row(offers, offer))["reserved"] == 30
    for key, status, reason in (
        (reserved, "CANCELLED", "RESTRICTION"),
        (accepted, "CANCELLED", "RESTRICTION"),
        (on_its_way, "DISPATCHED", None),
    ):
        row = await market.row(allocations, key)
        assert (row["status"], row["cancel_reason"]) == (status, reason)
    assert await market.count(published_needs, published_needs.c.is_open) == 0
    await all_is_well(market.database)
