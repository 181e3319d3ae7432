"""Households: registered with their members sealed, assessed by the published lines."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from marketplace.domain.errors import Conflict, Forbidden, InvalidInput, NotFound, Unauthenticated
from marketplace.domain.registry.assessments import Circumstances, EligibilityClass
from marketplace.domain.registry.households import NewMember, Relation
from marketplace.persistence.database import Database
from marketplace.persistence.tables import (
    assessment_overrides,
    assessments,
    events,
    households,
    members,
)
from marketplace.services.registry import assessing
from marketplace.services.registry import households as service
from marketplace.services.registry.assessing import AssessHousehold
from tests.fixtures.county import (
    COUNTY,
    HUWAN,
    NUMBER,
    SEALER,
    XIUGU,
    a_county,
    a_family,
    belongs_to,
)


async def test_a_household_is_sealed_before_it_is_written(database: Database) -> None:
    county = await a_county(database)

    key = await service.register(database, county.act("township"), SEALER, a_family(county))

    (household,) = await county.rows(households)
    head, child = await county.rows(members)
    assert (household["id"], household["member_count"], household["target_groups"]) == (key, 2, 16)
    assert (head["is_head"], child["is_head"], child["relation"]) == (True, False, "CHILD")
    stored = " ".join(str(dict(row)) for row in (household, head, child))
    for secret in ("测试甲", "测试乙", NUMBER, "1990", "丰收村", "10012345678", "100 1234"):
        assert secret not in stored
    assert household["phone_index"] == SEALER.blind_index("10012345678", place="households.phone")
    (event,) = await county.rows(events)
    assert (event["kind"], event["entity_id"]) == ("household.registered", key)
    assert "测试" not in str(event["data"])


async def test_nobody_is_registered_in_two_households(database: Database) -> None:
    county = await a_county(database)
    act = county.act("township")
    await service.register(database, act, SEALER, a_family(county))
    typed_otherwise = NewMember(
        name="某人", relation=Relation.SELF, identity_number="999027 19900101 0015"
    )

    with pytest.raises(Conflict) as refused:
        await service.register(database, act, SEALER, a_family(county, members=(typed_otherwise,)))

    assert refused.value.faults[0].code == "ALREADY_REGISTERED"
    assert NUMBER not in str(refused.value)
    assert len(await county.rows(households)) == 1


SELF = NewMember(name="甲", relation=Relation.SELF)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"members": ()}, ("members",)),
        ({"members": (SELF, SELF)}, ("members",)),
        ({"members": (replace(SELF, name=""),)}, ("members", "0", "name")),
        (
            {"members": (replace(SELF, identity_number="999027199001010018"),)},
            ("members", "0", "identity_number"),
        ),
        (
            {"members": (replace(SELF, birth_date=date(2090, 1, 1)),)},
            ("members", "0", "birth_date"),
        ),
        ({"member_count": 1}, ("member_count",)),
        ({"phone": "twelve"}, ("phone",)),
        ({"address": "x" * 201}, ("address",)),
        ({"latitude": 28.0}, ("longitude",)),
        ({"external_reference": ""}, ("external_reference",)),
    ],
)
async def test_a_household_that_cannot_be_is_refused_by_field(
    database: Database, changes: dict[str, Any], field: tuple[str, ...]
) -> None:
    county = await a_county(database)

    with pytest.raises(InvalidInput) as refused:
        await service.register(
            database, county.act("township"), SEALER, a_family(county, **changes)
        )

    assert field in {fault.field for fault in refused.value.faults}
    assert await county.rows(households) == []
    assert await county.rows(members) == []


@pytest.mark.parametrize(
    ("who", "code", "error"),
    [
        ("other_township", XIUGU + "200", NotFound),
        ("township", HUWAN + "200", NotFound),
        ("township", XIUGU, InvalidInput),
        ("assistance", COUNTY, InvalidInput),
        ("provider", XIUGU + "200", Forbidden),
        ("charity", XIUGU + "200", Forbidden),
        ("public", XIUGU + "200", Unauthenticated),
    ],
)
async def test_who_may_register_where(
    database: Database, who: str, code: str, error: type[Exception]
) -> None:
    county = await a_county(database)

    with pytest.raises(error):
        await service.register(
            database, county.act(who), SEALER, a_family(county, region_id=county.region[code])
        )

    assert await county.rows(households) == []


POOR = Circumstances(
    member_count=1, income_fen_month=120_000, property_fen=500_000, medical_fen_month=60_000
)


async def test_an_assessment_stands_with_its_trace_in_both_languages(database: Database) -> None:
    county = await a_county(database)
    key = await service.register(database, county.act("township"), SEALER, a_family(county))

    command = AssessHousehold(household_id=key, found=POOR)
    await assessing.assess(database, county.act("township"), command)

    (row,) = await county.rows(assessments)
    # Two heads and a rural line of 800 yuan: 600 of 3,200 yuan are left, 25 x 600 / 2,600,
    # a student.
    assert row["member_count"] == 2
    assert [step["points"] for step in row["trace"]] == [None, None, 43, 5, 2, 0, None]
    assert row["severity"] == 1 + 43 + 5 + 2
    assert row["eligibility_class"] == "SUBSISTENCE_ALLOWANCE"
    assert row["policy_version"] == "jinxi-2025/rural/f1"
    assert all(step["en"] and step["zh"] for step in row["trace"])
    assert "assumption" in row["trace"][0]["en"]


async def test_another_class_needs_a_reason_and_counts_for_nothing_yet(database: Database) -> None:
    county = await a_county(database)
    act = county.act("assistance")
    key = await service.register(database, act, SEALER, a_family(county))
    command = AssessHousehold(household_id=key, found=POOR, override=EligibilityClass.NONE)

    with pytest.raises(InvalidInput, match="class"):
        await assessing.assess(database, act, command)
    await assessing.assess(database, act, replace(command, override_reason="有隐瞒收入，已核实"))

    (row,) = await county.rows(assessments)
    assert (row["eligibility_class"], row["override_reason"]) == ("SUBSISTENCE_ALLOWANCE", None)
    (override,) = await county.rows(assessment_overrides)
    assert (override["eligibility_class"], override["status"]) == ("NONE", "PENDING")


async def test_nobody_assesses_the_own_household(database: Database) -> None:
    county = await a_county(database)
    act = county.act("township")
    key = await service.register(database, act, SEALER, a_family(county))
    await belongs_to(county, "township", key)

    with pytest.raises(Conflict) as refused:
        await assessing.assess(database, act, AssessHousehold(household_id=key, found=POOR))

    assert refused.value.faults[0].code == "OWN_HOUSEHOLD"
    assert await county.rows(assessments) == []


async def test_a_county_without_lines_is_told_what_is_missing(database: Database) -> None:
    database = Database(str(database.url.render_as_string(hide_password=False)), clock=_in_2020)
    try:
        county = await a_county(database)
        act = county.act("assistance")
        key = await service.register(database, act, SEALER, a_family(county))

        with pytest.raises(InvalidInput) as refused:
            await assessing.assess(database, act, AssessHousehold(household_id=key, found=POOR))

        assert refused.value.faults[0].code == "POLICY_MISSING"
    finally:
        await database.close()


def _in_2020() -> datetime:
    return datetime(2020, 5, 1, tzinfo=UTC)
