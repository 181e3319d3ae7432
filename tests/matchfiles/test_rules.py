"""Rules in the files of aidloop match: least quantities, smallest deliveries, counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.matchfiles.command import codes, run, units


def test_least_quantities_and_smallest_deliveries_hold_and_the_plan_is_proven(
    tmp_path: Path,
) -> None:
    needs = "need_id,category,quantity,quantity_min\nwhole,rice,8,8\npart,rice,9,1\nsmall,rice,2,\n"
    offers = "offer_id,category,quantity,delivery_min\no1,rice,6,3\no2,rice,5,3\n"

    answer = run(tmp_path, needs=needs, offers=offers)

    assert answer.code == 0, answer.stderr
    given = units(answer)
    assert given["part", "o1"] + given["part", "o2"] == 9
    assert {need for need, _ in given} == {"part"}
    assert answer.report is not None
    assert answer.report["outcome"] == "optimal"
    assert "bounds meet what it serves" in answer.stdout


def test_counts_of_offers_and_deliveries_hold(tmp_path: Path) -> None:
    needs = "need_id,category,quantity,offers_max\nn1,rice,9,1\nn2,rice,9,1\nn3,rice,9,\n"
    offers = "offer_id,category,quantity,deliveries_max\no1,rice,20,1\no2,rice,6,2\n"

    given = units(run(tmp_path, needs=needs, offers=offers))

    assert sum(given.values()) == 15
    assert sum(offer == "o1" for _, offer in given) == 1
    assert all(sum(need == one for need, _ in given) <= 1 for one in ("n1", "n2"))


def test_first_come_first_served_keeps_the_same_rules(tmp_path: Path) -> None:
    needs = (
        "need_id,category,quantity,quantity_min,date\na,rice,8,8,2026-01-01\nb,rice,5,,2026-02-01\n"
    )
    offers = "offer_id,category,quantity,delivery_min,deliveries_max\no1,rice,7,3,1\n"

    answer = run(tmp_path, "--compare", needs=needs, offers=offers)

    assert answer.report is not None
    first_come = answer.report["first_come_first_served"]
    assert isinstance(first_come, dict)
    assert first_come["total"]["served"] == 5
    assert dict(units(answer)) == {("b", "o1"): 5}


@pytest.mark.parametrize(
    ("least", "code"), [("9", "TOO_LARGE"), ("0", "TOO_SMALL"), ("x", "NOT_A_NUMBER")]
)
def test_a_least_quantity_that_is_none_is_refused_by_row(
    tmp_path: Path, least: str, code: str
) -> None:
    needs = f"need_id,category,quantity,quantity_min\nn1,rice,8,{least}\n"

    answer = run(tmp_path, needs=needs)

    assert answer.code != 0
    assert code in str(codes(answer)) or code in answer.stderr
