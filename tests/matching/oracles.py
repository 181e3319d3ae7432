"""What the optimum must be, found in other ways: enumeration, linear programs, maximum flows."""

from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from math import ceil

import highspy
import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import maximum_flow

from matching import Policy, Problem

Key = tuple[int | Fraction, ...]


def unit_keys(units: int, severity: int, policy: Policy) -> list[Key]:
    """The key of each single unit of a need, word for word as the policy is described."""
    return [_unit_key(unit, units, severity, policy) for unit in range(1, units + 1)]


def all_keys(problem: Problem, policy: Policy) -> list[Key]:
    """The distinct keys of a problem, first to last."""
    needs = zip(problem.need_units.tolist(), problem.need_severity.tolist(), strict=True)
    return sorted({key for units, severity in needs for key in unit_keys(units, severity, policy)})


def served_by_level(problem: Problem, policy: Policy, pair_units: list[int]) -> list[int]:
    """Units served at each key, first to last, counted one by one."""
    served = [0] * problem.n_needs
    for need, units in zip(problem.pair_need.tolist(), pair_units, strict=True):
        served[need] += units
    counts: Counter[Key] = Counter()
    for i, units in enumerate(problem.need_units.tolist()):
        counts.update(unit_keys(units, int(problem.need_severity[i]), policy)[: served[i]])
    return [counts[key] for key in all_keys(problem, policy)]


def feasible_plans(problem: Problem) -> Iterator[list[int]]:
    """Every plan there is."""
    need, offer = problem.pair_need.tolist(), problem.pair_offer.tolist()
    most = [
        max(
            0,
            min(
                int(problem.need_units[i]),
                int(problem.offer_units[j]),
                int(problem.pair_max[k]) - int(problem.pair_committed[k]),
            ),
        )
        for k, (i, j) in enumerate(zip(need, offer, strict=True))
    ]
    for units in product(*(range(cap + 1) for cap in most)):
        if _fits(problem, need, offer, units):
            yield list(units)


def best_by_enumeration(problem: Problem, policy: Policy) -> tuple[list[int], int, int]:
    """Level counts, cost and change of the best plan."""
    best = min(
        (
            [-count for count in served_by_level(problem, policy, units)],
            int(np.dot(units, problem.pair_cost)) if units else 0,
            int(np.abs(np.array(units, np.int64) - problem.pair_prior).sum()),
        )
        for units in feasible_plans(problem)
    )
    return [-count for count in best[0]], best[1], best[2]


def best_by_linear_programs(problem: Problem, policy: Policy) -> tuple[list[int], int]:
    """Level counts and cost: a linear program for each level, earlier levels held fixed."""
    keys = all_keys(problem, policy)
    asks = [
        Counter(unit_keys(units, severity, policy))
        for units, severity in zip(
            problem.need_units.tolist(), problem.need_severity.tolist(), strict=True
        )
    ]
    p = problem.n_pairs
    columns = [
        (i, keys.index(key), count) for i, ask in enumerate(asks) for key, count in ask.items()
    ]
    model = _linear_model(problem, columns)
    counts = []
    for level in range(len(keys)):
        members = [p + c for c, (_, at, _) in enumerate(columns) if at == level]
        value = round(_optimum(model, members, [1.0] * len(members), highspy.ObjSense.kMaximize))
        model.addRow(value, value, len(members), np.array(members), np.ones(len(members)))
        counts.append(value)
    costs = problem.pair_cost.astype(float).tolist()
    return counts, round(_optimum(model, list(range(p)), costs, highspy.ObjSense.kMinimize))


def most_that_can_be_served(problem: Problem, policy: Policy, keys: set[Key]) -> int:
    """Maximum flow when only units with these keys ask (no household limits)."""
    n, m = problem.n_needs, problem.n_offers
    asks = [
        sum(key in keys for key in unit_keys(units, severity, policy))
        for units, severity in zip(
            problem.need_units.tolist(), problem.need_severity.tolist(), strict=True
        )
    ]
    source, sink = n + m, n + m + 1
    cap = np.minimum(problem.pair_max, problem.need_units[problem.pair_need])
    tail = np.concatenate([np.full(m, source), n + problem.pair_offer, np.arange(n)])
    head = np.concatenate([n + np.arange(m), problem.pair_need, np.full(n, sink)])
    caps = np.concatenate([problem.offer_units, cap, asks])
    graph = coo_matrix((caps.astype(np.int32), (tail, head)), shape=(n + m + 2, n + m + 2))
    return int(maximum_flow(graph.tocsr(), source, sink).flow_value)


def _unit_key(unit: int, units: int, severity: int, policy: Policy) -> Key:
    tranche = next(
        t for t, end in enumerate(policy.tranches) if unit <= ceil(Fraction(units * end, 100))
    )
    value = severity * policy.diminishing[tranche]
    if policy.order == "weighted":
        return (-value,)
    if policy.order == "floor":
        return (0, -severity) if unit <= ceil(policy.floor_share * units) else (1, -value)
    at, parts = unit, units
    if units > policy.share_steps:
        parts = policy.share_steps
        at = next(s for s in range(1, parts + 1) if unit <= ceil(Fraction(units * s, parts)))
    share = (Fraction(at - 1, parts), -Fraction(at, parts))
    return (*share, -severity) if policy.order == "leximin" else (-severity, *share)


def _fits(problem: Problem, need: list[int], offer: list[int], units: tuple[int, ...]) -> bool:
    served: Counter[int] = Counter()
    drawn: Counter[int] = Counter()
    new: Counter[tuple[int, int]] = Counter()
    old: Counter[tuple[int, int]] = Counter()
    for k, (i, j) in enumerate(zip(need, offer, strict=True)):
        served[i] += units[k]
        drawn[j] += units[k]
        new[j, int(problem.need_household[i])] += units[k]
        old[j, int(problem.need_household[i])] += int(problem.pair_committed[k])
    return (
        all(total <= problem.need_units[i] for i, total in served.items())
        and all(total <= problem.offer_units[j] for j, total in drawn.items())
        and all(
            total == 0
            or problem.offer_household_max[j] == 0
            or total + old[j, h] <= problem.offer_household_max[j]
            for (j, h), total in new.items()
        )
    )


def _linear_model(problem: Problem, columns: list[tuple[int, int, int]]) -> highspy.Highs:
    """Pair and tranche variables; need, offer and household rows."""
    model = highspy.Highs()
    model.setOptionValue("output_flag", False)
    p = problem.n_pairs
    for cap in problem.pair_max.tolist():
        model.addVar(0.0, float(min(cap, 10**9)))
    for _, _, count in columns:
        model.addVar(0.0, float(count))
    for i in range(problem.n_needs):
        pairs = np.flatnonzero(problem.pair_need == i)
        parts = np.array([p + c for c, (need, _, _) in enumerate(columns) if need == i])
        signs = np.concatenate([np.ones(len(pairs)), -np.ones(len(parts))])
        model.addRow(0.0, 0.0, len(signs), np.concatenate([pairs, parts]), signs)
    for j in range(problem.n_offers):
        pairs = np.flatnonzero(problem.pair_offer == j)
        model.addRow(0.0, float(problem.offer_units[j]), len(pairs), pairs, np.ones(len(pairs)))
        homes = problem.need_household[problem.pair_need[pairs]]
        for home in np.unique(homes) if problem.offer_household_max[j] else ():
            theirs = pairs[homes == home]
            limit = float(problem.offer_household_max[j])
            model.addRow(0.0, limit, len(theirs), theirs, np.ones(len(theirs)))
    return model


def _optimum(
    model: highspy.Highs, members: list[int], weights: list[float], sense: highspy.ObjSense
) -> float:
    size = model.getNumCol()
    cost = np.zeros(size)
    cost[members] = weights
    model.changeColsCost(size, np.arange(size, dtype=np.int32), cost)
    model.changeObjectiveSense(sense)
    model.run()
    assert model.getModelStatus() == highspy.HighsModelStatus.kOptimal
    return float(model.getObjectiveValue())
