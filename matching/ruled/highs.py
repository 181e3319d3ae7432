"""HiGHS and GLOP through MathOpt: model and objective in, values and a whole bound out.

Values come back as floats: who asked rounds and checks them. A bound is widened by what floating
point may have lost before it is called a bound.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from matching.arrays import BoolArray, FloatArray, IntArray
from matching.ruled.model import Model, Objective

if TYPE_CHECKING:
    from ortools.math_opt import model_pb2

# What a bound may lose to rounding, as a share of itself: HiGHS works to 1e-9 at best.
LOST = 1e-9
# What each unit of a column may add beyond that: prices are feasible to 1e-7.
DUAL_LOST = 1e-7
# Above so many units a switch that is off by a millionth would let a unit through.
MANY_UNITS = 10_000
# What OR-Tools raises where a solver fails. (AttributeError: it stumbles over its own StatusNotOk,
# as when HiGHS refuses numbers from 10^15 on.)
FAILURES = (RuntimeError, ValueError, AttributeError)


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """Values of all columns (None: none found), and a bound of the objective (None: none)."""

    values: FloatArray | None
    bound: int | None


def solved(
    model: Model,
    objective: Objective,
    *,
    time_s: float,
    whole: bool = True,
    hint: FloatArray | None = None,
    held: BoolArray | None = None,
) -> Answer:
    """Solve by branch and cut, or where not `whole` the linear relaxation, within `time_s`.

    Columns that are `held` keep the value of the hint; the bound is then of what is left free.
    """
    from ortools.math_opt.python import mathopt  # slow to load, and few processes ever need it

    proto = _proto(model, objective, whole)
    if held is not None and hint is not None:
        for column in np.flatnonzero(held).tolist():
            proto.variables.lower_bounds[column] = hint[column]
            proto.variables.upper_bounds[column] = hint[column]
    opt = mathopt.Model.from_model_proto(proto)
    params = mathopt.SolveParameters(
        time_limit=timedelta(seconds=max(time_s, 0.01)),
        random_seed=0,
    )
    if whole:
        params.relative_gap_tolerance = params.absolute_gap_tolerance = 0.0
    if whole and int(model.high.max(initial=0)) > MANY_UNITS:
        params.highs.double_options["mip_feasibility_tolerance"] = LOST
        params.highs.double_options["primal_feasibility_tolerance"] = LOST
    hints = []
    if hint is not None and whole:
        columns = list(opt.variables())
        hints = [mathopt.SolutionHint(dict(zip(columns, hint.tolist(), strict=True)))]
    try:
        result = mathopt.solve(
            opt,
            # Measured: GLOP needs a quarter of the time for these relaxations.
            mathopt.SolverType.HIGHS if whole else mathopt.SolverType.GLOP,
            params=params,
            model_params=mathopt.ModelSolveParameters(solution_hints=hints),
        )
    except FAILURES:  # an error within HiGHS is no answer, and no plan is lost by it
        return Answer(None, None)
    values = None
    if result.has_primal_feasible_solution():
        values = np.array(list(result.variable_values().values()), np.float64)
    bound = result.termination.objective_bounds.dual_bound
    if not math.isfinite(bound) or (whole and model.blurred):  # what it cut off may be allowed
        return Answer(values, None)
    return Answer(values, _bound(objective, bound))


def relaxed(
    model: Model, columns: IntArray, weight: FloatArray, time_s: float
) -> tuple[FloatArray | None, float]:
    """Values of all columns in the linear relaxation, the sum of weight x column made large (None:
    not found), and a bound of that sum."""
    from ortools.math_opt.python import mathopt

    proto = _bare(model, whole=False)
    proto.objective.maximize = True
    proto.objective.linear_coefficients.ids.extend(columns.tolist())
    proto.objective.linear_coefficients.values.extend(weight.tolist())
    try:
        result = mathopt.solve(
            mathopt.Model.from_model_proto(proto),
            # Measured: with all bands at once HiGHS needs half of the time of GLOP.
            mathopt.SolverType.HIGHS,
            params=mathopt.SolveParameters(
                time_limit=timedelta(seconds=max(time_s, 0.01)), random_seed=0
            ),
        )
    except FAILURES:
        return None, math.inf
    if not result.has_primal_feasible_solution():
        return None, math.inf
    bound = result.termination.objective_bounds.dual_bound
    bound += LOST * abs(bound) + DUAL_LOST * float(model.high.sum(dtype=np.float64))
    return np.array(list(result.variable_values().values()), np.float64), bound


def _proto(model: Model, objective: Objective, whole: bool) -> model_pb2.ModelProto:
    proto, step = _bare(model, whole), objective.step
    proto.objective.maximize = objective.largest
    order = np.argsort(objective.column, kind="stable")
    proto.objective.linear_coefficients.ids.extend(objective.column[order].tolist())
    proto.objective.linear_coefficients.values.extend(
        (objective.coef[order] // step).astype(np.float64).tolist()
    )
    return proto


def _bare(model: Model, whole: bool) -> model_pb2.ModelProto:
    """The model without an objective."""
    from ortools.math_opt import model_pb2

    rows, size = model.rows, len(model.high)
    proto = model_pb2.ModelProto()
    proto.variables.ids.extend(range(size))
    proto.variables.lower_bounds.extend([0.0] * size)
    proto.variables.upper_bounds.extend(model.high.astype(np.float64).tolist())
    proto.variables.integers.extend((model.integer & whole).tolist())
    proto.linear_constraints.ids.extend(range(rows.size))
    proto.linear_constraints.lower_bounds.extend(np.concatenate(rows.low).tolist())
    proto.linear_constraints.upper_bounds.extend(np.concatenate(rows.high).tolist())
    row, column, coef = (np.concatenate(part) for part in (rows.row, rows.column, rows.coef))
    order = np.lexsort((column, row))
    matrix = proto.linear_constraint_matrix
    matrix.row_ids.extend(row[order].tolist())
    matrix.column_ids.extend(column[order].tolist())
    matrix.coefficients.extend(coef[order].tolist())
    return proto


def _bound(objective: Objective, found: float) -> int:
    """The whole value that no plan can pass, on the safe side of what was computed."""
    lost = 1e-6 + LOST * abs(found)
    reach = math.floor(found + lost) if objective.largest else math.ceil(found - lost)
    return objective.constant + objective.step * reach
