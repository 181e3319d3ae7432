"""The same plan by HiGHS, in the formulation that is fastest for it, and by greedy rules."""

from dataclasses import dataclass

import highspy
import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from matching import Policy, Problem, tranches

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Answer:
    """Units served by level and the cost of a plan."""

    level_served: list[int]
    cost: int


def highs(problem: Problem, policy: Policy, *, split: bool) -> Answer:
    """One linear program (or one a component): pair and tranche variables, need and offer rows.

    Levels come before cost by one weight. Twice the highest cost happens to be enough here (the
    caller compares levels and cost), which is a help that HiGHS gets for nothing: provably
    sufficient weights are so large that its numbers suffer.
    """
    levels = tranches(problem.need_units, problem.need_severity, policy)
    weight = (levels.n_levels - levels.level) * float(2 * problem.pair_cost.max() + 1)
    label = _labels(problem) if split else np.zeros(problem.n_needs + problem.n_offers, np.int64)
    units, served = np.zeros(problem.n_pairs, np.int64), np.zeros(len(levels.units), np.int64)
    n = problem.n_needs
    pair_label, tranche_label = label[problem.pair_need], label[levels.need]
    for part in np.unique(pair_label):
        k, t = np.flatnonzero(pair_label == part), np.flatnonzero(tranche_label == part)
        rows, row = np.unique(
            np.concatenate([problem.pair_need[k], n + problem.pair_offer[k], levels.need[t]]),
            return_inverse=True,
        )
        need, offer, of_tranche = np.split(row, [len(k), 2 * len(k)])
        size = len(k) + len(t)
        matrix = coo_matrix(
            (
                np.concatenate([np.ones(2 * len(k)), -np.ones(len(t))]),
                (
                    np.concatenate([need, offer, of_tranche]),
                    np.concatenate(
                        [np.arange(len(k)), np.arange(len(k)), len(k) + np.arange(len(t))]
                    ),
                ),
            ),
            shape=(len(rows), size),
        ).tocsc()
        is_offer = rows >= n
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = size, len(rows)
        lp.col_cost_ = np.concatenate([problem.pair_cost[k], -weight[t]]) / 1000.0
        lp.col_lower_ = np.zeros(size)
        cap = np.minimum(
            problem.need_units[problem.pair_need[k]], problem.offer_units[problem.pair_offer[k]]
        )
        lp.col_upper_ = np.concatenate([cap, levels.units[t]]).astype(float)
        supply = problem.offer_units[np.maximum(rows - n, 0) * is_offer]
        lp.row_lower_ = np.where(is_offer, -highspy.kHighsInf, 0.0)
        lp.row_upper_ = np.where(is_offer, supply, 0.0)
        lp.a_matrix_.start_, lp.a_matrix_.index_ = matrix.indptr, matrix.indices
        lp.a_matrix_.value_, lp.a_matrix_.format_ = matrix.data, highspy.MatrixFormat.kColwise
        values = np.rint(_run(lp)).astype(np.int64)
        units[k], served[t] = values[: len(k)], values[len(k) :]
    return Answer(levels.by_level(served).tolist(), int(np.dot(units, problem.pair_cost)))


def greedy(problem: Problem, policy: Policy, *, by_severity: bool) -> Answer:
    """Needs in order of severity, or as they came; each takes from its nearest offers."""
    levels = tranches(problem.need_units, problem.need_severity, policy)
    order = np.arange(problem.n_needs)
    if by_severity:
        order = np.argsort(-problem.need_severity, kind="stable")
    by_need = np.lexsort((problem.pair_cost, problem.pair_need))
    start = np.searchsorted(problem.pair_need[by_need], np.arange(problem.n_needs + 1)).tolist()
    offer, cost = problem.pair_offer[by_need].tolist(), problem.pair_cost[by_need].tolist()
    left, open_ = problem.offer_units.tolist(), problem.need_units.tolist()
    served, total = np.zeros(problem.n_needs, np.int64), 0
    for i in order.tolist():
        for k in range(start[i], start[i + 1]):
            units = min(open_[i], left[offer[k]])
            open_[i] -= units
            left[offer[k]] -= units
            served[i] += units
            total += units * cost[k]
    return Answer(levels.by_level(levels.served(served)).tolist(), total)


def _run(lp: highspy.HighsLp) -> npt.NDArray[np.float64]:
    model = highspy.Highs()
    model.setOptionValue("output_flag", False)
    model.setOptionValue("threads", 1)
    model.setOptionValue("solver", "simplex")
    model.passModel(lp)
    model.run()
    if model.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        raise RuntimeError("HiGHS found no optimum.")
    return np.array(model.getSolution().col_value)


def _labels(problem: Problem) -> Rows:
    size = problem.n_needs + problem.n_offers
    ends = (problem.pair_need, problem.n_needs + problem.pair_offer)
    graph = coo_matrix((np.ones(problem.n_pairs, np.int8), ends), shape=(size, size))
    return connected_components(graph, directed=False)[1].astype(np.int64)
