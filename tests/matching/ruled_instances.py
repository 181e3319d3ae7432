"""Problems with rules: small ones with every plan they have, and packings of visits."""

from collections import Counter
from itertools import product
from typing import Any

import numpy as np
from hypothesis import strategies as st

from matching import Policy, Problem
from tests.matching.oracles import Key, all_keys, unit_keys

RULES: dict[str, tuple[str, int, int]] = {
    "need_min": ("n", 1, 4),
    "need_max_offers": ("n", 0, 2),
    "offer_min_lot": ("m", 1, 3),
    "offer_max_needs": ("m", 0, 2),
    "pair_draw": ("p", 1, 3),
    "pair_fixed_cost": ("p", 0, 5),
}
BESIDES: dict[str, tuple[str, int, int]] = {
    "pair_committed": ("p", 0, 2),
    "pair_prior": ("p", 0, 2),
    "pair_max": ("p", 0, 4),
    "offer_household_max": ("m", 0, 5),
    "need_value": ("n", 1, 3),
}


@st.composite
def ruled_problems(draw: st.DrawFn, *rules: str) -> Problem:
    """At most four needs, three offers and six pairs, with these rules, or any where none is."""
    n, m = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    every = [(i, j) for i in range(n) for j in range(m)]
    pairs = draw(st.lists(st.sampled_from(every), unique=True, min_size=1, max_size=6))
    size = {"n": n, "m": m, "p": len(pairs)}

    def column(of: str, low: int, high: int) -> list[int]:
        return draw(st.lists(st.integers(low, high), min_size=size[of], max_size=size[of]))

    names = rules or tuple(draw(st.sets(st.sampled_from(sorted(RULES)), min_size=1)))
    names += tuple(draw(st.sets(st.sampled_from(sorted(BESIDES)), max_size=2)))
    columns: dict[str, Any] = {name: column(*(RULES | BESIDES)[name]) for name in names}
    return Problem(
        need_units=column("n", 1, 4),
        need_severity=column("n", 1, 3),
        need_household=column("n", 0, 1),
        offer_units=column("m", 1, 8),
        pair_need=[i for i, _ in pairs],
        pair_offer=[j for _, j in pairs],
        pair_cost=column("p", 0, 3),
        **columns,
    )


def every_plan(problem: Problem) -> list[list[int]]:
    """Every plan that keeps every rule, found by trying all."""
    need, offer = problem.pair_need.tolist(), problem.pair_offer.tolist()
    most = [
        min(int(problem.need_units[i]), int(problem.offer_units[j])) // 1
        for i, j in zip(need, offer, strict=True)
    ]
    tried = product(*(range(cap + 1) for cap in most))
    return [list(units) for units in tried if _keeps_rules(problem, need, offer, units)]


def levels_with_blocks(problem: Problem, policy: Policy, units: list[int]) -> list[int]:
    """Units served at each key, those of a need's minimum at the key of the last of them."""
    served: Counter[int] = Counter()
    old: Counter[int] = Counter()
    for k, i in enumerate(problem.pair_need.tolist()):
        served[i] += units[k]
        old[i] += int(problem.pair_committed[k])
    counts: Counter[Key] = Counter()
    for i, got in served.items():
        keys = unit_keys(int(problem.need_units[i]), int(problem.need_severity[i]), policy)
        block = min(max(int(problem.need_min[i]) - old[i], 1), len(keys))
        counts.update(([keys[block - 1]] * block + keys[block:])[:got])
    return [counts[key] for key in all_keys(problem, policy)]


def visits(seed: int, needs: int, offers: int) -> Problem:
    """Whole visits of several minutes, each by one volunteer who makes only a few."""
    r = np.random.default_rng(seed)
    each = min(offers, 4)
    near = np.concatenate([r.choice(offers, each, replace=False) for _ in range(needs)])
    need = np.repeat(np.arange(needs), each)
    units = r.integers(1, 4, needs)
    return Problem(
        need_units=units,
        need_min=units,
        need_max_offers=1,
        need_severity=r.integers(1, 5, needs),
        offer_units=r.integers(4, 12, offers) * 30,
        offer_max_needs=r.integers(1, 5, offers),
        pair_need=need,
        pair_offer=near,
        pair_draw=r.choice([30, 45, 60], needs)[need],
        pair_cost=r.integers(0, 100, len(need)),
    )


def _keeps_rules(
    problem: Problem, need: list[int], offer: list[int], units: tuple[int, ...]
) -> bool:
    served: Counter[int] = Counter()
    before: Counter[int] = Counter()
    drawn: Counter[int] = Counter()
    givers: Counter[int] = Counter()
    takers: Counter[int] = Counter()
    opened: set[tuple[str, int]] = set()
    home: Counter[tuple[int, int]] = Counter()
    fresh_home: Counter[tuple[int, int]] = Counter()
    for k, (i, j) in enumerate(zip(need, offer, strict=True)):
        x, old, draw = units[k], int(problem.pair_committed[k]), int(problem.pair_draw[k])
        if x and (x + old > problem.pair_max[k] or x + old < problem.offer_min_lot[j]):
            return False
        served[i] += x
        before[i] += old
        drawn[j] += x * draw
        household = (j, int(problem.need_household[i]))
        home[household] += (x + old) * draw
        fresh_home[household] += x
        givers[i] += x + old > 0
        takers[j] += x + old > 0
        opened |= {("n", i), ("m", j)} if x and not old else set()
    count = zip(("n", "m"), (givers, takers), _counts(problem), strict=True)
    return (
        all(total <= problem.need_units[i] for i, total in served.items())
        and all(
            total == 0 or total + before[i] >= problem.need_min[i] for i, total in served.items()
        )
        and all(total <= problem.offer_units[j] for j, total in drawn.items())
        and all(
            fresh_home[at] == 0 or not limit or total <= limit
            for at, total in home.items()
            for limit in (int(problem.offer_household_max[at[0]]),)
        )
        and all(
            (side, row) not in opened or not limits[row] or total <= limits[row]
            for side, totals, limits in count
            for row, total in totals.items()
        )
    )


def _counts(problem: Problem) -> tuple[list[int], list[int]]:
    return problem.need_max_offers.tolist(), problem.offer_max_needs.tolist()
