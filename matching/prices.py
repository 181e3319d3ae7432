"""Prices: shortest residual distances from what is unserved or left over, all components at once.

They prove a flow optimal (every residual arc has reduced cost >= 0), and say which part of it may
still move freely: the arcs of reduced cost zero. Prices of a component depend on nothing outside
it, so that they can be kept for as long as it does not change.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from matching.arrays import BoolArray, IntArray, summed
from matching.network import Network
from matching.state import FAR, State


@dataclass(frozen=True, slots=True, eq=False)
class Prices:
    """Distance from Z: need [n], source [m + h] (offers, then hubs). rounds of relaxation."""

    need: IntArray
    source: IntArray
    rounds: int


def level_prices(state: State) -> Prices:
    """The weight of the least urgent unit that would give way to one more at this node."""
    net = state.net
    far = np.zeros(net.n_components, np.int64)
    tranche_part = np.repeat(state.need_part, np.diff(net.tranche_start))
    np.maximum.at(far, tranche_part, net.tranche_weight + 1)
    zero = np.zeros(len(state.x), np.int64)
    last, _ = state.margins()
    prices = _distances(state, last, zero, zero, far)
    assert prices is not None, "without costs there is no negative cycle"
    return prices


def cost_prices(state: State) -> Prices | None:
    """Distances by cost over the free part; None if a cycle would lower the cost.

    With a penalty on change a unit up to the earlier proposal costs less by twice the penalty than
    one beyond it: the same as one penalty less and one more, because the levels fix how many units
    move; and without an earlier proposal nothing is altered.
    """
    net = state.net
    cost, low = net.pair_cost, below_prior(net)
    forth = np.where(state.x < net.pair_prior, low, cost)
    back = np.where(state.x > net.pair_prior, -cost, -low)
    far = _far(state, np.maximum(cost, -low)) if net.change_penalty else _far(state, cost)
    return _distances(state, _slack(state), forth, back, far)


def change_prices(state: State) -> Prices | None:
    """Distances by change against the earlier proposal; None if a cycle would lower it.

    Each unit of change counts, -1 or +1; shifted by one a unit, which alters no exchange, because
    the levels fix how many units move: so without an earlier proposal all prices are 0.
    """
    x, prior = state.x, state.net.pair_prior
    forth, back = np.where(x < prior, -2, 0), np.where(x > prior, 0, 2)
    return _distances(state, _slack(state), forth, back, _far(state, np.full_like(x, 2)))


def narrow_levels(state: State, prices: Prices) -> None:
    """Keep free only what may move without changing how many units are served at any level."""
    net = state.net
    price = np.repeat(prices.need, np.diff(net.tranche_start))
    start = net.tranche_start[:-1]
    if len(start):
        above = np.where(net.tranche_weight > price, net.tranche_units, 0)
        level = np.where(net.tranche_weight >= price, net.tranche_units, 0)
        state.low, state.high = np.add.reduceat(above, start), np.add.reduceat(level, start)
    _narrow(state, prices, np.zeros(len(state.x), np.int64))


def narrow_cost(state: State, prices: Prices) -> None:
    """Keep free only what may move without changing the cost."""
    fixed = prices.need != 0
    state.low = np.where(fixed, state.served, state.low)
    state.high = np.where(fixed, state.served, state.high)
    net = state.net
    if not net.change_penalty:
        _narrow(state, prices, net.pair_cost)
        return
    # Each side of the earlier proposal costs otherwise; a pair may move on one of them at most.
    below = _reduced(state, prices, below_prior(net)) == 0
    prior = np.minimum(net.pair_prior, net.pair_cap)
    state.most = np.where(below, prior, state.most)
    state.least = np.where(below, state.least, prior)
    _narrow(state, prices, np.where(below, below_prior(net), net.pair_cost))


def below_prior(net: Network) -> IntArray:
    """Cost of a unit along each pair as long as there are fewer than in the earlier proposal."""
    if not net.change_penalty:
        return net.pair_cost
    lower: IntArray = net.pair_cost - 2 * net.change_penalty
    return lower


def _narrow(state: State, prices: Prices, cost: IntArray) -> None:
    net, m = state.net, len(state.net.offer_units)
    state.free = state.free & (_reduced(state, prices, cost) == 0)
    state.hub_free = state.hub_free & (prices.source[net.hub_offer] == prices.source[m:])
    state.offer_free = state.offer_free & (prices.source[:m] == 0)


def _reduced(state: State, prices: Prices, cost: IntArray) -> IntArray:
    reduced: IntArray = prices.source[state.source] + cost - prices.need[state.net.pair_need]
    return reduced


def _slack(state: State) -> IntArray:
    """Z can feed a need more where its total may fall: price 0, else unreachable."""
    return np.where(state.served > state.low, 0, FAR)


def _far(state: State, most: IntArray) -> IntArray:
    """More than any simple path in a component can cost, [C], and than another can save.

    most   the largest amount that a unit along each pair costs or saves, [p]; a path leaves each
           source once at most, and enters it once
    """
    largest = np.zeros(len(state.source_part), np.int64)
    np.maximum.at(largest, state.source, most)
    return 2 * summed(state.source_part, largest, state.net.n_components) + 1


def _distances(
    state: State, up: IntArray, forth: IntArray, back: IntArray, far: IntArray
) -> Prices | None:
    """Bellman-Ford by sorted reduction. `up`: price at which Z feeds each need.

    Everything starts at its component's `far` at most, as if Z had a costly arc to every node: so
    nodes that nothing reaches get valid prices too. Returns None when a negative cycle is found.
    """
    net, m = state.net, len(state.net.offer_units)
    source = state.source
    ahead = _Relaxation(np.flatnonzero(state.free & (state.x < state.most)), net.pair_need)
    behind = _Relaxation(np.flatnonzero(state.free & (state.x > state.least)), source)
    more = np.flatnonzero(state.hub_free & (state.through < net.hub_cap))
    less = np.flatnonzero(state.hub_free & (state.through > 0))
    need = np.minimum(up, far[state.need_part])
    at = far[state.source_part]
    at[:m] = np.where(state.offer_free & (state.used < net.offer_units), 0, at[:m])
    ahead_source, ahead_cost = source[ahead.rows], forth[ahead.rows]
    behind_need, behind_cost = net.pair_need[behind.rows], back[behind.rows]
    rounds, check, limit = 0, 64, 2 * (len(need) + len(at)) + 8
    while True:
        rounds += 1
        moved = ahead.lower(need, at[ahead_source] + ahead_cost)
        moved |= behind.lower(at, need[behind_need] + behind_cost)
        if len(net.hub_offer):
            before = at.copy()
            at[m + more] = np.minimum(at[m + more], at[net.hub_offer[more]])
            np.minimum.at(at, net.hub_offer[less], at[m + less])
            moved |= bool((at != before).any())
        if not moved:
            return Prices(need, at, rounds)
        if rounds == check:
            check *= 2
            tails = (ahead_source + len(need), behind_need)
            heads = (net.pair_need[ahead.rows], source[behind.rows] + len(need))
            costs = np.concatenate([ahead_cost, behind_cost])
            if rounds > limit or _negative_cycle(need, at, tails, heads, costs, state):
                return None


class _Relaxation:
    """Arcs sorted by head, so that the best candidate of each head is one reduction."""

    def __init__(self, rows: IntArray, head: IntArray) -> None:
        heads = head[rows]
        if len(heads) and bool((heads[1:] < heads[:-1]).any()):
            order = np.argsort(heads, kind="stable")
            rows, heads = rows[order], heads[order]
        self.rows = rows
        self.start = np.flatnonzero(np.diff(heads, prepend=-1))
        self.heads = heads[self.start]

    def lower(self, distance: IntArray, candidate: IntArray) -> bool:
        """Lower the heads' distances to their best candidate; true if any moved."""
        if not len(self.start):
            return False
        best = np.minimum.reduceat(candidate, self.start)
        old = distance[self.heads]
        if not bool((best < old).any()):
            return False
        distance[self.heads] = np.minimum(best, old)
        return True


def _negative_cycle(
    need: IntArray,
    at: IntArray,
    tails: tuple[IntArray, IntArray],
    heads: tuple[IntArray, IntArray],
    cost: IntArray,
    state: State,
) -> bool:
    """Whether arcs that do not climb form a cycle with one that falls: its cost is below zero."""
    distance, n = np.concatenate([need, at]), len(need)
    hubs = n + len(state.net.offer_units) + np.arange(len(state.net.hub_offer))
    offers = n + state.net.hub_offer
    more = state.hub_free & (state.through < state.net.hub_cap)
    less = state.hub_free & (state.through > 0)
    tail = np.concatenate([*tails, offers[more], hubs[less]])
    head = np.concatenate([*heads, hubs[more], offers[less]])
    slope = np.concatenate([cost, np.zeros(len(tail) - len(cost), np.int64)])
    slack = distance[tail] + slope - distance[head]
    level = slack <= 0
    graph = coo_matrix(
        (np.ones(int(level.sum()), np.int8), (tail[level], head[level])),
        shape=(len(distance), len(distance)),
    )
    _, part = connected_components(graph.tocsr(), directed=True, connection="strong")
    falls: BoolArray = (slack < 0) & (part[tail] == part[head])
    return bool(falls.any())
