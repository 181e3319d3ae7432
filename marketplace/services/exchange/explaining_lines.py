"""Why each line of a plan: which units of the need it serves, and how near its offer is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

import matching
from marketplace.domain.exchange.explained import LINE_CODES, PlanLineCode
from marketplace.persistence.exchange.market import Market
from marketplace.services.exchange.numbers import BoolArray, IntArray, ints, rows_of
from marketplace.services.exchange.translation import Translation

Lines = Mapping[str, Sequence[object]]

NONE = -1
JOIN_MAX = 1 << 21  # pairs looked at together: bounds the memory


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Placed:
    """Lines of a plan where the optimizer knows them: L lines, in the order of the plan.

    need, offer, pair   [L] row in the problem; -1: planned in a later round (packs)
    group               [L] group of the need
    first, last         [L] levels of the first and the last unit, nearest offers counted first
    floor               [L] real units that belong to the floor share
    """

    need: IntArray
    offer: IntArray
    pair: IntArray
    group: IntArray
    first: IntArray
    last: IntArray
    floor: IntArray


def line_columns(
    market: Market, translation: Translation, plan: matching.Plan, lines: Lines
) -> dict[str, list[int]]:
    """Columns by line: need, offer, levels, floor, severity, rank, offers, code and cash.

    severity   of the need, as it was planned
    """
    at = _placed(market, translation, plan, lines)
    rank, offers, code = _ranks(translation.problem, plan, at)
    cash = np.array(market.offers["is_cash"], np.int64)
    columns: dict[str, IntArray] = {
        "need": ints(lines["need_id"]),
        "offer": ints(lines["offer_id"]),
        "first": at.first,
        "last": at.last,
        "floor": at.floor,
        "severity": ints(market.needs["severity"])[rows_of(market.needs["id"], lines["need_id"])],
        "rank": rank,
        "offers": offers,
        "code": code,
        "cash": cash[rows_of(market.offers["id"], lines["offer_id"])],
    }
    return {name: column.tolist() for name, column in columns.items()}


def _placed(market: Market, translation: Translation, plan: matching.Plan, lines: Lines) -> Placed:
    problem, groups = translation.problem, translation.groups
    row = rows_of(market.needs["id"], lines["need_id"])
    group = groups.of_rows(len(market.needs["id"]))[row]
    need_of = np.full(len(groups.size), NONE, np.int64)
    need_of[translation.need_group] = np.arange(problem.n_needs)
    offer_of = np.full(len(market.offers["id"]), NONE, np.int64)
    offer_of[translation.offer_row] = np.arange(problem.n_offers)
    need, offer = need_of[group], offer_of[rows_of(market.offers["id"], lines["offer_id"])]
    pair = _pairs(problem, need, offer)
    units = ints(lines["units_served"])
    turn = np.zeros(len(market.needs["id"]), np.int64)
    turn[groups.row] = np.arange(len(groups.row))
    order = np.lexsort((ints(lines["cost"]), turn[row], group))
    begin = np.zeros(len(units), np.int64)
    before = np.cumsum(units[order]) - units[order]
    fresh = np.flatnonzero(np.diff(group[order], prepend=-1))
    many = np.diff(np.append(fresh, len(order)))
    begin[order] = before - np.repeat(before[fresh], many)
    first, last, floor = _levels(translation, plan.policy, need, begin, units)
    return Placed(
        need=need, offer=offer, pair=pair, group=group, first=first, last=last, floor=floor
    )


def _pairs(problem: matching.Problem, need: IntArray, offer: IntArray) -> IntArray:
    """The pair of each line; pairs of a translation are sorted by need, then offer."""
    if not problem.n_pairs:
        return np.full(len(need), NONE, np.int64)
    code = problem.pair_need.astype(np.int64) * problem.n_offers + problem.pair_offer
    wanted = need * problem.n_offers + offer
    at = np.minimum(np.searchsorted(code, wanted), len(code) - 1)
    known = (need >= 0) & (offer >= 0) & (code[at] == wanted)
    return np.where(known, at, NONE)


def _levels(
    translation: Translation,
    policy: matching.Policy,
    need: IntArray,
    begin: IntArray,
    units: IntArray,
) -> tuple[IntArray, IntArray, IntArray]:
    """First level, last level and floor units of lines that begin at a unit of their need."""
    problem = translation.problem
    first, last = np.full(len(need), NONE, np.int64), np.full(len(need), NONE, np.int64)
    floor = np.zeros(len(need), np.int64)
    known = np.flatnonzero(need >= 0)
    if not len(known):
        return first, last, floor
    levels = matching.tranches(problem.need_units, problem.need_severity, policy)
    ends = np.cumsum(levels.units)
    start = ends[levels.start[:-1]] - levels.units[levels.start[:-1]]
    i = need[known]
    scale, most = translation.need_scale[i], problem.need_units[i] - 1
    low = np.minimum(begin[known] // scale, most)
    high = np.minimum((begin[known] + units[known] - 1) // scale, most)
    first[known] = levels.level[np.searchsorted(ends, start[i] + low, "right")]
    last[known] = levels.level[np.searchsorted(ends, start[i] + high, "right")]
    if policy.order == "floor":
        in_floor = np.array([key[0] == 0 for key in levels.keys], np.bool_)[levels.level]
        share = np.zeros(problem.n_needs, np.int64)
        np.add.at(share, levels.need[in_floor], levels.units[in_floor])
        room = share[i] * scale - begin[known]
        floor[known] = np.clip(room, 0, units[known])
    return first, last, floor


def _ranks(
    problem: matching.Problem, plan: matching.Plan, at: Placed
) -> tuple[IntArray, IntArray, IntArray]:
    """Rank by distance, how many offers could, and the code of every line."""
    size = len(at.pair)
    rank, offers = np.zeros(size, np.int64), np.zeros(size, np.int64)
    code = np.full(size, NONE, np.int64)
    known = np.flatnonzero(at.pair >= 0)
    starts = np.searchsorted(problem.pair_need, np.arange(problem.n_needs + 1))
    many = np.diff(starts)[at.need[known]]
    use = _Use(problem, plan, at)
    for a, b in _slices(many):
        part = known[a:b]
        line = np.repeat(np.arange(b - a), many[a:b])
        within = np.arange(len(line)) - np.repeat(np.cumsum(many[a:b]) - many[a:b], many[a:b])
        pair = starts[at.need[part]][line] + within
        nearer = problem.pair_cost[pair] < problem.pair_cost[at.pair[part]][line]
        line, pair = line[nearer], pair[nearer]
        rank[part] = 1 + np.bincount(line, minlength=b - a)
        offers[part] = many[a:b]
        code[part] = use.codes(line, pair, at.first[part], offers[part], rank[part])
    return rank, offers, code


class _Use:
    """Who uses the offers of a problem by a plan."""

    def __init__(self, problem: matching.Problem, plan: matching.Plan, at: Placed) -> None:
        self.problem, self.units = problem, plan.pair_units
        drawn = matching.drawn_units(problem, plan.pair_units)
        self.left = problem.offer_units - drawn
        self.takers = np.bincount(
            problem.pair_offer[plan.pair_units > 0], minlength=problem.n_offers
        )
        self.worst = np.full(problem.n_offers, NONE, np.int64)
        known = at.pair >= 0
        np.maximum.at(self.worst, at.offer[known], at.last[known])

    def codes(
        self, line: IntArray, pair: IntArray, first: IntArray, offers: IntArray, rank: IntArray
    ) -> IntArray:
        """Codes of lines; `line`, `pair` [K] are the nearer pairs of each."""
        offer = self.problem.pair_offer[pair]
        others = self.takers[offer] - (self.units[pair] > 0) > 0

        def some(of: BoolArray) -> BoolArray:
            return np.bincount(line[of], minlength=len(first)) > 0

        names = [
            (offers == 1, PlanLineCode.ONLY),
            (rank == 1, PlanLineCode.NEAREST),
            (some(self.left[offer] >= self.problem.pair_draw[pair]), PlanLineCode.NEARER_RULED),
            (~some(others), PlanLineCode.NEARER_USED),
            (~some(others & (self.worst[offer] >= first[line])), PlanLineCode.NEARER_OUTRANKS),
        ]
        return np.select(
            [mask for mask, _ in names],
            [LINE_CODES.index(name) for _, name in names],
            LINE_CODES.index(PlanLineCode.NEARER_TAKEN),
        ).astype(np.int64)


def _slices(many: IntArray) -> Iterator[tuple[int, int]]:
    """Ranges of lines with about JOIN_MAX pairs each."""
    part = (np.cumsum(many) - many) // JOIN_MAX
    edges = [*np.flatnonzero(np.diff(part, prepend=-1)).tolist(), len(many)]
    yield from pairwise(edges)
