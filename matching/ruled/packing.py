"""Packing: whole visits into offers, by CP-SAT. Only where each need is served whole by one offer.

All numbers are whole, so what it proves is exact; one worker and a fixed seed, so the same problem
has the same answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from matching.arrays import IntArray
from matching.ruled.highs import Answer
from matching.ruled.model import Model, Objective

if TYPE_CHECKING:
    from ortools.sat.python import cp_model

SUM_MAX = 2**61


def packed(model: Model, objective: Objective, time_s: float, start: IntArray) -> Answer:
    """Values of all columns and a bound, as branch and cut would give them."""
    from ortools.sat.python import cp_model  # half a second, and few processes ever need it

    net = model.part.net
    units = net.need_units[net.pair_need]
    aims = [_by_pair(model, objective), *(_by_pair(model, kept) for kept, _ in model.kept)]
    if any(abs(offset) + sum(map(abs, coefs)) > SUM_MAX for coefs, offset in aims):
        return Answer(None, None)
    sat = cp_model.CpModel()
    taken = [sat.new_bool_var("") for _ in range(len(units))]
    _limits(sat, taken, model)
    for (coefs, offset), (kept, value) in zip(aims[1:], model.kept, strict=True):
        total = cp_model.LinearExpr.weighted_sum(taken, coefs)
        sat.add(total >= value - offset if kept.largest else total <= value - offset)
    total = cp_model.LinearExpr.weighted_sum(taken, aims[0][0])
    if objective.largest:
        sat.maximize(total)
    else:
        sat.minimize(total)
    for k, var in enumerate(taken):
        sat.add_hint(var, bool(start[k] > 0))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = 0
    solver.parameters.max_time_in_seconds = max(time_s, 0.01)
    if solver.solve(sat) not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return Answer(None, None)
    x = np.array([solver.boolean_value(var) for var in taken], np.int64) * units
    # In whole numbers this is exact up to 2^53; beyond, what the conversion lost is given back.
    found = solver.best_objective_bound
    lost = int(abs(found) * 2**-52)
    bound = round(found) + (lost if objective.largest else -lost)
    return Answer(model.columns_of(x), bound + aims[0][1])


def _limits(sat: cp_model.CpModel, taken: list[cp_model.IntVar], model: Model) -> None:
    """One offer for each need; capacities, shares of households, numbers of needs."""
    from ortools.sat.python import cp_model

    part, net = model.part, model.part.net
    weight = net.need_units[net.pair_need] * part.pair_draw
    for rows in _by(net.pair_need, len(net.need_units)):
        sat.add_at_most_one(taken[k] for k in rows)
    for index, limits in ((net.pair_offer, part.offer_units), (net.pair_hub, part.hub_left)):
        for rows, limit in zip(_by(index, len(limits)), limits.tolist(), strict=True):
            total = cp_model.LinearExpr.weighted_sum(
                [taken[k] for k in rows], weight[rows].tolist()
            )
            sat.add(total <= limit)
    slots = part.offer_slots.tolist()
    for rows, limit in zip(_by(net.pair_offer, len(slots)), slots, strict=True):
        if limit >= 0:
            sat.add(cp_model.LinearExpr.sum([taken[k] for k in rows]) <= limit)


def _by(index: IntArray, size: int) -> list[list[int]]:
    rows: list[list[int]] = [[] for _ in range(size)]
    for k, at in enumerate(index.tolist()):
        if at >= 0:
            rows[at].append(k)
    return rows


def _by_pair(model: Model, objective: Objective) -> tuple[list[int], int]:
    """What taking each pair whole adds to the objective, and its value when none is taken."""
    net, steps = model.part.net, model.part.steps
    full = [0] * len(model.high)
    for column, coef in zip(objective.column.tolist(), objective.coef.tolist(), strict=True):
        full[column] += coef
    step_of = np.zeros(len(net.need_units), np.int64)
    step_of[steps.need] = model.step_at + np.arange(len(steps.need))
    shift, offset = {}, objective.constant
    for place, k in enumerate(model.shifted.tolist()):
        shift[k] = full[model.shift_at + place]
        offset += shift[k] * int(net.pair_prior[k])
    coefs = []
    for k, (i, prior) in enumerate(
        zip(net.pair_need.tolist(), net.pair_prior.tolist(), strict=True)
    ):
        units, switch = int(net.need_units[i]), int(model.pair_switch[k])
        value = units * (full[k] + full[int(step_of[i])])
        value += full[switch] if switch >= 0 else 0
        value += shift.get(k, 0) * (abs(units - prior) - prior)
        coefs.append(value)
    return coefs, offset
