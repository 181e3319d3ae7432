"""The same plan as one network, not split: OR-Tools, pylmcf and networkx."""

from dataclasses import dataclass

import networkx as nx
import numpy as np
from ortools.graph.python import min_cost_flow

from benchmarks.matching.peers import Answer, Ints, level_weights
from matching import Policy, Problem, tranches


@dataclass(frozen=True, slots=True, eq=False)
class Arcs:
    """Nodes: needs, offers, one that takes what is left over, one that stands for what is unmet.

    Arcs: pairs, what offers keep, what tranches go without (at their level's worth).
    """

    tail: Ints
    head: Ints
    cap: Ints
    cost: Ints
    supply: Ints


def ortools_whole(problem: Problem, policy: Policy) -> Answer:
    """SimpleMinCostFlow on the whole network at once."""
    arcs = _arcs(problem, policy)
    flow = min_cost_flow.SimpleMinCostFlow()
    rows = flow.add_arcs_with_capacity_and_unit_cost(
        arcs.tail.astype(np.int32), arcs.head.astype(np.int32), arcs.cap, arcs.cost
    )
    flow.set_nodes_supplies(np.arange(len(arcs.supply), dtype=np.int32), arcs.supply)
    if flow.solve() != flow.OPTIMAL:
        raise RuntimeError("OR-Tools found no optimum.")
    return _answer(problem, policy, flow.flows(rows))


def pylmcf_whole(problem: Problem, policy: Policy) -> Answer:
    """Network simplex on the whole network at once."""
    from pylmcf import pylmcf_cpp

    arcs = _arcs(problem, policy)
    units = pylmcf_cpp.lmcf(arcs.supply, arcs.tail, arcs.head, arcs.cap, arcs.cost)
    return _answer(problem, policy, units)


def networkx_simplex(problem: Problem, policy: Policy) -> Answer:
    """networkx.network_simplex; arcs between the same two nodes need a graph of several."""
    arcs = _arcs(problem, policy)
    graph = nx.MultiDiGraph()
    for node, supply in enumerate(arcs.supply.tolist()):
        graph.add_node(node, demand=-supply)
    columns = (arcs.tail, arcs.head, arcs.cap, arcs.cost)
    for row, (tail, head, cap, cost) in enumerate(
        zip(*(column.tolist() for column in columns), strict=True)
    ):
        graph.add_edge(tail, head, key=row, capacity=cap, weight=cost)
    _, flows = nx.network_simplex(graph)
    units = np.zeros(len(arcs.tail), np.int64)
    for heads in flows.values():
        for rows in heads.values():
            for row, moved in rows.items():
                units[row] = moved
    return _answer(problem, policy, units)


def _arcs(problem: Problem, policy: Policy) -> Arcs:
    levels = tranches(problem.need_units, problem.need_severity, policy)
    n, m = problem.n_needs, problem.n_offers
    left, unmet = n + m, n + m + 1
    demand, supply = int(problem.need_units.sum()), int(problem.offer_units.sum())
    cap = np.minimum(problem.need_units[problem.pair_need], problem.offer_units[problem.pair_offer])
    # Going without the last tranche must not cost less than serving it over the longest way.
    worth = level_weights(problem, levels)[levels.level]
    return Arcs(
        tail=np.concatenate(
            [n + problem.pair_offer, n + np.arange(m), np.full(len(worth), unmet), [unmet]]
        ),
        head=np.concatenate([problem.pair_need, np.full(m, left), levels.need, [left]]),
        cap=np.concatenate([cap, problem.offer_units, levels.units, [demand]]),
        cost=np.concatenate([problem.pair_cost, np.zeros(m, np.int64), worth, [0]]),
        supply=np.concatenate([-problem.need_units, problem.offer_units, [-supply, demand]]),
    )


def _answer(problem: Problem, policy: Policy, units: Ints) -> Answer:
    levels = tranches(problem.need_units, problem.need_severity, policy)
    first = problem.n_pairs + problem.n_offers
    unmet = np.asarray(units[first : first + len(levels.units)], np.int64)
    moved = np.asarray(units[: problem.n_pairs], np.int64)
    served = levels.by_level(levels.units - unmet).tolist()
    return Answer(served, int(np.dot(moved, problem.pair_cost)))
