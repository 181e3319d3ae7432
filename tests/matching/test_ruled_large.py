"""Rules over very many units: what floats cannot decide is not called proven."""

import numpy as np
import pytest

from matching import Policy, Problem, certify, solve, violations

# Kept at more than 2^30 units of severity 2, the last need still can be served: see BETTER.
BILLIONS = Problem(
    need_units=[7561791081, 1865664452, 3246121161, 9026602140],
    need_severity=[2, 2, 1, 2],
    need_min=[1021300492, 1396038672, 1506267991, 5119071445],
    need_max_offers=[1, 0, 1, 0],
    offer_units=[18337689001, 14977304251, 17585883977],
    pair_need=[1, 3, 2, 0, 3, 3, 2],
    pair_offer=[0, 2, 0, 0, 0, 1, 1],
    pair_cost=[2, 0, 1, 0, 0, 3, 2],
    pair_draw=[3, 3, 1, 7, 3, 3, 3],
    pair_fixed_cost=[
        48731502185,
        23233046284,
        51017544548,
        51052394816,
        1393170730,
        53705915773,
        14255587712,
    ],
)
BETTER = np.array([1865664452, 5861961325, 0, 1820099377, 2, 3164640813, 1827793937])


def test_no_band_after_one_of_billions_is_proven_below_what_is_possible() -> None:
    policy = Policy(order="weighted", tranches=(100,), diminishing=(1000,))
    plan = solve(BILLIONS, policy)
    (part,) = plan.components
    assert violations(BILLIONS, plan) == []
    first, second = part.bands
    severe = BILLIONS.need_severity[BILLIONS.pair_need] == 2
    possible = int(BETTER[severe].sum()), int(BETTER[~severe].sum())
    assert first.served <= possible[0] <= first.bound
    assert first.served < possible[0] or possible[1] <= second.bound
    assert not second.proven
    assert certify(BILLIONS, policy, plan).ruled_proven == int(plan.status == "optimal")


@pytest.mark.parametrize("units", [10**15, 10**17])
def test_numbers_that_a_solver_refuses_leave_the_plan_at_hand(units: int) -> None:
    problem = Problem(
        need_units=[units, units],
        need_min=[units, units],
        need_severity=[9, 5],
        offer_units=[units + units // 2, units // 3],
        pair_need=[0, 1, 1],
        pair_offer=[0, 0, 1],
    )
    plan = solve(problem)
    assert plan.pair_units.tolist() == [units, 0, 0]
    assert plan.status == "bounded"
    assert violations(problem, plan) == []
