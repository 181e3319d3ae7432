"""The formula: what it says of hand-made cases, and what it never does."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.domain.errors import InvalidInput
from marketplace.domain.registry.assessments import (
    Area,
    Circumstances,
    EligibilityClass,
    area_of,
    assess,
)
from marketplace.domain.registry.households import TargetGroup
from marketplace.services.registry.lines import from_package, lines_of

LINES = lines_of("361027", Area.RURAL, date(2026, 11, 24))  # 800 yuan a head and month
E = EligibilityClass

fen = st.integers(0, 2_000_000)
circumstances = st.builds(
    Circumstances,
    member_count=st.integers(1, 12),
    income_fen_month=fen,
    property_fen=st.integers(0, 100_000_000),
    medical_fen_month=fen,
    education_fen_month=fen,
    disability_care_fen_month=fen,
    housing_fen_month=fen,
    disaster_fen_month=fen,
    target_groups=st.integers(0, 2 ** len(TargetGroup) - 1),
    unsupported=st.booleans(),
)


def severity(found: Circumstances) -> int:
    return assess(found, LINES).severity


@given(circumstances)
def test_the_severity_is_the_sum_of_what_the_trace_shows(found: Circumstances) -> None:
    assessed = assess(found, LINES)

    points = 1 + sum(step.points or 0 for step in assessed.trace)
    assert assessed.severity == min(100, max(1, points))
    assert all(step.text.en and step.text.zh for step in assessed.trace)


@given(circumstances, st.integers(0, 2_000_000))
def test_less_income_never_lowers_the_severity(found: Circumstances, less: int) -> None:
    poorer = replace(found, income_fen_month=max(0, found.income_fen_month - less))

    assert severity(poorer) >= severity(found)


@given(circumstances, fen, st.sampled_from(["medical", "education", "housing", "disaster"]))
def test_more_rigid_expenditure_never_lowers_it(found: Circumstances, more: int, of: str) -> None:
    name = f"{of}_fen_month"

    assert severity(replace(found, **{name: getattr(found, name) + more})) >= severity(found)


@given(circumstances, st.integers(0, 100_000_000))
def test_more_property_never_raises_it(found: Circumstances, more: int) -> None:
    assert severity(replace(found, property_fen=found.property_fen + more)) <= severity(found)


@given(circumstances)
def test_one_more_head_or_group_never_lowers_it(found: Circumstances) -> None:
    assert severity(replace(found, member_count=found.member_count + 1)) >= severity(found)
    for bit in range(len(TargetGroup)):
        more = replace(found, target_groups=found.target_groups | 1 << bit)
        assert severity(more) >= severity(found)


@given(circumstances, st.integers(0, 2_000_000))
def test_less_income_never_takes_a_class_away(found: Circumstances, less: int) -> None:
    poorer = replace(found, income_fen_month=max(0, found.income_fen_month - less))

    if assess(found, LINES).eligibility_class is not E.NONE:
        assert assess(poorer, LINES).eligibility_class is not E.NONE


def household(income: int, property_yuan: int = 0, **rest: int | bool) -> Circumstances:
    amounts = {
        k: v if isinstance(v, bool) or k == "member_count" else v * 100 for k, v in rest.items()
    }
    values = {"member_count": 1} | amounts
    return Circumstances(income_fen_month=income * 100, property_fen=property_yuan * 100, **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (household(799), E.SUBSISTENCE_ALLOWANCE),
        (household(800), E.LOW_INCOME_EDGE),
        (household(1_200), E.LOW_INCOME_EDGE),
        (household(1_201), E.NONE),
        (household(1_598, member_count=2), E.SUBSISTENCE_ALLOWANCE),
        (household(700, 19_200), E.SUBSISTENCE_ALLOWANCE),
        (household(700, 19_201), E.LOW_INCOME_EDGE),
        (household(700, 28_801), E.NONE),
        (household(1_900, medical_fen_month=1_101), E.RIGID_EXPENDITURE),
        (household(1_900, medical_fen_month=1_100), E.NONE),
        (household(1_901, medical_fen_month=1_500), E.NONE),
        (household(800, unsupported=True), E.EXTREME_POVERTY),
        (household(801, unsupported=True), E.LOW_INCOME_EDGE),
        (household(100, 30_000, unsupported=True), E.NONE),
    ],
)
def test_the_class_turns_exactly_at_its_lines(
    found: Circumstances, expected: EligibilityClass
) -> None:
    assert assess(found, LINES).eligibility_class is expected


def test_who_has_nothing_and_every_burden_is_at_the_top_and_who_has_plenty_at_the_bottom() -> None:
    worst = household(0, medical_fen_month=90_000)
    worst = replace(worst, target_groups=2 ** len(TargetGroup) - 1)

    assert severity(worst) == 99
    assert severity(household(50_000, 10_000_000)) == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("income_fen_month", -1),
        ("property_fen", 10**11),
        ("member_count", 0),
        ("target_groups", 2 ** len(TargetGroup)),
    ],
)
def test_amounts_that_no_household_has_are_refused_by_name(name: str, value: int) -> None:
    with pytest.raises(InvalidInput) as refused:
        assess(replace(household(500), **{name: value}), LINES)

    assert [fault.field for fault in refused.value.faults] == [(name,)]


def test_town_and_country_have_lines_of_their_own_that_say_what_they_are() -> None:
    assert area_of("361027100009-2") is Area.URBAN
    assert area_of("361027400505") is Area.RURAL
    urban = lines_of("361027", Area.URBAN, date(2026, 1, 1))
    assert urban.subsistence_fen_month > LINES.subsistence_fen_month
    assert all(lines.is_assumption and lines.note.zh and lines.note.en for lines in from_package())


def test_there_are_no_lines_for_another_county_or_before_they_were_published() -> None:
    for county, day in (("361026", date(2026, 1, 1)), ("361027", date(2022, 9, 30))):
        with pytest.raises(InvalidInput) as refused:
            lines_of(county, Area.RURAL, day)
        assert refused.value.faults[0].code == "POLICY_MISSING"
