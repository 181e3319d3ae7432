"""Personal data: read for a stated purpose, within the scope, and never without a trace."""

from __future__ import annotations

import pytest

from marketplace.domain.errors import Forbidden, InvalidInput, NotFound, Unauthenticated
from marketplace.domain.registry.households import NewMember, Relation
from marketplace.persistence.crypto import SealBroken, Sealer
from marketplace.persistence.database import Database
from marketplace.persistence.tables import events
from marketplace.services.registry import households as household_service
from marketplace.services.registry import personal_data
from tests.fixtures.county import NUMBER, SEALER, County, a_county, a_family, belongs_to

pytestmark = pytest.mark.one_database  # sealing and rules, alike on both

WHY = "核对大病救助材料"


async def _registered(database: Database) -> tuple[County, int]:
    county = await a_county(database)
    key = await household_service.register(
        database, county.act("township"), SEALER, a_family(county)
    )
    return county, key


async def _viewed(county: County) -> list[dict[str, object]]:
    return [dict(e) for e in await county.rows(events) if e["kind"] == "household.viewed"]


@pytest.mark.parametrize("who", ["grid", "township", "social_worker", "assistance", "auditor"])
async def test_who_is_in_charge_reads_it_and_that_is_recorded(database: Database, who: str) -> None:
    county, key = await _registered(database)

    found = await personal_data.read(database, county.act(who), SEALER, key, WHY)

    assert (found.address, found.phone) == ("丰收村 3 组 12 号", "100 1234 5678")
    assert [member.name for member in found.members] == ["测试甲", "测试乙"]
    assert found.members[0].identity_number == NUMBER
    assert str(found.members[0].birth_date) == "1990-01-01"
    (event,) = await _viewed(county)
    assert event["account_id"] == county.viewer[who].account_id
    assert (event["entity"], event["entity_id"]) == ("Household", key)
    assert event["data"] == {"purpose": WHY, "role": county.viewer[who].role, "members": 2}


async def test_an_applicant_reads_the_own_household_and_no_other(database: Database) -> None:
    county, key = await _registered(database)
    other = await household_service.register(
        database,
        county.act("township"),
        SEALER,
        a_family(county, members=(NewMember(name="测试丙", relation=Relation.SELF),)),
    )
    await belongs_to(county, "applicant", key)

    own = await personal_data.read(database, county.act("applicant"), SEALER, key, WHY)
    with pytest.raises(NotFound):
        await personal_data.read(database, county.act("applicant"), SEALER, other, WHY)

    assert own.household_id == key
    assert len(await _viewed(county)) == 1


@pytest.mark.parametrize(
    ("who", "error"),
    [
        ("public", Unauthenticated),
        ("provider", Forbidden),
        ("federation", Forbidden),
        ("charity", Forbidden),
        ("admin", Forbidden),
        ("other_township", NotFound),
        ("applicant", NotFound),
    ],
)
async def test_who_is_not_in_charge_learns_nothing(
    database: Database, who: str, error: type[Exception]
) -> None:
    county, key = await _registered(database)

    with pytest.raises(error):
        await personal_data.read(database, county.act(who), SEALER, key, WHY)

    assert await _viewed(county) == []


@pytest.mark.parametrize(
    "purpose", ["", "   ", "abc", "....", "1234", "aaaa", "x" * 201, f"核对 {NUMBER} 材料"]
)
async def test_a_purpose_that_says_nothing_or_too_much_is_refused(
    database: Database, purpose: str
) -> None:
    county, key = await _registered(database)

    with pytest.raises(InvalidInput) as refused:
        await personal_data.read(database, county.act("township"), SEALER, key, purpose)

    assert refused.value.faults[0].field == ("purpose",)
    assert await _viewed(county) == []


@pytest.mark.parametrize(
    "number",
    [
        "138 0013 8000",
        "138-0013-8000",
        "(0794) 512-3456",
        "1 3 8 0 0 1 3 8 0 0 0",
        "138-2013-2024",
        "360102 1990-01-01 0011",
    ],
)
async def test_a_purpose_names_no_phone_and_no_person_however_it_is_spaced(
    database: Database, number: str
) -> None:
    county, key = await _registered(database)

    with pytest.raises(InvalidInput, match="numbers of persons"):
        await personal_data.read(
            database, county.act("township"), SEALER, key, f"电话核对 {number} 材料"
        )

    assert await _viewed(county) == []


@pytest.mark.parametrize(
    "purpose",
    ["核对 N-2026-000123 的材料", "核对 2026-11-24 提交的材料", "2024-2025 年度复核，共 120 户"],
)
async def test_a_purpose_may_name_a_reference_or_a_date(database: Database, purpose: str) -> None:
    county, key = await _registered(database)

    await personal_data.read(database, county.act("township"), SEALER, key, purpose)

    assert [event["data"]["purpose"] for event in await _viewed(county)] == [purpose]  # type: ignore[index]


async def test_what_cannot_be_opened_is_a_loud_failure_and_no_view(database: Database) -> None:
    county, key = await _registered(database)
    stranger = Sealer({"k1": b"x" * 32}, b"i" * 32)

    with pytest.raises(SealBroken):
        await personal_data.read(database, county.act("township"), stranger, key, WHY)

    assert await _viewed(county) == []
