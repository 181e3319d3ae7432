"""Answers that hold on: what a component was given before, found again by the component's content.

What a component gets, and its prices, depend on nothing but its own slice of the network, and on
its weights by their order alone. So where slice and order are those of an earlier solve, the
earlier answer is the answer: bit for bit what another solve would give.
"""

import hashlib
from dataclasses import dataclass

import numpy as np

from matching.arrays import BoolArray, IntArray, offsets
from matching.chunks import Solved
from matching.network import Network
from matching.ruled.search import RuledAnswer


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """Answers of components by digest. Prices of the first stage (levels) are not weights but
    their places among the component's weights: 0 none, 1 the lightest, one more than all: far.

    index                 digest of a component -> its place in the slices below
    ruled                 digest of a component with rules -> its answer
    need_from, offer_from, hub_from, pair_from   [C+1]   where each starts
    answer                x [p], need_price [3, n], source_price [3, m + h]
    """

    index: dict[bytes, int]
    ruled: dict[bytes, RuledAnswer]
    need_from: IntArray
    offer_from: IntArray
    hub_from: IntArray
    pair_from: IntArray
    answer: Solved

    @classmethod
    def of(
        cls,
        net: Network,
        solved: Solved,
        claimed: BoolArray,
        ruled: dict[bytes, RuledAnswer] | None = None,
    ) -> "Known":
        """What was found for a network; `claimed` bool[C]: components proven optimal."""
        places = _Weights.of(net)
        need, source = solved.need_price.copy(), solved.source_price.copy()
        need[0] = places.place(_need_part(net), need[0])
        source[0] = places.place(_source_part(net), source[0])
        digests = component_digests(net)
        return cls(
            index={digests[c]: c for c in np.flatnonzero(claimed).tolist()},
            ruled=ruled or {},
            need_from=net.need_from,
            offer_from=net.offer_from,
            hub_from=net.hub_from,
            pair_from=net.pair_from,
            answer=Solved(solved.x, need, source, 0, {}),
        )

    def find(self, net: Network) -> IntArray:
        """Place of each component's answer, -1 where there is none: int64[C]."""
        places = [self.index.get(digest, -1) for digest in component_digests(net)]
        return np.array(places, np.int64)

    def fill(self, net: Network, places: IntArray, new: "Taken", rest: Solved) -> Solved:
        """Answers for the whole network: those found, and `rest` for the components without."""
        old = _Rows.of(net, np.flatnonzero(places >= 0))
        mine = _Rows.of(self, places[places >= 0])
        n, m, h = len(net.need_units), len(net.offer_units), len(net.hub_offer)
        x = np.empty(len(net.pair_need), np.int64)
        need, source = np.empty((3, n), np.int64), np.empty((3, m + h), np.int64)
        x[old.pair] = self.answer.x[mine.pair]
        need[:, old.need] = self.answer.need_price[:, mine.need]
        source[:, old.source(m)] = self.answer.source_price[:, mine.source(self._offers)]
        weights, need_part, source_part = _Weights.of(net), _need_part(net), _source_part(net)
        at, to = old.need, old.source(m)
        need[0, at] = weights.weight(need_part[at], need[0, at])
        source[0, to] = weights.weight(source_part[to], source[0, to])
        x[new.rows.pair] = rest.x
        need[:, new.rows.need] = rest.need_price
        source[:, new.rows.source(m)] = rest.source_price
        return Solved(x, need, source, rest.rounds, rest.seconds)

    @property
    def n_flow(self) -> int:
        """Components without rules, known or not."""
        return len(self.pair_from) - 1

    @property
    def _offers(self) -> int:
        return int(self.offer_from[-1])


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


def component_digests(net: Network) -> list[bytes]:
    """SHA-256 of all that the answer of each component depends on, and of nothing else."""
    need_part, pair_part = _need_part(net), _part(net.pair_from)
    hub_part, count = _part(net.hub_from), np.diff(net.tranche_start)
    hub = np.where(net.pair_hub >= 0, net.pair_hub - net.hub_from[pair_part], -1)
    pairs = _table(
        net.pair_need - net.need_from[pair_part],
        net.pair_offer - net.offer_from[pair_part],
        hub,
        net.pair_cap,
        net.pair_cost,
        net.pair_prior,
    )
    needs = _table(net.need_units, count)
    places = _Weights.of(net).place(np.repeat(need_part, count), net.tranche_weight)
    steps = _table(net.tranche_units, places)
    offers = _table(net.offer_units)
    hubs = _table(net.hub_offer - net.offer_from[hub_part], net.hub_cap)
    steps_from = net.tranche_start[net.need_from]
    tables = [pairs, needs, steps, offers, hubs]
    froms = [net.pair_from, net.need_from, steps_from, net.offer_from, net.hub_from]
    sizes = _table(*(np.diff(starts) for starts in froms))
    head = net.change_penalty.to_bytes(8, "little")
    cuts = [[8 * t.shape[1] * at for at in f.tolist()] for t, f in zip(tables, froms, strict=True)]
    views = [table.ravel().data.cast("B") if table.size else b"" for table in tables]
    found = []
    for c in range(net.n_components):
        sha = hashlib.sha256(head)
        sha.update(sizes[c])
        for view, cut in zip(views, cuts, strict=True):
            sha.update(view[cut[c] : cut[c + 1]])
        found.append(sha.digest())
    return found


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
    def of(cls, parts: Network | Known, components: IntArray) -> "_Rows":
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


def _table(*columns: IntArray) -> IntArray:
    return np.ascontiguousarray(np.stack(columns, axis=1), np.dtype("<i8"))


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
