"""Government aid: what it leaves open, and that it is recorded by whom it behoves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from marketplace.domain.exchange.government_aid import (
    AidGranted,
    Counted,
    DecideAid,
    GovernmentAidKind,
    covered_by_government,
)
from marketplace.persistence.database import Database
from marketplace.persistence.tables import events, government_aids
from marketplace.services.exchange.government_aid import decide
from marketplace.services.registry import households
from tests.fixtures.county import SEALER, County, a_county, a_family, belongs_to

EARLIER, DAY = date(2026, 6, 1), date(2026, 11, 24)
RICE, FLOUR, STAPLE, QUILT = (3, 3), (4, 4), (2, 4), (5, 5)


def aid(of: tuple[int, int], units: int, **changes: Any) -> AidGranted:
    values = {"category_low": of[0], "category_high": of[1], "covers_quantity": units}
    return AidGranted(**{"starts_on": date(2026, 1, 1)} | values | changes)


def covered(
    asked: int,
    of: tuple[int, int],
    *aids: AidGranted,
    before: Sequence[tuple[tuple[int, int], int]] = (),
) -> int:
    counted = [Counted(*where, units, EARLIER) for where, units in before]
    return covered_by_government(
        asked, category_low=of[0], category_high=of[1], aids=aids, on=DAY, counted=counted
    )


@pytest.mark.parametrize(
    ("asked", "of", "given_aid", "expected"),
    [
        (100, RICE, aid(RICE, 30), 30),
        (100, RICE, aid(STAPLE, 30), 30),
        (100, STAPLE, aid(RICE, 30), 30),
        (100, QUILT, aid(STAPLE, 30), 0),
        (20, RICE, aid(RICE, 30), 20),
        (100, RICE, aid(RICE, 30, granted=False), 0),
        (100, RICE, aid(RICE, 30, ends_on=date(2026, 11, 23)), 0),
        (100, RICE, aid(RICE, 30, ends_on=DAY), 30),
        (100, RICE, aid(RICE, 30, starts_on=date(2026, 11, 25)), 0),
        (100, RICE, aid(RICE, 30, starts_on=DAY), 30),
    ],
)
def test_what_counts_toward_what(
    asked: int, of: tuple[int, int], given_aid: AidGranted, expected: int
) -> None:
    assert covered(asked, of, given_aid) == expected


def test_the_same_sack_of_rice_is_not_set_off_twice() -> None:
    assert covered(100, RICE, aid(RICE, 30), aid(STAPLE, 20), before=[(RICE, 40)]) == 10
    assert covered(100, RICE, aid(RICE, 30), before=[(RICE, 50)]) == 0


def test_not_even_as_another_staple_food() -> None:
    """Aid with staple food that was set off against rice is gone for flour; aid with rice is not
    looked at for flour, so it does not protect it either."""
    assert covered(30, FLOUR, aid(STAPLE, 60), before=[(RICE, 60)]) == 0
    assert covered(30, FLOUR, aid(STAPLE, 60), aid(RICE, 60), before=[(RICE, 60)]) == 30
    assert covered(30, FLOUR, aid(STAPLE, 60), aid(QUILT, 9), before=[(QUILT, 9)]) == 30


def test_what_has_ended_was_drawn_on_first() -> None:
    ended = aid(RICE, 30, ends_on=date(2026, 10, 1))
    assert covered(100, RICE, ended, aid(RICE, 20), before=[(RICE, 30)]) == 20
    assert covered(100, RICE, ended, aid(RICE, 20), before=[(RICE, 45)]) == 5


def test_a_need_draws_on_nothing_that_did_not_stand_on_its_day() -> None:
    over = aid(RICE, 500, ends_on=date(2026, 3, 1))
    later = aid(RICE, 500, starts_on=date(2026, 7, 1))
    assert covered(100, RICE, over, aid(RICE, 20), before=[(RICE, 20)]) == 0
    assert covered(100, RICE, later, aid(RICE, 20), before=[(RICE, 20)]) == 100


@given(st.integers(1, 10**9), st.lists(st.integers(0, 10**9), max_size=5), st.integers(0, 10**9))
def test_the_residual_lies_between_nothing_and_all(
    asked: int, units: list[int], before: int
) -> None:
    aids = [aid(RICE, n) for n in units]
    found = covered(asked, RICE, *aids, before=[(RICE, before)])

    assert 0 <= found <= asked
    assert found == min(asked, max(0, sum(units) - before))


def test_nonsense_is_a_bug_of_the_caller() -> None:
    with pytest.raises(ValueError, match="asked"):
        covered(0, RICE)


def a_decision(county: County, household_id: int, **changes: Any) -> DecideAid:
    values: dict[str, Any] = {
        "household_id": household_id,
        "kind": GovernmentAidKind.TEMPORARY_ASSISTANCE,
        "amount_fen": 50_000,
        "starts_on": DAY,
        "covers_category_id": county.category["rice"],
        "covers_quantity": 30,
    }
    return DecideAid(**values | changes)


async def test_the_assistance_desk_records_its_decisions(database: Database) -> None:
    county = await a_county(database)
    key = await households.register(database, county.act("township"), SEALER, a_family(county))

    await decide(database, county.act("assistance"), a_decision(county, key))

    (row,) = await county.rows(government_aids)
    assert (row["household_id"], row["covers_quantity"], row["granted"]) == (key, 30, True)
    assert row["decided_by"] == county.viewer["assistance"].account_id
    assert [e["kind"] for e in await county.rows(events)][-1] == "government_aid.decided"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"amount_fen": -1}, "amount_fen"),
        ({"covers_quantity": 10**13}, "covers_quantity"),
        ({"ends_on": date(2026, 11, 1)}, "ends_on"),
        ({"granted": False}, "granted"),
        ({"covers_category_id": None}, "covers_category_id"),
        ({"covers_category_id": 10**9}, "covers_category_id"),
    ],
)
async def test_a_decision_that_cannot_be_is_refused(
    database: Database, changes: dict[str, Any], field: str
) -> None:
    county = await a_county(database)
    key = await households.register(database, county.act("township"), SEALER, a_family(county))

    with pytest.raises(InvalidInput) as refused:
        await decide(database, county.act("assistance"), a_decision(county, key, **changes))

    assert refused.value.faults[0].field == (field,)
    assert await county.rows(government_aids) == []


async def test_who_may_decide_and_on_whom(database: Database) -> None:
    county = await a_county(database)
    key = await households.register(database, county.act("township"), SEALER, a_family(county))
    await belongs_to(county, "assistance", key)

    with pytest.raises(Forbidden):
        await decide(database, county.act("charity"), a_decision(county, key))
    with pytest.raises(NotFound):
        await decide(database, county.act("assistance"), a_decision(county, 10**9))
    with pytest.raises(Conflict):
        await decide(database, county.act("assistance"), a_decision(county, key))

    assert await county.rows(government_aids) == []
