"""One stage of a solve: the cheapest flow over what is still free, group by group.

Unmet form: node Z feeds every need with what nobody serves, and every offer with what it gives.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from matching.arrays import BoolArray, IntArray, summed
from matching.backends import Solver
from matching.state import State

Stage = Literal["levels", "cost", "change"]

# Parts of a component with fewer arcs share a solver call.
GROUP_ARCS = 4096


@dataclass(slots=True, eq=False)
class Arcs:
    """Arcs of all groups; nodes are needs, offers, hubs in this order, -1 is Z."""

    tail: IntArray
    head: IntArray
    cap: IntArray
    cost: IntArray
    flow: IntArray
    pair: IntArray  # the pair that an arc moves, -1: none


def run_stage(
    state: State, stage: Stage, active: BoolArray, solve: Solver, checkpoint: Callable[[], None]
) -> None:
    """Make the free part of the flow optimal for this stage, and keep all that is fixed.

    `active` bool[C]: components that the stage is about. No solver call ever spans two components:
    what a component gets does not depend on what is solved beside it.
    """
    arcs = _arcs(state, stage)
    n_nodes = len(state.need_part) + len(state.source_part)
    group, node_group, n_groups = _groups(state, arcs, active)
    chosen = np.flatnonzero(group >= 0)
    order = chosen[np.argsort(group[chosen], kind="stable")]
    nodes = np.flatnonzero(node_group >= 0)
    nodes = nodes[np.argsort(node_group[nodes], kind="stable")]
    node_from = np.searchsorted(node_group[nodes], np.arange(n_groups + 1))
    arc_from = np.searchsorted(group[order], np.arange(n_groups + 1))

    local = np.zeros(n_nodes + 1, np.int64)  # the last entry is -1: Z is node 0 of every group
    local[nodes] = np.arange(len(nodes)) - node_from[node_group[nodes]] + 1
    tail, head = local[arcs.tail[order]], local[arcs.head[order]]
    cap, cost, flow = arcs.cap[order], arcs.cost[order], arcs.flow[order]
    if stage == "levels":  # ranks within the group: small numbers solve faster
        cost = ranked(group[order], cost)
    base = node_from + np.arange(n_groups + 1)  # of each group among all nodes, every Z counted
    at = base[group[order]]
    supply = summed(at + tail, flow, int(base[-1])) - summed(at + head, flow, int(base[-1]))
    starts, firsts = arc_from.tolist(), base.tolist()
    for g in range(n_groups):
        checkpoint()
        a, b = starts[g], starts[g + 1]
        needed = supply[firsts[g] : firsts[g + 1]]
        flow[a:b] = solve(tail[a:b], head[a:b], cap[a:b], cost[a:b], needed)

    moved = arcs.pair[order]
    pairs = moved >= 0
    state.x[moved[pairs]] = state.least[moved[pairs]]
    np.add.at(state.x, moved[pairs], flow[pairs])
    state.refresh()


def _arcs(state: State, stage: Stage) -> Arcs:
    """Every free arc, with the flow that is on it now."""
    net = state.net
    n, m = len(net.need_units), len(net.offer_units)
    hubs, offers = np.flatnonzero(state.hub_free), np.flatnonzero(state.offer_free)
    reach = summed(net.pair_offer, net.pair_cap, m)  # more could not leave an offer
    need, cap, cost, flow = _unmet_arcs(state, stage)
    parts = [
        *_pair_arcs(state, stage),
        _arc(n + net.hub_offer[hubs], n + m + hubs, net.hub_cap[hubs], 0, state.through[hubs]),
        _arc(-1, need, cap, cost, flow),
        _arc(-1, n + offers, np.minimum(net.offer_units, reach)[offers], 0, state.used[offers]),
    ]
    tail, head, caps, costs, flows, pair = (
        np.concatenate(column) for column in zip(*parts, strict=True)
    )
    return Arcs(tail, head, caps, costs, flows, pair)


def _arc(
    tail: IntArray | int,
    head: IntArray,
    cap: IntArray,
    cost: IntArray | int,
    flow: IntArray,
    pair: IntArray | int = -1,
) -> tuple[IntArray, ...]:
    columns = np.broadcast_arrays(tail, head, cap, cost, flow, pair)
    return tuple(np.asarray(column, np.int64) for column in columns)


def _pair_arcs(state: State, stage: Stage) -> list[tuple[IntArray, ...]]:
    net = state.net
    k = np.flatnonzero(state.free)
    tail, head = len(net.need_units) + state.source[k], net.pair_need[k]
    x, cap = state.x[k] - state.least[k], state.most[k] - state.least[k]
    if stage == "levels":
        return [_arc(tail, head, cap, 0, x, k)]
    if stage == "cost" and not net.change_penalty:
        return [_arc(tail, head, cap, net.pair_cost[k], x, k)]
    # Up to the earlier proposal a unit undoes a change, beyond it each is one: -1 and +1. Shifted
    # to 0 and 2, because the sum over all pairs is fixed by the levels.
    below, beyond = np.zeros(len(k), np.int64), np.full(len(k), 2)
    if stage == "cost":
        below, beyond = net.pair_cost[k], net.pair_cost[k] + 2 * net.change_penalty
    prior = np.clip(net.pair_prior[k] - state.least[k], 0, cap)
    kept = np.minimum(x, prior)
    return [
        _arc(tail, head, prior, below, kept, k),
        _arc(tail, head, cap - prior, beyond, x - kept, k),
    ]


def _unmet_arcs(state: State, stage: Stage) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    net = state.net
    if stage == "levels":
        need = np.repeat(np.arange(len(net.need_units)), np.diff(net.tranche_start))
        return need, net.tranche_units, net.tranche_weight, state.unmet()
    need = np.flatnonzero(state.high > state.low)
    room = (state.high - state.low)[need]
    return need, room, np.zeros(len(need), np.int64), (state.high - state.served)[need]


def _groups(state: State, arcs: Arcs, active: BoolArray) -> tuple[IntArray, IntArray, int]:
    """Group of each arc and node, -1 where the flow has no choice, and the number of groups.

    Connected without Z: an exchange through Z that leads from one part to another would change
    the level of what it serves, so it is never on the optimal face.
    """
    node_part = np.concatenate([state.need_part, state.source_part])
    n_nodes = len(node_part)
    inner = np.flatnonzero(arcs.tail >= 0)
    graph = coo_matrix(
        (np.ones(len(inner), np.int8), (arcs.tail[inner], arcs.head[inner])),
        shape=(n_nodes, n_nodes),
    )
    n_labels, label = connected_components(graph.tocsr(), directed=False)
    part = np.zeros(n_labels, np.int64)
    part[label] = node_part
    n_arcs = np.bincount(label[arcs.head], minlength=n_labels)
    outer = np.bincount(label[arcs.head[arcs.tail < 0]], minlength=n_labels)
    size = np.bincount(label, minlength=n_labels) + (outer > 0)
    choice = n_arcs > size - 1  # a tree has one flow only
    if len(choice):
        choice &= active[part]
    chosen = np.flatnonzero(choice)
    chosen = chosen[np.argsort(part[chosen], kind="stable")]
    before = np.cumsum(n_arcs[chosen]) - n_arcs[chosen]
    opens = np.diff(part[chosen], prepend=-1) != 0
    before -= before[opens][np.cumsum(opens) - 1]  # arcs of the same component
    bundle = before // GROUP_ARCS
    group = np.full(n_labels, -1, np.int64)
    group[chosen] = np.cumsum(opens | (np.diff(bundle, prepend=0) != 0)) - 1
    return group[label[arcs.head]], group[label], int(group.max(initial=-1)) + 1


def ranked(group: IntArray, values: IntArray) -> IntArray:
    """Dense ranks of values (>= 0) within each group (0, 1, ... not falling): int64.

    >>> ranked(np.array([0, 0, 1, 1]), np.array([5, 2, 9, 9])).tolist()
    [1, 0, 0, 0]
    """
    if not len(values):
        return values
    width, n_groups = int(values.max()) + 1, int(group[-1]) + 1
    code, size = group * width + values, n_groups * width
    if size > (1 << 16) + 4 * len(values):  # a table would be mostly empty
        cells, cell = np.unique(code, return_inverse=True)
        first = np.searchsorted(cells, np.arange(n_groups) * width)
    else:
        present = np.zeros(size, np.bool_)
        present[code] = True
        below = np.cumsum(present) - 1
        cell = below[code]
        first = np.append(0, below[np.arange(1, n_groups) * width - 1] + 1)
    ranks: IntArray = cell - first[group]
    return ranks
