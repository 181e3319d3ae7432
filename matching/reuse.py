"""Answers that hold on: what a component was given before, found again by the component's content.

What a component gets, and its prices, depend on nothing but its own slice of the network, and on
its weights by their order alone. So where slice and order are those of an earlier solve, the
earlier answer is the answer: bit for bit what another solve would give.
"""

from dataclasses import dataclass, replace

import numpy as np

from matching.arrays import BoolArray, IntArray, offsets
from matching.chunks import Solved
from matching.network import Network
from matching.ruled.search import RuledAnswer

# Odd numbers without a pattern, to mix columns with.
_MIX = np.array(
    [
        0x1E3779B97F4A7C15,
        0x3F58476D1CE4E5B9,
        0x14D049BB133111EB,
        0x2545F4914F6CDD1D,
        0x369DEA0F31A53F85,
        0x27BB2EE687B0B0FD,
        0x5851F42D4C957F2D,
    ],
    np.int64,
)


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """Answers of components by content. Weights of tranches and prices of the first stage (levels)
    are not weights but their places among those of the component: 0 none, 1 the lightest, one more
    than all: far.

    net      the components without rules, proven or not, localized
    index    signature of a component that is proven -> which it is
    answer   x [p], need_price [3, n], source_price [3, m + h]
    ruled    digest of a component with rules -> its answer
    """

    net: Network
    index: dict[int, int]
    answer: Solved
    ruled: dict[bytes, RuledAnswer]

    @classmethod
    def of(
        cls,
        net: Network,
        solved: Solved,
        claimed: BoolArray,
        ruled: dict[bytes, RuledAnswer] | None = None,
    ) -> "Known":
        """What was found for a network; `claimed` bool[C]: components proven optimal."""
        weights = _Weights.of(net)
        need, source = solved.need_price.copy(), solved.source_price.copy()
        need[0] = weights.place(_need_part(net), need[0])
        source[0] = weights.place(_source_part(net), source[0])
        local = _localized(net, weights)
        signatures = _signatures(local)
        return cls(
            net=local,
            index={signatures[c]: c for c in np.flatnonzero(claimed).tolist()},
            answer=Solved(solved.x, need, source, 0, {}),
            ruled=ruled or {},
        )

    @property
    def n_flow(self) -> int:
        """Components without rules, known or not."""
        return self.net.n_components

    def find(self, net: Network) -> IntArray:
        """Place of each component's answer, -1 where there is none: int64[C]."""
        none = np.full(net.n_components, -1, np.int64)
        if net.change_penalty != self.net.change_penalty or not self.index:
            return none
        local = _localized(net, _Weights.of(net))
        found = [self.index.get(signature, -1) for signature in _signatures(local)]
        at = np.array(found, np.int64)
        _Match(local, self.net).keep(at)
        return at

    def fill(self, net: Network, places: IntArray, new: "Taken", rest: Solved) -> Solved:
        """Answers for the whole network: those found, and `rest` for the components without."""
        old = _Rows.of(net, np.flatnonzero(places >= 0))
        mine = _Rows.of(self.net, places[places >= 0])
        n, m, h = len(net.need_units), len(net.offer_units), len(net.hub_offer)
        x = np.empty(len(net.pair_need), np.int64)
        need, source = np.empty((3, n), np.int64), np.empty((3, m + h), np.int64)
        x[old.pair] = self.answer.x[mine.pair]
        need[:, old.need] = self.answer.need_price[:, mine.need]
        source[:, old.source(m)] = self.answer.source_price[
            :, mine.source(len(self.net.offer_units))
        ]
        weights, need_part, source_part = _Weights.of(net), _need_part(net), _source_part(net)
        at, to = old.need, old.source(m)
        need[0, at] = weights.weight(need_part[at], need[0, at])
        source[0, to] = weights.weight(source_part[to], source[0, to])
        x[new.rows.pair] = rest.x
        need[:, new.rows.need] = rest.need_price
        source[:, new.rows.source(m)] = rest.source_price
        return Solved(x, need, source, rest.rounds, rest.seconds)


@dataclass(frozen=True, slots=True, eq=False)
class Taken:
    """Some components of a network, in their order, as a network of their own."""

    rows: "_Rows"
    net: Network

    @classmethod
    def of(cls, net: Network, components: IntArray) -> "Taken":
        rows = _Rows.of(net, components)
        need_at, offer_at, hub_at = (
            _shift(starts, components) for starts in (net.need_from, net.offer_from, net.hub_from)
        )
        pairs = np.repeat(np.arange(len(components)), np.diff(net.pair_from)[components])
        hubs = np.repeat(np.arange(len(components)), np.diff(net.hub_from)[components])
        hub = net.pair_hub[rows.pair]
        count = np.diff(net.tranche_start)[rows.need]
        tranche = _ranges(net.tranche_start[rows.need], count)
        part = Network(
            need_units=net.need_units[rows.need],
            tranche_start=np.append(0, np.cumsum(count)),
            tranche_units=net.tranche_units[tranche],
            tranche_before=net.tranche_before[tranche],
            tranche_weight=net.tranche_weight[tranche],
            offer_units=net.offer_units[rows.offer],
            hub_offer=net.hub_offer[rows.hub] + offer_at[hubs],
            hub_cap=net.hub_cap[rows.hub],
            pair_need=net.pair_need[rows.pair] + need_at[pairs],
            pair_offer=net.pair_offer[rows.pair] + offer_at[pairs],
            pair_hub=np.where(hub >= 0, hub + hub_at[pairs], -1),
            pair_cap=net.pair_cap[rows.pair],
            pair_cost=net.pair_cost[rows.pair],
            pair_prior=net.pair_prior[rows.pair],
            need_from=_starts(net.need_from, components),
            offer_from=_starts(net.offer_from, components),
            hub_from=_starts(net.hub_from, components),
            pair_from=_starts(net.pair_from, components),
            change_penalty=net.change_penalty,
        )
        return cls(rows, part)


def _localized(net: Network, weights: "_Weights") -> Network:
    """The same with the rows of each component counted from its first, and places for weights:
    so components are the same where their columns are, wherever they stand."""
    pair_part, hub = _part(net.pair_from), net.pair_hub
    if len(net.hub_cap):
        hub = np.where(hub >= 0, hub - net.hub_from[pair_part], -1)
    return replace(
        net,
        pair_need=net.pair_need - net.need_from[pair_part],
        pair_offer=net.pair_offer - net.offer_from[pair_part],
        pair_hub=hub,
        hub_offer=net.hub_offer - net.offer_from[_part(net.hub_from)],
        tranche_weight=weights.of_tranches(net),
    )


def _signatures(net: Network) -> list[int]:
    """A number for each component of a localized network that tells most apart: who matches is then
    compared in full."""
    if not net.n_components:
        return []
    mixed = net.pair_cost * _MIX[0] + net.pair_cap * _MIX[1] + net.pair_prior * _MIX[2]
    mixed += net.pair_need * _MIX[3] + net.pair_offer * _MIX[4]
    total = np.diff(net.need_from) * _MIX[0] + np.diff(net.hub_from) * _MIX[1]
    steps, steps_from = net.tranche_units * _MIX[4], net.tranche_start[net.need_from]
    for values, starts in (
        (mixed, net.pair_from),
        (net.need_units * _MIX[2], net.need_from),
        (net.offer_units * _MIX[3], net.offer_from),
        (steps + net.tranche_weight * _MIX[5], steps_from),
    ):
        values += (np.arange(len(values)) - np.repeat(starts[:-1], np.diff(starts))) * _MIX[6]
        values ^= values >> 31
        total += np.add.reduceat(values * _MIX[0], starts[:-1])
    signatures: list[int] = total.tolist()
    return signatures


class _Match:
    """Whether components of a network are, row by row, those of another; both are localized."""

    def __init__(self, net: Network, old: Network) -> None:
        self.both = net, old
        self.starts = [
            (n.need_from, n.offer_from, n.hub_from, n.pair_from, n.tranche_start[n.need_from])
            for n in self.both
        ]
        self.columns = [
            (
                (n.need_units, np.diff(n.tranche_start)),
                (n.offer_units,),
                (n.hub_offer, n.hub_cap),
                (n.pair_cost, n.pair_need, n.pair_offer, n.pair_cap, n.pair_prior)
                + ((n.pair_hub,) if len(n.hub_cap) else ()),
                (n.tranche_units, n.tranche_weight),
            )
            for n in self.both
        ]

    def keep(self, found: IntArray) -> None:
        """Set found [C], the place of each component, to -1 where it is not the same."""
        mine = np.flatnonzero(found >= 0)
        sizes = [np.stack([np.diff(starts) for starts in side]) for side in self.starts]
        alike = (sizes[0][:, mine] == sizes[1][:, found[mine]]).all(axis=0)
        found[mine[~alike]] = -1
        mine = mine[alike]
        # Neighbours there and here: compared in one go, and one by one only where that fails.
        breaks = np.flatnonzero((np.diff(mine) != 1) | (np.diff(found[mine]) != 1)) + 1
        for run in np.split(mine, breaks):
            if len(run) and not self._same(int(run[0]), int(found[run[0]]), len(run)):
                for c in run.tolist():
                    if len(run) == 1 or not self._same(c, int(found[c]), 1):
                        found[c] = -1

    def _same(self, mine: int, theirs: int, count: int) -> bool:
        """Whether so many components from there on, of equal sizes, are equal."""
        for starts, old_starts, columns, old_columns in zip(
            *self.starts, *self.columns, strict=True
        ):
            rows = slice(int(starts[mine]), int(starts[mine + count]))
            old_rows = slice(int(old_starts[theirs]), int(old_starts[theirs + count]))
            for here, there in zip(columns, old_columns, strict=False):
                if not bool((here[rows] == there[old_rows]).all()):
                    return False
        return True


@dataclass(frozen=True, slots=True, eq=False)
class _Weights:
    """For each component 0, its weights, and far (one more than the last), rising.

    value, start: those of component c at start[c]:start[c+1]. code: component x width + value, and
    `table`, where it is not too large, tells where each code is.
    """

    value: IntArray
    start: IntArray
    code: IntArray
    width: int
    table: IntArray | None

    @classmethod
    def of(cls, net: Network) -> "_Weights":
        part = np.repeat(_need_part(net), np.diff(net.tranche_start))
        width, parts = int(net.tranche_weight.max(initial=0)) + 2, net.n_components
        heaviest = np.zeros(parts, np.int64)
        np.maximum.at(heaviest, part, net.tranche_weight)
        zero = np.arange(parts) * width
        code = np.concatenate([zero, part * width + net.tranche_weight, zero + heaviest + 1])
        table = None
        if parts * width <= (1 << 16) + 4 * len(code):
            present = np.zeros(parts * width, np.bool_)
            present[code] = True
            code, table = np.flatnonzero(present), np.cumsum(present) - 1
        else:
            code = np.sort(code)
            code = code[np.diff(code, prepend=-1) > 0]
        at, value = np.divmod(code, max(1, width))
        return cls(value, offsets(at, parts), code, width, table)

    def place(self, part: IntArray, value: IntArray) -> IntArray:
        """Place of values among those of their component."""
        code = part * self.width + value
        at = np.searchsorted(self.code, code) if self.table is None else self.table[code]
        place: IntArray = at - self.start[part]
        return place

    def of_tranches(self, net: Network) -> IntArray:
        """Place of the weight of each tranche: int64[t]."""
        part = np.repeat(_need_part(net), np.diff(net.tranche_start))
        return self.place(part, net.tranche_weight)

    def weight(self, part: IntArray, place: IntArray) -> IntArray:
        """Value at a place."""
        value: IntArray = self.value[self.start[part] + place]
        return value


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """Rows of some components, one after the other."""

    need: IntArray
    offer: IntArray
    hub: IntArray
    pair: IntArray

    @classmethod
    def of(cls, parts: Network, components: IntArray) -> "_Rows":
        columns = (parts.need_from, parts.offer_from, parts.hub_from, parts.pair_from)
        return cls(*(_ranges(f[components], np.diff(f)[components]) for f in columns))

    def source(self, offers: int) -> IntArray:
        """Offers, then hubs, where so many offers come before the first hub."""
        return np.concatenate([self.offer, self.hub + offers])


def _part(starts: IntArray) -> IntArray:
    return np.repeat(np.arange(len(starts) - 1), np.diff(starts))


def _need_part(net: Network) -> IntArray:
    return _part(net.need_from)


def _source_part(net: Network) -> IntArray:
    return np.concatenate([_part(net.offer_from), _part(net.hub_from)])


def _ranges(start: IntArray, count: IntArray) -> IntArray:
    """start, start + 1, ... for each range, one after the other."""
    before = np.cumsum(count) - count
    return np.repeat(start - before, count) + np.arange(int(count.sum()))


def _starts(starts: IntArray, components: IntArray) -> IntArray:
    return np.append(0, np.cumsum(np.diff(starts)[components]))


def _shift(starts: IntArray, components: IntArray) -> IntArray:
    """By how much the rows of each component taken move."""
    shift: IntArray = _starts(starts, components)[:-1] - starts[components]
    return shift
