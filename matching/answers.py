"""The answer for a whole network: what is known already, and the rest solved."""

from concurrent.futures import Executor
from dataclasses import replace

import numpy as np

from matching.arrays import BoolArray
from matching.backends import Backend
from matching.chunks import Solved
from matching.dispatch import Done, Limits, dispatch
from matching.fallback import first_plan
from matching.network import Network
from matching.reuse import Known, Taken


def answered(
    net: Network,
    known: Known | None,
    backend: Backend,
    executor: Executor | None,
    limits: Limits,
) -> tuple[Solved, BoolArray, BoolArray]:
    """Units and prices of every component; which were solved before time was up, and which were
    known: bool[C] both.

    Where one was not, it has a first plan without prices.
    """
    if known is None:
        solved, claimed = _assembled(net, dispatch(net, backend, executor, limits))
        return solved, claimed, np.zeros(net.n_components, np.bool_)
    places = known.find(net)
    taken = Taken.of(net, np.flatnonzero(places < 0))
    kept = (len(net.pair_need) - len(taken.net.pair_need), int((places >= 0).sum()))

    def told(pairs: int, components: int) -> None:
        limits.told(pairs + kept[0], components + kept[1])

    done = dispatch(taken.net, backend, executor, replace(limits, told=told))
    rest, ended = _assembled(taken.net, done)
    claimed = np.ones(net.n_components, np.bool_)
    claimed[places < 0] = ended
    return known.fill(net, places, taken, rest), claimed, places >= 0


def _assembled(net: Network, done: Done) -> tuple[Solved, BoolArray]:
    n, m, h = len(net.need_units), len(net.offer_units), len(net.hub_offer)
    x = np.zeros(len(net.pair_need), np.int64)
    need, source = np.zeros((3, n), np.int64), np.zeros((3, m + h), np.int64)
    claimed = np.zeros(net.n_components, np.bool_)
    rounds, seconds = 0, dict[str, float]()
    for (first, last), solved in done.chunks.items():
        m0, m1 = net.offer_from[first], net.offer_from[last]
        h0, h1 = net.hub_from[first], net.hub_from[last]
        x[net.pair_from[first] : net.pair_from[last]] = solved.x
        need[:, net.need_from[first] : net.need_from[last]] = solved.need_price
        source[:, m0:m1] = solved.source_price[:, : m1 - m0]
        source[:, m + h0 : m + h1] = solved.source_price[:, m1 - m0 :]
        claimed[first:last] = True
        rounds = max(rounds, solved.rounds)
        for phase, spent in solved.seconds.items():
            seconds[phase] = seconds.get(phase, 0.0) + spent
    if not bool(claimed.all()):
        rest = Taken.of(net, np.flatnonzero(~claimed))
        x[rest.rows.pair] = first_plan(rest.net)
    return Solved(x, need, source, rounds, seconds), claimed
