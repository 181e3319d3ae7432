"""One stage of a solve: the cheapest flow over what is still free, group by group.

Unmet form: node Z feeds every need with what nobody serves, and every offer with what it gives.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from matching.arrays import IntArray, summed
from matching.backends import Solver
from matching.state import State

Stage = Literal["levels", "cost", "change"]

# Components with fewer arcs share a solver call; fixed, so that answers do not hang on the machine.
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


def run_stage(state: State, stage: Stage, solve: Solver, checkpoint: Callable[[], None]) -> None:
    """Make the free part of the flow optimal for this stage, and keep all that is fixed."""
    arcs = _arcs(state, stage)
    n_nodes = len(state.net.need_units) + len(state.net.offer_units) + len(state.net.hub_offer)
    group, node_group, n_groups = _groups(arcs, n_nodes)
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
    for g in range(n_groups):
        checkpoint()
        a, b = arc_from[g], arc_from[g + 1]
        size = int(node_from[g + 1] - node_from[g]) + 1
        costs = cost[a:b]
        if stage == "levels":  # ranks within the group: small numbers solve faster
            costs = np.unique(costs, return_inverse=True)[1].astype(np.int64)
        supply = summed(tail[a:b], flow[a:b], size) - summed(head[a:b], flow[a:b], size)
        flow[a:b] = solve(tail[a:b], head[a:b], cap[a:b], costs, supply)

    moved = arcs.pair[order]
    pairs = moved >= 0
    state.x[moved[pairs]] = 0
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
    x, cap = state.x[k], net.pair_cap[k]
    if stage == "levels":
        return [_arc(tail, head, cap, 0, x, k)]
    if stage == "cost":
        return [_arc(tail, head, cap, net.pair_cost[k], x, k)]
    # Up to the earlier proposal a unit undoes a change, beyond it each is one: -1 and +1. Shifted
    # to 0 and 2, because the sum over all pairs is fixed by the levels.
    prior = np.minimum(net.pair_prior[k], cap)
    kept = np.minimum(x, prior)
    return [_arc(tail, head, prior, 0, kept, k), _arc(tail, head, cap - prior, 2, x - kept, k)]


def _unmet_arcs(state: State, stage: Stage) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    net = state.net
    if stage == "levels":
        need = np.repeat(np.arange(len(net.need_units)), np.diff(net.tranche_start))
        return need, net.tranche_units, net.tranche_weight, state.unmet()
    need = np.flatnonzero(state.high > state.low)
    room = (state.high - state.low)[need]
    return need, room, np.zeros(len(need), np.int64), (state.high - state.served)[need]


def _groups(arcs: Arcs, n_nodes: int) -> tuple[IntArray, IntArray, int]:
    """Group of each arc and node, -1 where the flow has no choice, and the number of groups.

    Connected without Z: an exchange through Z that leads from one part to another would change
    the level of what it serves, so it is never on the optimal face.
    """
    inner = np.flatnonzero(arcs.tail >= 0)
    graph = coo_matrix(
        (np.ones(len(inner), np.int8), (arcs.tail[inner], arcs.head[inner])),
        shape=(n_nodes, n_nodes),
    )
    n_labels, label = connected_components(graph.tocsr(), directed=False)
    n_arcs = np.bincount(label[arcs.head], minlength=n_labels)
    outer = np.bincount(label[arcs.head[arcs.tail < 0]], minlength=n_labels)
    size = np.bincount(label, minlength=n_labels) + (outer > 0)
    choice = n_arcs > size - 1  # a tree has one flow only
    started = np.cumsum(np.where(choice, n_arcs, 0)) - n_arcs
    used, merged = np.unique(started[choice] // GROUP_ARCS, return_inverse=True)
    group = np.full(n_labels, -1, np.int64)
    group[choice] = merged
    return group[label[arcs.head]], group[label], len(used)
