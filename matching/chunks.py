"""A chunk: some components, solved stage by stage with their prices. Runs in any process."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from matching.arrays import BoolArray, IntArray
from matching.backends import Backend, solver
from matching.errors import SolverFailed
from matching.network import Network
from matching.prices import (
    Prices,
    change_prices,
    cost_prices,
    level_prices,
    narrow_cost,
    narrow_levels,
)
from matching.stages import Stage, run_stage
from matching.state import State

# Components in one chunk: enough to be worth a trip to another process.
CHUNK_PAIRS = 20_000


@dataclass(frozen=True, slots=True, eq=False)
class Solved:
    """x [p] and prices need [3, n], source [3, m + h] by stage; CPU seconds by phase."""

    x: IntArray
    need_price: IntArray
    source_price: IntArray
    rounds: int
    seconds: dict[str, float]


def solve_chunk(
    net: Network, backend: Backend, checkpoint: Callable[[], None] | None = None
) -> Solved:
    """The optimal flow of a network and the prices that prove it."""
    return _staged(State(net, np.zeros(len(net.pair_need), np.int64)), backend, checkpoint)


def price_chunk(state: State) -> Solved | None:
    """Prices of a flow as it stands; None where a cycle shows that it is not optimal."""
    return _priced(state, _as_it_is, {})


def chunk_ranges(net: Network, pairs: int) -> list[tuple[int, int]]:
    """Ranges of components with at least `pairs` pairs each, but for the last; large ones alone."""
    ranges, first = [], 0
    for last in range(1, net.n_components + 1):
        if net.pair_from[last] - net.pair_from[first] >= pairs or last == net.n_components:
            ranges.append((first, last))
            first = last
    return ranges


def _staged(state: State, backend: Backend, checkpoint: Callable[[], None] | None) -> Solved:
    seconds: dict[str, float] = {}
    solve = solver(backend)

    def stage(name: Stage, active: BoolArray) -> None:
        began = time.process_time()
        run_stage(state, name, active, solve, checkpoint or _unlimited)
        seconds[name] = time.process_time() - began

    solved = _priced(state, stage, seconds)
    if solved is None:
        raise SolverFailed("The flow solver's answer can be improved.")
    return solved


def _priced(
    state: State, stage: Callable[[Stage, BoolArray], None], seconds: dict[str, float]
) -> Solved | None:
    """Stage by stage: solve (or leave as is), price, keep free only what costs nothing to move."""
    net, began, rounds = state.net, time.process_time(), 0
    size = (len(net.need_units), len(net.offer_units) + len(net.hub_offer))
    need_price, source_price = (np.zeros((3, count), np.int64) for count in size)
    for at, (name, price) in enumerate(_STEPS):
        active = _active(net, name)
        if not active.any():
            continue
        stage(name, active)
        found = price(state)
        if found is None:
            return None
        prices = Prices(
            np.where(active[state.need_part], found.need, 0),
            np.where(active[state.source_part], found.source, 0),
            found.rounds,
        )
        need_price[at], source_price[at] = prices.need, prices.source
        rounds = max(rounds, prices.rounds)
        if name == "levels":
            narrow_levels(state, prices)
        elif name == "cost":
            narrow_cost(state, prices)
    seconds["prices"] = time.process_time() - began - sum(seconds.values())
    return Solved(state.x, need_price, source_price, rounds, seconds)


_STEPS: tuple[tuple[Stage, Callable[[State], Prices | None]], ...] = (
    ("levels", level_prices),
    ("cost", cost_prices),
    ("change", change_prices),
)


def _active(net: Network, stage: Stage) -> BoolArray:
    """Components that a stage is about, [C]: elsewhere nothing has a cost, or was proposed."""
    every = np.ones(net.n_components, np.bool_)
    if stage == "levels" or not net.n_components:
        return every
    counts = net.pair_prior if stage == "change" else net.pair_cost
    if stage == "cost" and net.change_penalty:
        counts = counts | net.pair_prior
    active: BoolArray = np.maximum.reduceat(counts, net.pair_from[:-1]) > 0
    return active


def _as_it_is(_stage: Stage, _active: BoolArray) -> None:
    return None


def _unlimited() -> None:
    return None
