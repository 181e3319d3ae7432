"""The same problem with one unit more or less somewhere, and how the best plan then differs."""

from collections import Counter

import numpy as np

from matching import Plan, Policy, Problem, solve
from matching.precedence import LevelKey

Difference = tuple[dict[LevelKey, int], int]


def columns(problem: Problem) -> dict[str, np.ndarray]:
    """What a problem is made of."""
    return {name: getattr(problem, name) for name in Problem.__slots__ if name != "_digest"}


def with_offer_units(problem: Problem, j: int, units: int) -> Problem:
    """Offer j with so many units more or less; without its pairs where nothing would be left."""
    offer_units, pair_max = problem.offer_units.copy(), problem.pair_max.copy()
    if offer_units[j] + units > 0:
        offer_units[j] += units
    else:
        pair_max[problem.pair_offer == j] = 0
    return Problem(**columns(problem) | {"offer_units": offer_units, "pair_max": pair_max})


def with_new_offer(
    problem: Problem, needs: list[int], costs: list[int], units: int = 1, prior: int = 0
) -> Problem:
    """One more offer that reaches these needs."""
    old, k = columns(problem), len(needs)
    added = {
        "offer_units": [units],
        "offer_min_lot": [1],
        "offer_max_needs": [0],
        "offer_household_max": [0],
        "pair_need": needs,
        "pair_offer": [problem.n_offers] * k,
        "pair_cost": costs,
        "pair_draw": [1] * k,
        "pair_max": [10**18] * k,
        "pair_prior": [prior] * k,
        "pair_committed": [0] * k,
        "pair_fixed_cost": [0] * k,
    }
    return Problem(
        **old | {name: np.append(old[name], np.array(v, np.int64)) for name, v in added.items()}
    )


def with_claim(problem: Problem, i: int) -> Problem:
    """One unit that comes before all others, of the household and with the pairs of need i."""
    old, mine = columns(problem), problem.pair_need == i
    added: dict[str, list[int] | np.ndarray] = {
        "need_units": [1],
        "need_severity": [int(problem.need_severity.max()) + 1],
        "need_value": [1],
        "need_min": [1],
        "need_max_offers": [0],
        "need_household": [problem.need_household[i]],
        "pair_need": [problem.n_needs] * int(mine.sum()),
    }
    added |= {n: old[n][mine] for n in old if n.startswith("pair_") and n != "pair_need"}
    return Problem(
        **old | {name: np.append(old[name], np.array(v, np.int64)) for name, v in added.items()}
    )


def without_needs(problem: Problem, needs: set[int]) -> Problem:
    """The problem with nothing to be given to these needs (the rows stay)."""
    gone = np.isin(problem.pair_need, list(needs))
    return Problem(**columns(problem) | {"pair_max": np.where(gone, 0, problem.pair_max)})


def difference(problem: Problem, policy: Policy, before: Plan) -> Difference:
    """Units more or less by level's key, and by how much the cost differs, if solved again."""
    after = solve(problem, policy)
    units: Counter[LevelKey] = Counter()
    units.update(dict(zip(after.level_keys, after.level_served.tolist(), strict=True)))
    units.subtract(dict(zip(before.level_keys, before.level_served.tolist(), strict=True)))
    cost = after.cost - before.cost + policy.change_penalty * (after.change - before.change)
    return {key: count for key, count in units.items() if count}, cost
