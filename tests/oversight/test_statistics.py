"""Statistics of the loop: what each figure counts, by whose calendar, and who is told what."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from marketplace.domain.ids import opaque_id
from marketplace.persistence.tables import (
    assessments,
    government_aids,
    households,
    monitoring_checks,
    results,
    visits,
)
from tests.fixtures.asked import Asked
from tests.fixtures.market import Market, a_household
from tests.fixtures.results import a_result

FIGURES = """
  personTimesChecked subsistenceAllowanceEnrolled temporaryAssistanceGranted
  personTimesHelpedByCharity visits acknowledgedInTimeShare medianDaysFromNeedToDelivery
"""
NAMES = FIGURES.split()
# In the county it is the first of January already; in UTC it is not.
NEW_YEAR = datetime(2022, 12, 31, 16, 0, tzinfo=UTC)
AFTER = datetime(2023, 9, 30, 16, 0, tzinfo=UTC)
JUST = timedelta(seconds=1)


def over(asking: Asked, who: str | None, region: str | None = None, **days: str) -> dict[str, Any]:
    first, last = days.get("first", "2023-01-01"), days.get("last", "2023-09-30")
    where = ""
    if region is not None:
        where = f', regionId: "{opaque_id("Region", asking.market.region[region])}"'
    document = f'{{ loopStatistics(from: "{first}", to: "{last}"{where}) {{ {FIGURES} }} }}'
    return dict(asking.see(who, document)["loopStatistics"])


def counts(found: dict[str, Any]) -> list[int | None]:
    return [found[name] for name in NAMES[:5]]


async def people(market: Market, count: int, region: str = "grid") -> int:
    """A household of so many people, never assessed."""
    key = await a_household(market, region=region, severity=None)
    async with market.database.write() as db:
        this = sa.update(households).where(households.c.id == key)
        await db.execute(this.values(member_count=count))
    return key


async def put(market: Market, table: sa.Table, **values: Any) -> None:
    async with market.database.write() as db:
        await db.insert(table, values)


async def checked(market: Market, household: int, at: datetime, persons: int) -> None:
    await put(
        market, monitoring_checks, household_id=household, region_id=market.region["grid"],
        monitoring_category="MARGINAL", outcome="NO_CHANGE", persons=persons,
        checked_by=market.viewer["grid"].account_id, checked_at=at, created_at=at,
    )  # fmt: skip


async def visited(
    market: Market, household: int | None, at: datetime, persons: int, region: str = "grid"
) -> None:
    await put(
        market, visits, kind="FREE_CLINIC", household_id=household,
        region_id=market.region[region], visited_by=market.viewer["grid"].account_id,
        visited_at=at, persons_reached=persons, seal_id=uuid4().hex, created_at=at,
    )  # fmt: skip


async def granted(
    market: Market, household: int, kind: str, at: datetime, *, yes: bool = True, **more: Any
) -> None:
    await put(
        market, government_aids, household_id=household, kind=kind, granted=yes, amount_fen=100,
        starts_on=at.date(), decided_at=at, **more,
    )  # fmt: skip


async def helped(market: Market, household: int, at: datetime, received: int = 40) -> None:
    """A confirmed delivery whose result was sent at a time."""
    result, *_ = await a_result(market, household_id=household)
    async with market.database.write() as db:
        this = sa.update(results).where(results.c.id == result)
        moved = {"sent_at": at, "units_received": received, "delivered_at": at}
        await db.execute(this.values(**moved))


async def test_every_figure_counts_people_within_the_days_of_the_county(asking: Asked) -> None:
    market = asking.market
    one, two = await people(market, 3), await people(market, 5)
    before, within, last = NEW_YEAR - JUST, NEW_YEAR, AFTER - JUST
    for at, persons in ((before, 100), (within, 3), (last, 2), (AFTER, 100)):
        await checked(market, one, at, persons)
        await visited(market, one, at, persons * 2)
    await visited(market, None, within, 40)
    # Enrolled once before, so that a second grant enrolls nobody.
    for household, at in ((one, before), (one, within), (two, within), (two, last)):
        await granted(market, household, "SUBSISTENCE_ALLOWANCE", at)
    await granted(market, one, "SUBSISTENCE_ALLOWANCE", within, yes=False)
    never_began = within.date() - timedelta(days=1)
    await granted(market, two, "TEMPORARY_ASSISTANCE", within, ends_on=never_began)
    for household, at in ((one, within), (one, last), (two, AFTER)):
        await granted(market, household, "TEMPORARY_ASSISTANCE", at)
    for household, at in ((one, within), (one, last), (two, last), (two, AFTER)):
        await helped(market, household, at)
    await helped(market, two, within, received=0)

    found = over(asking, "assistance", "county")

    assert counts(found) == [5, 5, 3, 3 + 3 + 5, 50]
    assert counts(over(asking, "auditor")) == counts(found)
    assert counts(over(asking, "township", "xiugu")) == counts(found)
    assert counts(over(asking, "assistance", "huangtong")) == [0] * 5
    one_day = over(asking, "assistance", "county", first="2023-01-01", last="2023-01-01")
    assert counts(one_day) == [3, 5, 3, 3, 46]

    # A child is born: what was counted of the year stays as the assessment of then said.
    async with market.database.write() as db:
        this = sa.update(households).where(households.c.id == one)
        await db.execute(this.values(member_count=4))
    assert counts(over(asking, "assistance", "county"))[2] == 4
    amounts = ("income", "medical", "education", "disability_care", "housing", "disaster")
    await put(
        market, assessments, household_id=one, assessed_at=before, policy_version="test",
        member_count=3, property_fen=0, eligibility_class="NONE", severity=50, trace={},
        **{f"{name}_fen_month": 0 for name in amounts},
    )  # fmt: skip
    assert counts(over(asking, "assistance", "county"))[2] == 3


async def test_few_are_hidden_from_those_who_need_not_know_and_no_difference_tells_of_them(
    asking: Asked,
) -> None:
    market = asking.market
    spring, autumn = datetime(2023, 2, 1, tzinfo=UTC), datetime(2023, 8, 1, tzinfo=UTC)
    for at, region, homes in ((spring, "grid", 6), (autumn, "grid", 5), (autumn, "far_village", 5)):
        for _ in range(homes):
            await visited(market, await people(market, 2, region), at, 2, region)
    shown = {"public": None, "provider": "provider", "other_township": "other_township"}

    # Of everything, and of a county, what five households are behind; nobody was checked.
    for key in shown.values():
        assert counts(over(asking, key)) == [0, 0, 0, 0, 32]
        assert counts(over(asking, key, "county")) == [0, 0, 0, 0, 32]
        assert over(asking, key, "xiugu")["visits"] == 22

    # A clinic that names no household tells of none.
    await visited(market, None, spring, 3, "far_village")
    assert over(asking, None, "huangtong")["visits"] == 13
    few = await people(market, 2, "far_village")
    await visited(market, few, spring, 2, "far_village")
    for key in (None, "provider", "grid"):
        found = over(asking, key, "county")
        assert found["visits"] == 37
        assert over(asking, key, "xiugu")["visits"] is None, "the county less this tells of one"
        assert over(asking, key, "xiugu", first="2023-07-01")["visits"] == 10
        summer = over(asking, key, "county", first="2023-07-01", last="2023-08-01")
        assert summer["visits"] == 20
    await checked(market, few, spring, 2)
    assert over(asking, None, "county")["personTimesChecked"] is None
    assert over(asking, None)["personTimesChecked"] is None
    assert over(asking, "assistance", "county")["personTimesChecked"] == 2
    assert over(asking, "township", "xiugu")["visits"] == 22


@pytest.mark.one_database
async def test_shares_and_medians_are_as_those_of_confirmed_results(asking: Asked) -> None:
    market = asking.market
    for number in range(6):
        result, *_ = await a_result(market)
        async with market.database.write() as db:
            this = sa.update(results).where(results.c.id == result)
            at = NEW_YEAR + timedelta(days=30 + number)
            await db.execute(this.values(sent_at=at, delivered_at=at))

    found = over(asking, None)

    assert found["personTimesHelpedByCharity"] == 12
    assert found["acknowledgedInTimeShare"] is None
    assert found["medianDaysFromNeedToDelivery"] < 0, "the needs were written down today"
    assert over(asking, None, first="2023-06-01")["medianDaysFromNeedToDelivery"] is None


@pytest.mark.one_database
async def test_days_that_are_no_span_and_parts_that_are_too_small_are_refused(
    asking: Asked,
) -> None:
    region = opaque_id("Region", asking.market.region["grid"])
    town = opaque_id("Region", asking.market.region["xiugu"])
    gone = opaque_id("Region", 10_000)
    for given, code in (
        ('from: "2023-09-30", to: "2023-01-01"', "INVALID"),
        ('from: "2003-09-30", to: "2023-01-01"', "INVALID"),
        (f'from: "2023-01-01", to: "2023-09-29", regionId: "{town}"', "WHOLE_QUARTERS"),
        (f'from: "2023-02-01", to: "2023-09-30", regionId: "{town}"', "WHOLE_QUARTERS"),
        (f'from: "2023-01-01", to: "2023-09-30", regionId: "{region}"', "TOO_SMALL"),
        (f'from: "2023-01-01", to: "2023-09-30", regionId: "{gone}"', "NOT_FOUND"),
    ):
        answer = asking.ask(None, f"{{ loopStatistics({given}) {{ visits }} }}")
        assert [e["extensions"]["code"] for e in answer["errors"]] == [code], given
