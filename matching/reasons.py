"""Reasons: why needs are short, counted for many needs at once from levels and holdings."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, get_args

import numpy as np

from matching.arrays import BoolArray, IntArray, offsets, summed
from matching.holdings import Holdings, holdings
from matching.marginals import estimated, refuse_strange
from matching.plan import Plan
from matching.policy import Policy
from matching.precedence import Tranches, tranches
from matching.problem import Problem
from matching.residual import Residual, losses, margins, residual
from matching.stops import RULES, Rule, stops

ReasonKind = Literal["complete", "nothing_eligible", "rule", "outranked", "capacity", "undecided"]
KINDS: tuple[ReasonKind, ...] = get_args(ReasonKind)
JOIN_MAX = 1 << 22  # rows joined at a time: bounds the memory


@dataclass(frozen=True, slots=True, eq=False)
class Market:
    """A plan as reasons look at it: first [N] is the weight of the first unit a need lacks, ties
    [N] the units it has at that weight, price [M + H] what gives way to one unit more there."""

    levels: Tranches
    net: Residual
    first: IntArray
    ties: IntArray
    price: IntArray
    held: Holdings
    estimate: BoolArray


@dataclass(frozen=True, slots=True, eq=False)
class Reasons:
    """Of chosen needs [S]: kind (index in KINDS), rules (bits by RULES), counts; of their pairs [K]
    (need s at start[s]:start[s + 1]): row, place to look at, open, stopped by rule."""

    kind: IntArray
    rules: IntArray
    ruled_offers: IntArray
    higher: IntArray
    equal: IntArray
    own: IntArray
    start: IntArray
    rows: IntArray
    place: IntArray
    open: BoolArray
    stopping: dict[Rule, BoolArray]


def market(problem: Problem, policy: Policy, plan: Plan) -> Market:
    """What reasons are drawn from. Raises ValueError for another problem's or policy's plan."""
    refuse_strange(problem, policy, plan)
    levels = tranches(problem.need_units, problem.need_severity, policy)
    net = residual(problem, plan.pair_units)
    last, first = margins(levels, net.served)
    tied = (levels.n_levels - levels.level) == first[levels.need]
    ties = summed(levels.need[tied], levels.served(net.served)[tied], problem.n_needs)
    price = losses(net, last, None).place_weight
    return Market(levels, net, first, ties, price, holdings(net, levels), estimated(plan)[0])


def pairs_of(problem: Problem, needs: IntArray) -> tuple[IntArray, IntArray]:
    """Rows of the pairs of these needs, need by need, and where each need's start: [K], [S + 1]."""
    at = np.full(problem.n_needs, -1, np.int64)
    at[needs] = np.arange(len(needs))
    slot = at[problem.pair_need]
    rows = np.flatnonzero(slot >= 0)
    if len(rows) and bool((np.diff(slot[rows]) < 0).any()):
        rows = rows[np.argsort(slot[rows], kind="stable")]
    return rows, offsets(slot[rows], len(needs))


def reasons(at: Market, needs: IntArray) -> Reasons:
    """Why each of these needs is short."""
    problem = at.net.problem
    rows, start = pairs_of(problem, needs)
    slot = np.repeat(np.arange(len(needs)), np.diff(start))
    need, offer = problem.pair_need[rows], problem.pair_offer[rows]
    weight = at.first[need]
    higher, equal, own = _others(at, rows, offer, weight)
    stop = stops(at.net, rows)
    blocked = np.logical_or.reduce(list(stop.values()))
    shared = stop["offer_household_max"]
    place = np.where(shared, at.net.place[rows], offer)
    above, beside = higher.copy(), equal.copy()
    inside = np.flatnonzero(shared)
    above[inside], beside[inside], _ = _others(at, rows[inside], place[inside], weight[inside])
    open_ = ~stop["pair_max"] & ~stop["need_max_offers"] & (~shared | (above + beside > 0))
    cheap = at.price[offer] < weight
    freeing = blocked & cheap
    # What the need itself holds alone is used up, whatever rule may also stand there.
    kept = blocked & (cheap | (higher + equal > 0))

    def some(of: BoolArray) -> BoolArray:
        return np.bincount(slot[of], minlength=len(needs)) > 0

    closed = ~some(open_)
    ruled = some(freeing) | (closed & some(kept))
    kind = np.select(
        [
            at.first[needs] == 0,
            np.diff(start) == 0,
            ruled,
            some(cheap & ~blocked),
            some(open_ & (above > 0)),
        ],
        [
            KINDS.index(k)
            for k in ("complete", "nothing_eligible", "rule", "undecided", "outranked")
        ],
        KINDS.index("capacity"),
    )
    guilty = (kind == KINDS.index("rule"))[slot] & np.where(closed[slot], kept, freeing)
    rules = np.zeros(len(needs), np.int64)
    for bit, name in enumerate(RULES):
        rules |= some(stop[name] & guilty).astype(np.int64) << bit
        stop[name] = stop[name] & guilty
    ruled_offers = np.bincount(slot[guilty], minlength=len(needs))
    above, beside, mine = (summed(slot, part, len(needs)) for part in (higher, equal, own))
    return Reasons(kind, rules, ruled_offers, above, beside, mine, start, rows, place, open_, stop)


def _others(
    at: Market, rows: IntArray, place: IntArray, weight: IntArray
) -> tuple[IntArray, IntArray, IntArray]:
    """Units that other needs of higher and of equal precedence hold, and the need itself."""
    higher, equal, _ = at.held.split(place, weight)
    own = at.net.x[rows]
    own_equal = np.minimum(own, at.ties[at.net.problem.pair_need[rows]])
    return higher - (own - own_equal), equal - own_equal, own


def holders(at: Market, found: Reasons) -> tuple[IntArray, IntArray]:
    """How many other needs hold units of higher, and of at most equal precedence, [S] each.

    A need is counted once, by the highest unit that it holds at any of the offers.
    """
    problem, held = at.net.problem, at.held
    size = len(found.start) - 1
    slot = np.repeat(np.arange(size), np.diff(found.start))
    rows = found.rows
    need, offer = problem.pair_need[rows], problem.pair_offer[rows]
    weight = at.first[need]
    many = np.bincount(held.need, minlength=problem.n_needs) > 1
    once = ~many[held.need]
    code = np.sort(held.place[once] * held.radix + held.top[once])
    edge = offer * held.radix + weight
    low, high = np.searchsorted(code, edge), np.searchsorted(code, edge, "right")
    end = np.searchsorted(code, np.arange(1, problem.n_offers + 1) * held.radix)[offer]
    mine = (at.net.x[rows] > 0) & ~many[need]
    top_mine = mine & (at.net.x[rows] > at.ties[need])
    higher = summed(slot, end - high - top_mine, size)
    equal = summed(slot, high - low - (mine & ~top_mine), size)
    more = np.flatnonzero(~once)
    more = more[np.argsort(held.place[more], kind="stable")]
    begin = offsets(held.place[more], problem.n_offers)
    count = np.diff(begin)[offer]
    for a, b in _slices(found.start, np.concatenate([[0], np.cumsum(count)])):
        n = count[a:b]
        row = np.repeat(np.arange(a, b), n)
        flow = more[np.arange(len(row)) + np.repeat(begin[offer[a:b]] - (np.cumsum(n) - n), n)]
        keep = (held.need[flow] != need[row]) & (held.top[flow] >= weight[row])
        row, flow = row[keep], flow[keep]
        who = slot[row] * problem.n_needs + held.need[flow]
        beside = held.top[flow] == weight[row]
        code = np.sort(2 * who + beside)  # of each pair of needs, the highest unit comes first
        code = code[np.diff(code >> 1, prepend=-1) != 0]
        above = (code & 1) == 0
        who = (code >> 1) // problem.n_needs
        higher += np.bincount(who[above], minlength=size)
        equal += np.bincount(who[~above], minlength=size)
    return higher, equal


def _slices(start: IntArray, before: IntArray) -> list[tuple[int, int]]:
    """Ranges of pairs that join to about JOIN_MAX rows each, no need torn apart."""
    edges, total = [0], before[start]
    while edges[-1] < len(start) - 1:
        last = int(np.searchsorted(total, total[edges[-1]] + JOIN_MAX, "right")) - 1
        edges.append(max(last, edges[-1] + 1))
    return [(int(start[a]), int(start[b])) for a, b in pairwise(edges)]
