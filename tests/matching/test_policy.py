"""Policies are checked, and rank units exactly as they say."""

from fractions import Fraction

import numpy as np
import pytest

from matching import Policy, tranches
from matching.policy import ORDERS, Order
from tests.matching.oracles import unit_keys


@pytest.mark.parametrize(
    "wrong",
    [
        {"order": "random"},
        {"floor_share": 0.25},
        {"floor_share": True},
        {"floor_share": Fraction(5, 4)},
        {"floor_share": Fraction(-1, 4)},
        {"floor_share": Fraction(1, 10**6 + 1)},
        {"tranches": ()},
        {"tranches": (25, 50)},
        {"tranches": (50, 50, 75, 100)},
        {"tranches": (25.0, 50, 75, 100)},
        {"tranches": (0, 50, 75, 100)},
        {"tranches": 100},
        {"diminishing": (1000, 600, 350)},
        {"diminishing": (600, 1000, 350, 150)},
        {"diminishing": (1000, 600, 350, 0)},
        {"share_steps": 0},
        {"share_steps": 1001},
        {"share_steps": 10.0},
        {"change_penalty": -1},
        {"change_budget": -1},
    ],
)
def test_a_policy_that_makes_no_sense_is_refused_by_name(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Policy(**wrong)  # type: ignore[arg-type]


def test_a_policy_survives_the_trip_through_plain_values() -> None:
    policy = Policy(order="leximin", floor_share=Fraction(1, 3), share_steps=7, change_budget=5)
    assert Policy.from_json(policy.to_json()) == policy
    for wrong in ({"floor": 1}, {"floor_share": 0.5}, {"order": 3}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            Policy.from_json(wrong)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("seed", range(20))
def test_levels_rank_the_keys_of_single_units(seed: int, order: Order) -> None:
    r = np.random.default_rng(seed)
    n = int(r.integers(0, 6))
    units = r.integers(1, int(r.choice([3, 12, 230])), n)
    severity = r.integers(1, 5, n)
    policy = Policy(
        order=order,
        floor_share=Fraction(int(r.integers(0, 6)), 5),
        share_steps=int(r.choice([1, 3, 10, 100])),
    )
    asked = zip(units.tolist(), severity.tolist(), strict=True)
    keys = [key for d, s in asked for key in unit_keys(d, s, policy)]

    ranked = tranches(units, severity, policy)

    assert ranked.keys == tuple(sorted(set(keys)))
    assert [ranked.keys[level] for level in np.repeat(ranked.level, ranked.units)] == keys


def test_many_severities_are_ranked_without_a_table_for_all_of_them() -> None:
    severity = np.arange(1, 20_001)
    ranked = tranches(np.full(20_000, 3), severity, Policy(order="leximin", share_steps=1000))
    assert ranked.n_levels == 60_000
    assert ranked.keys[0] == (Fraction(0), -Fraction(1, 3), -20_000)


def test_a_need_of_ten_thousand_million_units_is_a_hundred_tranches() -> None:
    ranked = tranches(np.array([10**10 + 1]), np.array([1]), Policy(order="leximin"))
    assert len(ranked.units) == 100
    assert int(ranked.units.sum()) == 10**10 + 1
    assert ranked.units[0] == 10**8 + 1
