"""The network of a problem: what can still flow, sorted so that a connected component is a slice.

Clipped capacities, household hubs, tranches; plain arrays that travel to another process.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from matching.arrays import BoolArray, IntArray, offsets
from matching.easing import eased, household_left
from matching.precedence import Tranches
from matching.problem import UNITS_MAX, Problem, pair_capacity


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """n needs, m offers, h hubs (one offer's share for one household), p pairs, C components.

        tranche_start   [n+1]   tranches of need i
        tranche_units, tranche_before, tranche_weight [t]   weight: larger is served first, >= 1
        hub_offer, hub_cap      [h]   the offer behind a hub, and what the household may still get
        pair_hub                [p]   the hub a pair draws from, -1: straight from the offer
        need_from, offer_from, hub_from, pair_from   [C+1]   where each component starts
        change_penalty  what one unit of change against pair_prior costs

    Pairs are sorted by need, then offer: arcs come in one order, whoever solves them.
    """

    need_units: IntArray
    tranche_start: IntArray
    tranche_units: IntArray
    tranche_before: IntArray
    tranche_weight: IntArray
    offer_units: IntArray
    hub_offer: IntArray
    hub_cap: IntArray
    pair_need: IntArray
    pair_offer: IntArray
    pair_hub: IntArray
    pair_cap: IntArray
    pair_cost: IntArray
    pair_prior: IntArray
    need_from: IntArray
    offer_from: IntArray
    hub_from: IntArray
    pair_from: IntArray
    change_penalty: int = 0

    @property
    def n_components(self) -> int:
        return len(self.pair_from) - 1

    @property
    def pair_source(self) -> IntArray:
        """Where a pair draws from: offers are 0..m-1, hubs m..m+h-1."""
        return np.where(self.pair_hub >= 0, self.pair_hub + len(self.offer_units), self.pair_offer)

    def part(self, first: int, last: int) -> "Network":
        """Components first..last-1 as a network of their own."""
        n0, n1 = self.need_from[first], self.need_from[last]
        m0, m1 = self.offer_from[first], self.offer_from[last]
        h0, h1 = self.hub_from[first], self.hub_from[last]
        p0, p1 = self.pair_from[first], self.pair_from[last]
        t0, t1 = self.tranche_start[n0], self.tranche_start[n1]
        hub = self.pair_hub[p0:p1]
        return Network(
            need_units=self.need_units[n0:n1],
            tranche_start=self.tranche_start[n0 : n1 + 1] - t0,
            tranche_units=self.tranche_units[t0:t1],
            tranche_before=self.tranche_before[t0:t1],
            tranche_weight=self.tranche_weight[t0:t1],
            offer_units=self.offer_units[m0:m1],
            hub_offer=self.hub_offer[h0:h1] - m0,
            hub_cap=self.hub_cap[h0:h1],
            pair_need=self.pair_need[p0:p1] - n0,
            pair_offer=self.pair_offer[p0:p1] - m0,
            pair_hub=np.where(hub >= 0, hub - h0, -1),
            pair_cap=self.pair_cap[p0:p1],
            pair_cost=self.pair_cost[p0:p1],
            pair_prior=self.pair_prior[p0:p1],
            need_from=self.need_from[first : last + 1] - n0,
            offer_from=self.offer_from[first : last + 1] - m0,
            hub_from=self.hub_from[first : last + 1] - h0,
            pair_from=self.pair_from[first : last + 1] - p0,
            change_penalty=self.change_penalty,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Which row of the problem each row of the network is, and each row's component (-1: none).

    Components from `n_flow` on have rules that the network does not know: there it is a relaxation.
    hub_left [h] is what a household may still get in the offer's own unit.
    """

    need_row: IntArray
    offer_row: IntArray
    pair_row: IntArray
    hub_household: IntArray
    need_component: IntArray
    offer_component: IntArray
    hub_left: IntArray
    n_flow: int


def network(
    problem: Problem,
    levels: Tranches,
    change_penalty: int = 0,
    together: BoolArray | None = None,
) -> tuple[Network, Layout]:
    """The network of the pairs along which something can still flow.

    First the components without rules that bind, then those with; large ones first in each. The
    components of the needs that are to be solved `together`, bool[N], count as one with rules.
    """
    problem = eased(problem)
    cap, hub, hub_cap = _household_hubs(problem, pair_capacity(problem))
    pairs = np.flatnonzero(cap > 0)
    need_component, offer_component, n_components, n_flow = _components(problem, pairs, together)
    need_row = _sorted_members(need_component)
    offer_row = _sorted_members(offer_component)
    need_at, offer_at = _inverse(need_row, problem.n_needs), _inverse(offer_row, problem.n_offers)

    need, offer = need_at[problem.pair_need[pairs]], offer_at[problem.pair_offer[pairs]]
    code = need * max(1, problem.n_offers) + offer
    if len(code) and not bool((code[1:] > code[:-1]).all()):
        order = np.argsort(code, kind="stable")
        pairs, need, offer = pairs[order], need[order], offer[order]
    hub_offer, hub_left, hub_household, pair_hub = _sorted_hubs(
        problem, offer, hub[pairs], hub_cap, problem.need_household[problem.pair_need[pairs]]
    )

    count = np.diff(levels.start)[need_row]
    tranche_start = np.zeros(len(need_row) + 1, np.int64)
    np.cumsum(count, out=tranche_start[1:])
    rows = np.repeat(levels.start[need_row] - tranche_start[:-1], count) + np.arange(count.sum())
    net = Network(
        need_units=problem.need_units[need_row],
        tranche_start=tranche_start,
        tranche_units=levels.units[rows],
        tranche_before=levels.before[rows],
        tranche_weight=levels.n_levels - levels.level[rows],
        offer_units=problem.offer_units[offer_row]
        // _least_draw(problem, pairs, offer, len(offer_row)),
        hub_offer=hub_offer,
        hub_cap=hub_left // _least_draw(problem, pairs, pair_hub, len(hub_left)),
        pair_need=need,
        pair_offer=offer,
        pair_hub=pair_hub,
        pair_cap=cap[pairs],
        pair_cost=problem.pair_cost[pairs],
        pair_prior=problem.pair_prior[pairs],
        need_from=offsets(need_component[need_row], n_components),
        offer_from=offsets(offer_component[offer_row], n_components),
        hub_from=offsets(offer_component[offer_row[hub_offer]], n_components),
        pair_from=offsets(need_component[problem.pair_need[pairs]], n_components),
        change_penalty=change_penalty,
    )
    layout = Layout(
        need_row=need_row,
        offer_row=offer_row,
        pair_row=pairs,
        hub_household=hub_household,
        need_component=need_component,
        offer_component=offer_component,
        hub_left=hub_left,
        n_flow=n_flow,
    )
    return net, layout


def _least_draw(problem: Problem, pairs: IntArray, source: IntArray, size: int) -> IntArray:
    """Least that one unit draws from each offer or hub, 1 where rules leave plain units."""
    draw = problem.pair_draw[pairs]
    if not bool((draw > 1).any()):
        return np.ones(size, np.int64)
    least = np.full(size, UNITS_MAX)
    inside = source >= 0
    np.minimum.at(least, source[inside], draw[inside])
    return least


def _ruled(problem: Problem, pairs: IntArray) -> BoolArray:
    """Pairs [p] with a rule that makes their component more than a network."""
    need, offer = problem.pair_need[pairs], problem.pair_offer[pairs]
    by_need = (problem.need_min > 1) | (problem.need_max_offers > 0)
    by_offer = (problem.offer_min_lot > 1) | (problem.offer_max_needs > 0)
    ruled = by_need[need] | by_offer[offer]
    if problem.pair_fixed_cost.any():
        ruled |= (problem.pair_fixed_cost[pairs] > 0) & (problem.pair_committed[pairs] == 0)
    if (problem.pair_draw > 1).any():
        ruled |= problem.pair_draw[pairs] > 1
    return ruled


def _household_hubs(problem: Problem, cap: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """Capacity of each pair, its hub or -1, and capacity of each hub in the offer's own unit.

    Where only one pair of an offer leads to a household, the household's limit is the pair's own.
    """
    limit = problem.offer_household_max[problem.pair_offer]
    hub = np.full(problem.n_pairs, -1, np.int64)
    rows = np.flatnonzero(limit > 0)
    if not len(rows):
        return cap, hub, np.empty(0, np.int64)
    member, left = household_left(problem, rows)
    size = len(left)
    cap = cap.copy()
    cap[rows] = np.minimum(cap[rows], left[member] // problem.pair_draw[rows])
    shared = np.bincount(member[cap[rows] > 0], minlength=size) > 1
    hub[rows] = np.where(shared[member], (np.cumsum(shared) - 1)[member], -1)
    return cap, hub, left[shared]


def _components(
    problem: Problem, pairs: IntArray, together: BoolArray | None
) -> tuple[IntArray, IntArray, int, int]:
    """Component of each need and offer, -1 where no pair is; how many there are, and how many of
    them, the first, have no rules. The one with most pairs comes first."""
    n, size = problem.n_needs, problem.n_needs + problem.n_offers
    need, offer = problem.pair_need[pairs], problem.pair_offer[pairs] + n
    graph = coo_matrix((np.ones(len(pairs), np.int8), (need, offer)), shape=(size, size))
    n_labels, label = connected_components(graph.tocsr(), directed=False) if size else (0, need)
    joint = np.unique(label[:n][together]) if together is not None else label[:0]
    if len(joint):
        label = np.where(np.isin(label, joint), joint[0], label)
    count = np.bincount(label[need], minlength=n_labels)
    ruled = np.zeros(n_labels, np.bool_)
    ruled[label[need[_ruled(problem, pairs)]]] = True
    ruled[joint[:1]] = True
    used = int((count > 0).sum())
    rank = np.empty(n_labels, np.int64)
    rank[np.lexsort((-count, (count == 0) | ruled, count == 0))] = np.arange(n_labels)
    component = np.where(count[label] > 0, rank[label], -1)
    return component[:n], component[n:], used, used - int(ruled.sum())


def _sorted_members(component: IntArray) -> IntArray:
    """Rows that belong to a component, by component, then row."""
    rows = np.flatnonzero(component >= 0)
    return rows[np.argsort(component[rows], kind="stable")]


def _inverse(rows: IntArray, size: int) -> IntArray:
    at = np.full(size, -1, np.int64)
    at[rows] = np.arange(len(rows))
    return at


def _sorted_hubs(
    problem: Problem, offer: IntArray, hub: IntArray, hub_cap: IntArray, household: IntArray
) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    """Hubs by offer (so by component), then household: offer, cap, household; hub of each pair."""
    used = hub >= 0
    if not bool(used.any()):
        none = np.empty(0, np.int64)
        return none, none, none, hub
    first = np.full(len(hub_cap), -1, np.int64)
    where = np.flatnonzero(used)
    first[hub[where[::-1]]] = where[::-1]
    order = np.lexsort((household[first], offer[first]))
    at = _inverse(order, len(hub_cap))
    return offer[first[order]], hub_cap[order], household[first[order]], np.where(used, at[hub], -1)
