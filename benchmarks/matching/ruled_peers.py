"""HiGHS and CP-SAT alone on markets with rules: band by band, then cost, in the same time.

They get our rows, columns and bands, and start each stage from the plan of the one before; not our
relaxation, rounding or search near by.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import highspy
import numpy as np
from ortools.sat.python import cp_model
from scipy.sparse import coo_matrix

from benchmarks.matching.peers import Floats, Ints
from matching import Policy, Problem, tranches
from matching.easing import eased
from matching.network import network
from matching.ruled.component import RuledComponent, ruled_components
from matching.ruled.model import Model, Objective

# Values of all columns (None: nothing found) and whether they are proven.
Found = tuple[Floats | None, bool]
Peer = Callable[[Model, Objective, float, Floats | None], Found]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """Value of each band over all components, the cost, and stages without proof."""

    values: list[int]
    cost: int
    unproven: int


def components_of(problem: Problem, policy: Policy) -> list[RuledComponent]:
    """The components with rules, as solve makes them."""
    levels = tranches(problem.need_units, problem.need_severity, policy)
    simple = eased(problem)
    net, layout = network(simple, levels, policy.change_penalty)
    return ruled_components(simple, levels, net, layout)


def by_bands(problem: Problem, policy: Policy, peer: Peer, time_s: float) -> Reached:
    """Every component, band after band, each with an equal part of the time that is left."""
    values, cost, unproven = [0] * 8, 0, 0
    for part in components_of(problem, policy):
        until, model, x = time.monotonic() + time_s, Model(part), None
        stages = [model.band(b) for b in range(part.steps.n_bands)]
        for at, objective in enumerate([*stages, model.spent()]):
            left = (until - time.monotonic()) / (len(stages) + 1 - at)
            start = None if x is None else model.columns_of(x)
            found, proven = peer(model, objective, max(left, 0.05), start)
            unproven += not proven
            if found is None:
                continue
            rounded = np.rint(found[: len(part.net.pair_need)]).astype(np.int64)
            if not part.feasible(rounded):
                continue
            # A worse plan may come from a peer that starts anew and runs out of time.
            if x is None or part.merit(rounded) > part.merit(x):
                x = rounded
            if at < len(stages):
                model.keep(objective, part.values(x)[at])
        if x is None:
            continue
        for b, value in enumerate(part.values(x)):
            values[b] += value
        cost += part.cost(x)
    return Reached(values=values, cost=cost, unproven=unproven)


def highs(model: Model, objective: Objective, time_s: float, start: Floats | None) -> Found:
    """highspy's branch and cut, gap 0."""
    rows, columns, coefs = _triplets(model)
    size = len(model.high)
    matrix = coo_matrix((coefs, (rows, columns)), shape=(model.rows.size, size)).tocsc()
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = size, model.rows.size
    lp.col_cost_, lp.col_lower_ = _costs(objective, size).astype(float), np.zeros(size)
    lp.col_upper_ = model.high.astype(float)
    lp.row_lower_, lp.row_upper_ = np.concatenate(model.rows.low), np.concatenate(model.rows.high)
    lp.a_matrix_.start_, lp.a_matrix_.index_ = matrix.indptr, matrix.indices
    lp.a_matrix_.value_, lp.a_matrix_.format_ = matrix.data, highspy.MatrixFormat.kColwise
    kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
    lp.integrality_ = [kinds[whole] for whole in model.integer.tolist()]
    lp.sense_ = highspy.ObjSense.kMaximize if objective.largest else highspy.ObjSense.kMinimize
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("mip_rel_gap", 0.0)
    solver.setOptionValue("time_limit", time_s)
    solver.passModel(lp)
    if start is not None:
        solution = highspy.HighsSolution()
        solution.col_value = start.tolist()
        solver.setSolution(solution)
    solver.run()
    info = solver.getInfo()
    if info.primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
        return None, False
    proven = solver.getModelStatus() == highspy.HighsModelStatus.kOptimal
    return np.array(solver.getSolution().col_value), proven


def cp_sat(model: Model, objective: Objective, time_s: float, start: Floats | None) -> Found:
    """CP-SAT with two workers."""
    sat = cp_model.CpModel()
    variables = [sat.new_int_var(0, high, "") for high in model.high.tolist()]
    rows, columns, coefs = (part.tolist() for part in _triplets(model))
    of_row: list[tuple[list[cp_model.IntVar], list[int]]] = [
        ([], []) for _ in range(model.rows.size)
    ]
    for row, column, coef in zip(rows, columns, coefs, strict=True):
        of_row[row][0].append(variables[column])
        of_row[row][1].append(round(coef))
    low, high = np.concatenate(model.rows.low), np.concatenate(model.rows.high)
    least, most = np.ceil(np.maximum(low, -1e15)), np.floor(np.minimum(high, 1e15))
    for (terms, weights), a, b in zip(of_row, least.tolist(), most.tolist(), strict=True):
        total = cp_model.LinearExpr.weighted_sum(terms, weights)
        sat.add_linear_constraint(total, int(a), int(b))
    aim = cp_model.LinearExpr.weighted_sum(variables, _costs(objective, len(variables)).tolist())
    if objective.largest:
        sat.maximize(aim)
    else:
        sat.minimize(aim)
    if start is not None:
        for variable, value in zip(variables, np.rint(start).astype(int).tolist(), strict=True):
            sat.add_hint(variable, value)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 2
    solver.parameters.max_time_in_seconds = time_s
    status = solver.solve(sat)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return None, False
    return np.array([solver.value(each) for each in variables], float), status == cp_model.OPTIMAL


def _costs(objective: Objective, size: int) -> Ints:
    costs = np.zeros(size, np.int64)
    np.add.at(costs, objective.column, objective.coef)
    return costs


def _triplets(model: Model) -> tuple[Ints, Ints, Floats]:
    rows = model.rows
    return np.concatenate(rows.row), np.concatenate(rows.column), np.concatenate(rows.coef)
