"""The flow solvers: one network of arcs in, a cheapest flow out."""

from collections.abc import Callable
from importlib.metadata import version
from typing import Literal, get_args

import numpy as np
from ortools.graph.python import min_cost_flow

from matching.arrays import IntArray
from matching.errors import SolverFailed

Backend = Literal["ortools", "pylmcf"]
Solver = Callable[[IntArray, IntArray, IntArray, IntArray, IntArray], IntArray]

# Above this, |cost| x (nodes + 1) comes too near to 64 bits (the solver scales costs by nodes).
COST_RANGE = 2**60


def solver(backend: Backend) -> Solver:
    """The function behind a name. Raises ValueError, or ImportError where it is not installed."""
    if backend not in get_args(Backend):
        raise ValueError(
            f"backend is {backend!r}; one of {', '.join(get_args(Backend))} is wanted."
        )
    if backend == "pylmcf":
        import pylmcf  # noqa: F401  # fails here, not in a worker
    return {"ortools": _ortools, "pylmcf": _pylmcf}[backend]


def solver_version(backend: Backend) -> str:
    return version(backend)


def _ortools(
    tail: IntArray, head: IntArray, cap: IntArray, cost: IntArray, supply: IntArray
) -> IntArray:
    """Cost-scaling push-relabel. It holds the GIL and cannot be interrupted.

    Arc ids are those it gave, never others: an unknown id would end the process.
    """
    if len(cost) and int(np.abs(cost).max()) * (len(supply) + 1) > COST_RANGE:
        raise SolverFailed("Costs are too large for a network of this size.")
    flow = min_cost_flow.SimpleMinCostFlow()
    arcs = flow.add_arcs_with_capacity_and_unit_cost(
        tail.astype(np.int32), head.astype(np.int32), cap, cost
    )
    flow.set_nodes_supplies(np.arange(len(supply), dtype=np.int32), supply)
    status = flow.solve()
    if status != flow.OPTIMAL:
        raise SolverFailed(f"The flow solver ended with {status}.")
    units: IntArray = flow.flows(arcs)
    return units


def _pylmcf(
    tail: IntArray, head: IntArray, cap: IntArray, cost: IntArray, supply: IntArray
) -> IntArray:
    """Network simplex. Costs must not be negative; ours never are."""
    from pylmcf import pylmcf_cpp

    units: IntArray = pylmcf_cpp.lmcf(supply, tail, head, cap, cost)
    return units
