"""A problem refuses arrays that no solver should see, by name and index."""

import pickle

import numpy as np
import pytest

from matching import Policy, Problem, certify, solve, violations

SOUND = {
    "need_units": [3, 2],
    "need_severity": [1, 2],
    "offer_units": [4, 1],
    "pair_need": [0, 1, 1],
    "pair_offer": [0, 0, 1],
}
PER_NEED = ("need_units", "need_severity", "need_value", "need_min", "need_max_offers")
PER_OFFER = ("offer_units", "offer_min_lot", "offer_max_needs", "offer_household_max")
PER_PAIR = ("pair_cost", "pair_draw", "pair_max", "pair_prior", "pair_committed", "pair_fixed_cost")
ONE_UP = {"need_units", "need_severity", "need_value", "need_min", "offer_units", "offer_min_lot"}
ONE_UP |= {"pair_draw"}


def problem(**changed: object) -> Problem:
    return Problem(**(SOUND | changed))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", [*PER_NEED, *PER_OFFER, *PER_PAIR, "need_household"])
@pytest.mark.parametrize(
    "wrong",
    [
        -1,
        1.5,
        2.0,
        True,
        float("nan"),
        float("inf"),
        2**63,
        2**70,
        -(2**63),
        "3",
        None,
        1 + 2j,
        [1],
    ],
)
def test_a_wrong_entry_is_refused_by_name_and_index(name: str, wrong: object) -> None:
    size = 3 if name in PER_PAIR else 2
    values = [1] * size
    values[size - 1] = wrong  # type: ignore[call-overload]
    with pytest.raises(ValueError, match=name):
        problem(**{name: values})
    if not isinstance(wrong, list | float | bool | complex | str):
        with pytest.raises(ValueError, match=rf"{name}\[{size - 1}\]"):
            problem(**{name: values})


@pytest.mark.parametrize("name", [*PER_NEED, *PER_OFFER, *PER_PAIR])
def test_zero_is_refused_where_one_is_the_least(name: str) -> None:
    values = [0] * (3 if name in PER_PAIR else 2)
    if name in ONE_UP:
        with pytest.raises(ValueError, match=rf"{name}\[0\] is 0"):
            problem(**{name: values})
    else:
        assert getattr(problem(**{name: values}), name).tolist() == values


@pytest.mark.parametrize("name", [*PER_NEED, *PER_OFFER, *PER_PAIR, "pair_offer"])
def test_a_column_of_the_wrong_length_is_refused(name: str) -> None:
    if name in ("need_units", "offer_units"):
        with pytest.raises(ValueError, match=r"need_severity|pair_need|pair_offer"):
            problem(**{name: [1]})
        return
    for values in ([1] * 7, [], [[1, 1], [1, 1]]):
        with pytest.raises(ValueError, match=name):
            problem(**{name: values})


@pytest.mark.parametrize("name", ["pair_need", "pair_offer"])
@pytest.mark.parametrize("wrong", [2, -1, 2**40, 0.0, False])
def test_a_pair_with_a_row_that_is_not_there_is_refused(name: str, wrong: object) -> None:
    with pytest.raises(ValueError, match=name):
        problem(**{name: [wrong, 1, 0]})


def test_a_pair_given_twice_is_refused_at_its_second_place() -> None:
    with pytest.raises(ValueError, match=r"pair_need\[3\], pair_offer\[3\]: same pair as \[1\]"):
        problem(pair_need=[0, 1, 1, 1], pair_offer=[0, 0, 1, 0])


@pytest.mark.parametrize(
    "values",
    [
        np.array([3.0, 2.0]),
        np.array([True, True]),
        np.array(["3", "2"]),
        np.array([3, 2], np.complex128),
        np.array([np.datetime64("2026-01-01")] * 2),
        np.array([None, None]),
        np.array([[3], [2]]),
        "32",
    ],
)
def test_an_array_of_another_type_or_shape_is_refused(values: object) -> None:
    with pytest.raises(ValueError, match="need_units"):
        problem(need_units=values)


@pytest.mark.parametrize("kind", [np.int8, np.uint16, np.int32, np.uint64, ">i8"])
def test_any_type_of_whole_numbers_is_taken(kind: object) -> None:
    taken = problem(need_units=np.array([3, 2], kind))  # type: ignore[call-overload]
    assert taken.need_units.dtype == np.int64
    assert taken.digest == problem().digest


def test_sums_that_would_overflow_are_refused() -> None:
    with pytest.raises(ValueError, match=r"need_units\[2\].*overflow"):
        Problem(
            need_units=[10**18] * 3, need_severity=1, offer_units=[1], pair_need=[], pair_offer=[]
        )
    many = np.arange(40)
    with pytest.raises(ValueError, match=r"pair_need\[.*overflow"):
        Problem(
            need_units=[5 * 10**16] * 40,
            need_severity=1,
            offer_units=[10**18] * 40,
            pair_need=np.repeat(many, 40),
            pair_offer=np.tile(many, 40),
        )
    with pytest.raises(ValueError, match=r"pair_committed\[2\].*overflow"):
        problem(pair_committed=[10**18] * 3)


def test_costs_that_no_network_of_this_size_can_hold_are_refused() -> None:
    with pytest.raises(ValueError, match=r"pair_cost\[0\]"):
        problem(pair_cost=[10**12 + 1, 0, 0])
    with pytest.raises(ValueError, match=r"pair_cost\[1\]: too large"):
        Problem(
            need_units=np.ones(2_000_000, np.int64),
            need_severity=1,
            offer_units=[1],
            pair_need=[0, 1],
            pair_offer=[0, 0],
            pair_cost=[0, 10**12],
        )


@pytest.mark.parametrize(("n", "m"), [(0, 0), (1, 0), (0, 1), (1, 1), (3, 2)])
def test_a_problem_without_pairs_has_an_empty_plan_that_is_proven(n: int, m: int) -> None:
    empty = Problem(
        need_units=[2] * n, need_severity=1, offer_units=[2] * m, pair_need=[], pair_offer=[]
    )
    plan = solve(empty)

    assert plan.pair_units.shape == (0,)
    assert plan.status == "optimal"
    assert plan.level_served.sum() == 0
    assert plan.level_asked.sum() == 2 * n
    assert violations(empty, plan) == []
    assert certify(empty, Policy(), plan).optimal


def test_a_pair_whose_limit_is_used_up_carries_nothing() -> None:
    used_up = problem(pair_max=[1, 1, 1], pair_committed=[1, 2, 0])
    plan = solve(used_up)
    assert plan.pair_units.tolist() == [0, 0, 1]
    assert plan.certificate.optimal


def test_what_is_committed_counts_against_the_limit_of_the_household() -> None:
    limited = problem(need_household=[7, 7], offer_household_max=[3, 0], pair_committed=[0, 2, 0])
    plan = solve(limited)
    assert plan.pair_units.tolist() == [1, 0, 1]
    assert plan.certificate.optimal


@pytest.mark.parametrize("units", [10**14, 10**17, 10**18])
def test_quantities_as_people_typed_them_do_not_overflow(units: int) -> None:
    typed = Problem(
        need_units=[10**10, 5],
        need_severity=[3, 9],
        offer_units=[units, units, 2],
        pair_need=[0, 1, 1, 0],
        pair_offer=[0, 1, 2, 1],
        pair_cost=[10**6, 10**6, 0, 10**9],
    )
    for order in ("floor", "leximin", "severity", "weighted"):
        plan = solve(typed, Policy(order=order))  # type: ignore[arg-type]
        assert plan.pair_units.tolist() == [10**10, 3, 2, 0]
        assert plan.cost == 10**16 + 3 * 10**6


def test_a_huge_need_is_served_by_tranches_to_the_unit() -> None:
    huge = Problem(
        need_units=[2 * 10**17, 1],
        need_severity=[1, 100],
        offer_units=[10**17 + 1],
        pair_need=[0, 1],
        pair_offer=[0, 0],
        pair_cost=[10**12, 10**12],
    )
    plan = solve(huge)
    assert plan.pair_units.tolist() == [10**17, 1]
    assert plan.cost == (10**17 + 1) * 10**12


def test_columns_are_closed_and_the_digest_tells_problems_apart() -> None:
    source = np.array([3, 2])
    one = problem(need_units=source)
    source[0] = 9
    assert one.need_units.tolist() == [3, 2]
    with pytest.raises(ValueError, match="read-only"):
        one.need_units[0] = 1
    assert one.digest == problem().digest == pickle.loads(pickle.dumps(one)).digest
    assert len({problem(**{name: [1, 1, 2]}).digest for name in PER_PAIR}) == len(PER_PAIR)
