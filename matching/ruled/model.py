"""The mixed-integer model of a ruled component, as rows and columns.

Whole units along pairs, a switch for each pair and need that a rule needs one for, and the units
served in each step.
"""

from dataclasses import dataclass, field

import numpy as np

from matching.arrays import FloatArray, IntArray
from matching.ruled.component import RuledComponent

# Kept rows are exact up to so many steps: beyond, a tolerance of 1e-9 is a step.
EXACT_MAX = 2**30


@dataclass(slots=True)
class Rows:
    """Linear rows low <= sum of coef x column <= high, gathered as triplets."""

    row: list[IntArray] = field(default_factory=list)
    column: list[IntArray] = field(default_factory=list)
    coef: list[FloatArray] = field(default_factory=list)
    low: list[FloatArray] = field(default_factory=list)
    high: list[FloatArray] = field(default_factory=list)
    size: int = 0

    def add(
        self,
        parts: list[tuple[IntArray, IntArray, IntArray | int]],
        low: IntArray | FloatArray | float,
        high: IntArray | FloatArray | float,
        size: int,
    ) -> None:
        """`size` rows; each part has row (0..size-1), column and coefficient of some entries."""
        for row, column, coef in parts:
            self.row.append(self.size + row)
            self.column.append(column)
            self.coef.append(np.broadcast_to(np.asarray(coef, np.float64), len(row)))
        self.low.append(np.broadcast_to(np.asarray(low, np.float64), size))
        self.high.append(np.broadcast_to(np.asarray(high, np.float64), size))
        self.size += size


@dataclass(frozen=True, slots=True, eq=False)
class Objective:
    """Whole coefficients of columns, to be made large (or small), from a constant on."""

    column: IntArray
    coef: IntArray
    constant: int = 0
    largest: bool = True

    @property
    def step(self) -> int:
        """All values are `constant` plus a multiple of it."""
        return int(np.gcd.reduce(self.coef)) or 1 if len(self.coef) else 1


class Model:
    """Columns in this order: pairs [p], steps [S], switches of pairs, of needs, changes."""

    def __init__(self, component: RuledComponent) -> None:
        self.part = component
        net = component.net
        p, s = len(net.pair_need), len(component.steps.need)
        self.switched = np.flatnonzero(
            (component.pair_lot > 1)
            | (component.pair_fixed > 0)
            | (component.pair_fresh & (component.need_slots >= 0)[net.pair_need])
            | (component.pair_fresh & (component.offer_slots >= 0)[net.pair_offer])
        )
        self.whole = np.flatnonzero(component.need_least > 1)
        self.shifted = np.flatnonzero((net.pair_prior > 0) & (net.pair_prior < net.pair_cap))
        self.step_at = p
        self.pair_switch = np.full(p, -1, np.int64)
        self.pair_switch[self.switched] = p + s + np.arange(len(self.switched))
        self.need_switch = np.full(len(net.need_units), -1, np.int64)
        self.need_switch[self.whole] = p + s + len(self.switched) + np.arange(len(self.whole))
        self.shift_at = p + s + len(self.switched) + len(self.whole)
        shift_max = np.maximum(net.pair_prior, net.pair_cap - net.pair_prior)[self.shifted]
        self.high = np.concatenate(
            [
                net.pair_cap,
                component.steps.units,
                np.ones(len(self.switched) + len(self.whole), np.int64),
                shift_max,
            ]
        )
        self.integer = np.ones(len(self.high), np.bool_)
        self.integer[p : p + s] = False  # whole by themselves once pairs are
        self.integer[self.shift_at :] = False
        self.rows = Rows()
        self.kept: list[tuple[Objective, int]] = []
        self.blurred = False  # whether a kept row is too large to be exact
        self._flows()
        self._switches()
        self._changes()

    @property
    def step_columns(self) -> IntArray:
        """The column of each step: int64[S]."""
        columns: IntArray = self.step_at + np.arange(len(self.part.steps.need))
        return columns

    def _flows(self) -> None:
        part, net, steps = self.part, self.part.net, self.part.steps
        n, pairs = len(net.need_units), np.arange(len(net.pair_need))
        columns = self.step_at + np.arange(len(steps.need))
        parts: list[tuple[IntArray, IntArray, IntArray | int]] = [
            (net.pair_need, pairs, 1),
            (steps.need, columns, -1),
        ]
        self.rows.add(parts, 0, 0, n)
        drawn = part.pair_draw
        self.rows.add(
            [(net.pair_offer, pairs, drawn)], -np.inf, part.offer_units, len(part.offer_units)
        )
        inside = np.flatnonzero(net.pair_hub >= 0)
        self.rows.add(
            [(net.pair_hub[inside], inside, drawn[inside])],
            -np.inf,
            part.hub_left,
            len(part.hub_left),
        )

    def _switches(self) -> None:
        """Pairs move units only when switched on; needs are served enough or not at all."""
        part, net, k = self.part, self.part.net, self.switched
        at = self.pair_switch
        rows = np.arange(len(k))
        self.rows.add([(rows, k, 1), (rows, at[k], -net.pair_cap[k])], -np.inf, 0, len(k))
        lots = k[part.pair_lot[k] > 1]
        rows = np.arange(len(lots))
        self.rows.add(
            [(rows, lots, 1), (rows, at[lots], -part.pair_lot[lots])], 0, np.inf, len(lots)
        )
        for slots, index in ((part.need_slots, net.pair_need), (part.offer_slots, net.pair_offer)):
            mine = k[part.pair_fresh[k] & (slots >= 0)[index[k]]]
            limit = np.where(slots >= 0, slots.astype(np.float64), np.inf)
            self.rows.add([(index[mine], at[mine], 1)], -np.inf, limit, len(slots))
        own = np.flatnonzero(self.need_switch[net.pair_need] >= 0)
        rows, switch = np.arange(len(own)), self.need_switch[net.pair_need[own]]
        on = at[own] >= 0
        column = np.where(on, at[own], own)
        most = np.where(on, 1, net.pair_cap[own])
        self.rows.add([(rows, column, 1), (rows, switch, -most)], -np.inf, 0, len(own))
        need_of = np.full(len(net.need_units), -1, np.int64)
        need_of[self.whole] = np.arange(len(self.whole))
        least, units = part.need_least[self.whole], net.need_units[self.whole]
        row, z = need_of[net.pair_need[own]], self.need_switch[self.whole]
        each = np.arange(len(self.whole))
        self.rows.add([(row, own, 1), (each, z, -least)], 0, np.inf, len(each))
        self.rows.add([(row, own, 1), (each, z, -units)], -np.inf, 0, len(each))

    def _changes(self) -> None:
        """Units more or fewer than in the earlier proposal, where both are possible."""
        k, prior = self.shifted, self.part.net.pair_prior[self.shifted]
        rows, column = np.arange(len(k)), self.shift_at + np.arange(len(self.shifted))
        self.rows.add([(rows, column, 1), (rows, k, -1)], -prior, np.inf, len(k))
        self.rows.add([(rows, column, 1), (rows, k, 1)], prior, np.inf, len(k))

    def keep(self, objective: Objective, value: int) -> None:
        """No later plan may be worse by this objective than `value`."""
        self.kept.append((objective, value))
        step = objective.step
        limit = self._slack((value - objective.constant) // step, objective.largest)
        rows = np.zeros(len(objective.column), np.int64)
        parts = [(rows, objective.column, objective.coef // step)]
        low, high = (limit, np.inf) if objective.largest else (-np.inf, limit)
        self.rows.add(parts, low, high, 1)  # type: ignore[arg-type]

    def keep_levels(self, x: IntArray) -> None:
        """No later plan may serve less than `x` at any level."""
        steps, net = self.part.steps, self.part.net
        served = np.zeros(len(net.need_units), np.int64)
        np.add.at(served, net.pair_need, x)
        names, level = np.unique(steps.level, return_inverse=True)
        least = np.zeros(len(names), np.int64)
        np.add.at(least, level, steps.served(served))
        columns = self.step_at + np.arange(len(level))
        low = np.array([self._slack(units, True) for units in least.tolist()], np.float64)
        self.rows.add([(level, columns, 1)], low, np.inf, len(names))

    def _slack(self, limit: int, largest: bool) -> float:
        """A limit to keep, on the safe side of what a row of floats may lose."""
        if abs(limit) <= EXACT_MAX:
            return float(limit)
        self.blurred = True
        lost = abs(limit) // EXACT_MAX
        return float(limit - lost if largest else limit + lost)

    def band(self, b: int) -> Objective:
        """Value of a band."""
        rows = np.flatnonzero(self.part.steps.band == b)
        return Objective(self.step_at + rows, self.part.steps.coef[rows])

    def change(self) -> Objective:
        """Units of change against the earlier proposal."""
        net = self.part.net
        new, gone = net.pair_prior == 0, (net.pair_prior > 0) & (net.pair_prior >= net.pair_cap)
        column = np.concatenate(
            [
                np.flatnonzero(new),
                np.flatnonzero(gone),
                self.shift_at + np.arange(len(self.shifted)),
            ]
        )
        coef = np.repeat([1, -1, 1], [new.sum(), gone.sum(), len(self.shifted)])
        return Objective(column, coef, sum(net.pair_prior[gone].tolist()), False)

    def spent(self) -> Objective:
        """Cost by unit and by pair used, and the penalty of change."""
        net, k = self.part.net, np.flatnonzero(self.part.pair_fixed)
        column = np.concatenate([np.arange(len(net.pair_need)), self.pair_switch[k]])
        coef = np.concatenate([net.pair_cost, self.part.pair_fixed[k]])
        total = np.zeros(len(self.high), np.int64)
        np.add.at(total, column, coef)
        constant, penalty = 0, self.part.change_penalty if self.part.proposed else 0
        if penalty:
            change = self.change()
            np.add.at(total, change.column, penalty * change.coef)
            constant = penalty * change.constant
        used = np.flatnonzero(total)
        return Objective(used, total[used], constant, False)

    def columns_of(self, x: IntArray) -> FloatArray:
        """All columns of a plan: a start for the solver."""
        part, net = self.part, self.part.net
        values = np.zeros(len(self.high))
        values[: len(x)] = x
        served = np.zeros(len(net.need_units), np.int64)
        np.add.at(served, net.pair_need, x)
        values[self.step_at : self.step_at + len(part.steps.need)] = part.steps.served(served)
        values[self.pair_switch[self.switched]] = x[self.switched] > 0
        values[self.need_switch[self.whole]] = served[self.whole] > 0
        shifted = np.abs(x - net.pair_prior)[self.shifted]
        values[self.shift_at : self.shift_at + len(shifted)] = shifted
        return values
