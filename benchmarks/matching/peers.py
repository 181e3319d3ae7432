"""The same plan by linear programming: HiGHS, scipy's milp and PuLP with CBC, one formulation."""

from dataclasses import dataclass

import highspy
import numpy as np
import numpy.typing as npt
import pulp
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_matrix, csc_matrix
from scipy.sparse.csgraph import connected_components

from matching import Policy, Problem, Tranches, tranches

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

COST_SCALE = 1000.0


@dataclass(frozen=True, slots=True)
class Answer:
    """Units served by level and the cost of a plan."""

    level_served: list[int]
    cost: int


@dataclass(frozen=True, slots=True, eq=False)
class Linear:
    """Columns: pairs, then tranches. Rows: needs (served = sum of tranches), then offers.

    k, t   rows of the problem's pairs and of its tranches that are in it
    """

    k: Ints
    t: Ints
    cost: Floats
    high: Floats
    matrix: csc_matrix
    row_low: Floats
    row_high: Floats


def highs(problem: Problem, policy: Policy, *, split: bool) -> Answer:
    """highspy's simplex, on one model or on one for each component."""
    levels = _levels(problem, policy)
    label = _labels(problem) if split else np.zeros(problem.n_needs + problem.n_offers, np.int64)
    units, served = np.zeros(problem.n_pairs, np.int64), np.zeros(len(levels.units), np.int64)
    of_pair, of_tranche = label[problem.pair_need], label[levels.need]
    for part in np.unique(of_pair):
        model = linear(
            problem, levels, np.flatnonzero(of_pair == part), np.flatnonzero(of_tranche == part)
        )
        values = np.rint(_highs(model)).astype(np.int64)
        units[model.k], served[model.t] = values[: len(model.k)], values[len(model.k) :]
    return _answer(problem, levels, units, served)


def scipy_milp(problem: Problem, policy: Policy) -> Answer:
    """scipy.optimize.milp (HiGHS inside), pairs in whole units."""
    levels = _levels(problem, policy)
    model = linear(problem, levels)
    found = milp(
        model.cost,
        integrality=np.repeat([1, 0], [len(model.k), len(model.t)]),
        bounds=Bounds(0, model.high),
        constraints=LinearConstraint(model.matrix, model.row_low, model.row_high),
        options={"mip_rel_gap": 0},
    )
    if found.x is None:
        raise RuntimeError(found.message)
    return _split(problem, levels, model, found.x)


def pulp_cbc(problem: Problem, policy: Policy) -> Answer:
    """PuLP with the CBC it brings, one thread; the relaxation's corners are whole by themselves."""
    levels = _levels(problem, policy)
    model = linear(problem, levels)
    high = model.high.tolist()
    columns = [pulp.LpVariable(f"x{k}", 0, high[k]) for k in range(len(high))]
    program = pulp.LpProblem("plan", pulp.LpMinimize)
    program += pulp.LpAffineExpression(zip(columns, model.cost.tolist(), strict=True))
    rows = model.matrix.tocsr()
    index, start, value = rows.indices.tolist(), rows.indptr.tolist(), rows.data.tolist()
    for row, most in enumerate(model.row_high.tolist()):
        of_row = range(start[row], start[row + 1])
        terms = pulp.LpAffineExpression((columns[index[e]], value[e]) for e in of_row)
        program += terms <= most if np.isneginf(model.row_low[row]) else terms == most
    program.solve(pulp.PULP_CBC_CMD(msg=False, threads=1))
    if program.status != pulp.LpStatusOptimal:
        raise RuntimeError(f"CBC ended with {pulp.LpStatus[program.status]}.")
    return _split(problem, levels, model, np.array([column.value() or 0.0 for column in columns]))


def linear(
    problem: Problem, levels: Tranches, pairs: Ints | None = None, steps: Ints | None = None
) -> Linear:
    """The program of some pairs and tranches, or of all.

    Levels come before cost by one weight. Twice the highest cost happens to be enough here (the
    caller compares levels and cost), which is a help that peers get for nothing: provably
    sufficient weights are so large that their numbers suffer.
    """
    k = np.arange(problem.n_pairs) if pairs is None else pairs
    t = np.arange(len(levels.units)) if steps is None else steps
    n = problem.n_needs
    rows, row = np.unique(
        np.concatenate([problem.pair_need[k], n + problem.pair_offer[k], levels.need[t]]),
        return_inverse=True,
    )
    column = np.concatenate([np.arange(len(k)), np.arange(len(k)), len(k) + np.arange(len(t))])
    sign = np.concatenate([np.ones(2 * len(k)), -np.ones(len(t))])
    is_offer = rows >= n
    supply = problem.offer_units[np.maximum(rows - n, 0) * is_offer]
    cap = np.minimum(
        problem.need_units[problem.pair_need[k]], problem.offer_units[problem.pair_offer[k]]
    )
    weight = level_weights(problem, levels)[levels.level[t]]
    return Linear(
        k=k,
        t=t,
        cost=np.concatenate([problem.pair_cost[k], -weight]) / COST_SCALE,
        high=np.concatenate([cap, levels.units[t]]).astype(float),
        matrix=coo_matrix((sign, (row, column)), shape=(len(rows), len(k) + len(t))).tocsc(),
        row_low=np.where(is_offer, -np.inf, 0.0),
        row_high=np.where(is_offer, supply, 0.0),
    )


def level_weights(problem: Problem, levels: Tranches) -> Ints:
    """What a unit at each level is worth in cost: int64[R]."""
    return (levels.n_levels - np.arange(levels.n_levels)) * int(2 * problem.pair_cost.max() + 1)


def _levels(problem: Problem, policy: Policy) -> Tranches:
    return tranches(problem.need_units, problem.need_severity, policy)


def _highs(model: Linear) -> Floats:
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = len(model.cost), len(model.row_high)
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = model.cost, np.zeros(len(model.cost)), model.high
    lp.row_lower_, lp.row_upper_ = model.row_low, model.row_high
    lp.a_matrix_.start_, lp.a_matrix_.index_ = model.matrix.indptr, model.matrix.indices
    lp.a_matrix_.value_, lp.a_matrix_.format_ = model.matrix.data, highspy.MatrixFormat.kColwise
    solver = highspy.Highs()
    for name, value in (("output_flag", False), ("threads", 1), ("solver", "simplex")):
        solver.setOptionValue(name, value)
    solver.passModel(lp)
    solver.run()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        raise RuntimeError("HiGHS found no optimum.")
    return np.array(solver.getSolution().col_value)


def _split(problem: Problem, levels: Tranches, model: Linear, values: Floats) -> Answer:
    whole = np.rint(values).astype(np.int64)
    return _answer(problem, levels, whole[: len(model.k)], whole[len(model.k) :])


def _answer(problem: Problem, levels: Tranches, units: Ints, served: Ints) -> Answer:
    return Answer(levels.by_level(served).tolist(), int(np.dot(units, problem.pair_cost)))


def _labels(problem: Problem) -> Ints:
    size = problem.n_needs + problem.n_offers
    ends = (problem.pair_need, problem.n_needs + problem.pair_offer)
    graph = coo_matrix((np.ones(problem.n_pairs, np.int8), ends), shape=(size, size))
    return connected_components(graph, directed=False)[1].astype(np.int64)
