"""How good each component's part of a plan is, level by level, and what is proven of the rest."""

from collections.abc import Sequence

import numpy as np

from matching.arrays import BoolArray, IntArray, frozen, summed
from matching.network import Network
from matching.plan import Component, Status, gap_of, level_totals
from matching.precedence import Tranches
from matching.problem import Problem, served_units
from matching.ruled.outcomes import ruled_report
from matching.ruled.sending import Outcome


def component_reports(
    net: Network,
    levels: Tranches,
    x: IntArray,
    claimed: BoolArray,
    outcomes: Sequence[Outcome] = (),
) -> tuple[Component, ...]:
    """One report per component: x [p] units, claimed bool[C] those that were solved as flows.

    outcomes: what became of the last components, which have rules
    """
    component = np.repeat(np.arange(net.n_components), np.diff(net.need_from))
    served = summed(net.pair_need, x, len(net.need_units))
    count = np.diff(net.tranche_start)
    part = np.clip(np.repeat(served, count) - net.tranche_before, 0, net.tranche_units)
    level = levels.n_levels - net.tranche_weight
    code = np.repeat(component, count) * max(1, levels.n_levels) + level
    cells, cell = _cells(code)
    asked, got = (summed(cell, units, len(cells)) for units in (net.tranche_units, part))
    at, level_of = np.divmod(cells, max(1, levels.n_levels))
    cell_from = np.searchsorted(at, np.arange(net.n_components + 1))
    cost = _costs(net, x)
    reports = []
    for c in range(net.n_components):
        a, b = cell_from[c], cell_from[c + 1]
        bound = got[a:b] if claimed[c] else _bound(net, c, asked[a:b])
        status: Status = "optimal" if claimed[c] else "deadline"
        reports.append(
            Component(
                needs=int(net.need_from[c + 1] - net.need_from[c]),
                offers=int(net.offer_from[c + 1] - net.offer_from[c]),
                pairs=int(net.pair_from[c + 1] - net.pair_from[c]),
                kind="flow",
                status=status,
                levels=frozen(level_of[a:b]),
                asked=frozen(asked[a:b]),
                served=frozen(got[a:b]),
                bound=frozen(bound),
                cost=cost[c],
                gap=0.0 if claimed[c] else gap_of(got[a:b], bound),
            )
        )
    first = len(reports) - len(outcomes)
    for c, outcome in enumerate(outcomes, first):
        reports[c] = ruled_report(reports[c], outcome)
    return tuple(reports)


def _cells(code: IntArray) -> tuple[IntArray, IntArray]:
    """The distinct codes (>= 0), rising, and which each is: by a table where that is small."""
    size = int(code.max(initial=-1)) + 1
    if size > (1 << 16) + 4 * len(code):
        cells, cell = np.unique(code, return_inverse=True)
        return cells, cell.ravel()
    present = np.zeros(size, np.bool_)
    present[code] = True
    return np.flatnonzero(present), (np.cumsum(present) - 1)[code]


def reported_levels(
    problem: Problem, levels: Tranches, pair_units: IntArray, components: tuple[Component, ...]
) -> tuple[IntArray, IntArray, IntArray]:
    """Units asked, served and proven possible by level, over all needs: int64[R] each."""
    served, bound = level_totals(components, levels.n_levels)
    direct = levels.by_level(levels.served(served_units(problem, pair_units)))
    assert bool((served == direct).all()), "components must add up to the whole"
    return frozen(levels.by_level(levels.units)), frozen(served), frozen(bound)


def _bound(net: Network, c: int, asked: IntArray) -> IntArray:
    """No plan serves more up to a level than is asked up to it, nor than the offers hold."""
    pairs = slice(net.pair_from[c], net.pair_from[c + 1])
    reach = np.zeros(net.offer_from[c + 1] - net.offer_from[c], np.int64)
    np.add.at(reach, net.pair_offer[pairs] - net.offer_from[c], net.pair_cap[pairs])
    held = np.minimum(reach, net.offer_units[net.offer_from[c] : net.offer_from[c + 1]])
    most = min(sum(held.tolist()), int(asked.sum()))
    bound: IntArray = np.diff(np.minimum(np.cumsum(asked), most), prepend=0)
    return bound


def _costs(net: Network, x: IntArray) -> list[int]:
    """Cost of each component in Python integers where 64 bits might not do."""
    if not len(x):
        return []
    if int(x.max()) * int(net.pair_cost.max()) * len(x) < 2**63:
        sums: list[int] = np.add.reduceat(x * net.pair_cost, net.pair_from[:-1]).tolist()
        return sums
    costs = [0] * net.n_components
    component = np.repeat(np.arange(net.n_components), np.diff(net.pair_from))
    used = np.flatnonzero(x)
    columns = (component[used].tolist(), x[used].tolist(), net.pair_cost[used].tolist())
    for c, units, cost in zip(*columns, strict=True):
        costs[c] += units * cost
    return costs
