"""The residual network of a plan: what one unit more or less anywhere would set moving.

Shortest residual distances of an optimal flow are its one-sided derivatives: the distance from Z
(what is unserved or left over) to a node is what one unit more demanded there would cost, the
distance from a node to Z what one unit more supplied there would bring (Ahuja, Magnanti and Orlin,
Network Flows, 1993, sections 9.7 and 11.8). Potentials of the simplex method are only *a* dual: in
a degenerate optimum they lie anywhere between the two. Distances are compared as words are in a
dictionary: by level first, then by cost.
"""

from dataclasses import dataclass, field

import numpy as np

from matching.arrays import BoolArray, IntArray, summed
from matching.easing import eased
from matching.precedence import Tranches
from matching.problem import Problem, drawn_units, served_units

FAR = 2**60  # above every weight, and above every cost that a path can have


@dataclass(frozen=True, slots=True, eq=False)
class Residual:
    """A plan x [P] in the problem's own rows: N needs, M offers, H shares of a household.

        served [N], left [M]    units served; what is left of each offer, in its own unit
        slack [M]               whether the offer has something left for one unit more
        place [P]               where a pair draws from: an offer 0..M-1, or a share M..M+H-1
        share_offer [H]         the offer behind a share (offer_household_max)
        share_left [H]          what the household may still get of it
        share_open, share_used  [H]   whether one unit more, one unit less can pass
        ahead, behind [P]       whether the pair can carry one unit more, one unit less

    Capacities are not clipped by the units of need and offer: these may be what changes.
    """

    problem: Problem
    x: IntArray
    served: IntArray
    left: IntArray
    slack: BoolArray
    place: IntArray
    share_offer: IntArray
    share_left: IntArray
    share_open: BoolArray
    share_used: BoolArray
    ahead: BoolArray
    behind: BoolArray

    @property
    def n_places(self) -> int:
        return self.problem.n_offers + len(self.share_offer)


@dataclass(frozen=True, slots=True, eq=False)
class Distances:
    """Between Z and each need [N] and place [M + H]: weight of a level (0: none), then cost."""

    need_weight: IntArray
    place_weight: IntArray
    need_cost: IntArray
    place_cost: IntArray


def residual(problem: Problem, pair_units: IntArray) -> Residual:
    """The residual network of a plan that keeps all rules."""
    m, offer, draw = problem.n_offers, problem.pair_offer, problem.pair_draw
    least = np.full(m, FAR, np.int64)
    np.minimum.at(least, offer, draw)
    left = problem.offer_units - drawn_units(problem, pair_units)
    place, share_offer, share_left, share_draw = _shares(problem, pair_units)
    used = np.zeros(m + len(share_offer), np.bool_)
    used[place[pair_units > 0]] = True
    return Residual(
        problem=problem,
        x=pair_units,
        served=served_units(problem, pair_units),
        left=left,
        slack=left >= least,
        place=place,
        share_offer=share_offer,
        share_left=share_left,
        share_open=share_left >= share_draw,
        share_used=used[m:],
        ahead=(pair_units < problem.pair_max - problem.pair_committed) & ~_closed(problem),
        behind=pair_units > 0,
    )


def _closed(problem: Problem) -> BoolArray:
    """Pairs that the problem's rules close, so that nothing more can ever move there: bool[P]."""
    easy = eased(problem)
    if easy is problem:
        return np.zeros(problem.n_pairs, np.bool_)
    closed: BoolArray = easy.pair_max <= problem.pair_committed
    return closed


def margins(levels: Tranches, served: IntArray) -> tuple[IntArray, IntArray]:
    """Weight (larger comes first) of the last unit served (FAR: none) and of the first that is
    not (0: none) of each need: int64[N] each."""
    if not len(served):
        return served, served
    part, start = levels.served(served), levels.start[:-1]
    weight = levels.n_levels - levels.level
    last = np.minimum.reduceat(np.where(part > 0, weight, FAR), start)
    first = np.maximum.reduceat(np.where(part < levels.units, weight, 0), start)
    return last, first


def losses(net: Residual, last: IntArray, exact: BoolArray | None, penalty: int = 0) -> Distances:
    """Distances from Z: the unit that gives way to one more demanded here (FAR: none can).

    last     int64[N]   weight of the last unit served, FAR where none is
    exact    bool[N]    needs whose costs are wanted; None: levels only
    penalty             what one unit of change against pair_prior costs
    """
    start = (last, np.where(net.slack, 0, FAR))
    paths = _Paths(
        to_need=_arcs(net.ahead, net.problem.pair_need, net.place),
        to_place=_arcs(net.behind, net.place, net.problem.pair_need),
        down=np.flatnonzero(net.share_open),
        up=np.flatnonzero(net.share_used),
        net=net,
    )
    return _distances(paths, start, exact, _more(net, penalty), _less(net, penalty))


def gains(net: Residual, first: IntArray, exact: BoolArray | None, penalty: int = 0) -> Distances:
    """Distances to Z: the unit that one more supplied here would serve (weight 0: none)."""
    used = np.zeros(net.problem.n_offers, np.bool_)
    used[net.problem.pair_offer[net.behind]] = True
    start = (np.where(first > 0, -first, FAR), np.where(used, 0, FAR))
    paths = _Paths(
        to_need=_arcs(net.behind, net.problem.pair_need, net.place),
        to_place=_arcs(net.ahead, net.place, net.problem.pair_need),
        down=np.flatnonzero(net.share_used),
        up=np.flatnonzero(net.share_open),
        net=net,
    )
    found = _distances(paths, start, exact, _less(net, penalty), _more(net, penalty))
    need, place = (
        np.where(weight < 0, -weight, 0) for weight in (found.need_weight, found.place_weight)
    )
    return Distances(need, place, found.need_cost, found.place_cost)


@dataclass(slots=True, eq=False)
class _Arcs:
    """Pairs as arcs sorted by head, so that the best candidate of each head is one reduction."""

    rows: IntArray
    head: IntArray
    tail: IntArray
    start: IntArray = field(init=False)
    heads: IntArray = field(init=False)

    def __post_init__(self) -> None:
        self.start = np.flatnonzero(np.diff(self.head, prepend=-1))
        self.heads = self.head[self.start]

    def kept(self, keep: BoolArray) -> "_Arcs":
        return _Arcs(self.rows[keep], self.head[keep], self.tail[keep])

    def lower(self, distance: IntArray, tails: IntArray, cost: IntArray | int) -> bool:
        """Lower the heads' distances to their best candidate; true if any moved."""
        if not len(self.start):
            return False
        best = np.minimum.reduceat(tails[self.tail] + cost, self.start)
        old = distance[self.heads]
        if not bool((best < old).any()):
            return False
        distance[self.heads] = np.minimum(best, old)
        return True


@dataclass(slots=True, eq=False)
class _Paths:
    """Arcs into needs and into places; shares that take from their offer (down) or give (up)."""

    to_need: _Arcs
    to_place: _Arcs
    down: IntArray
    up: IntArray
    net: Residual

    def settle(
        self, need: IntArray, place: IntArray, need_cost: IntArray | int, place_cost: IntArray | int
    ) -> None:
        """Bellman-Ford until nothing moves; raises ValueError where a cycle improves for ever."""
        m, offer = self.net.problem.n_offers, self.net.share_offer
        limit = 2 * (len(need) + len(place)) + 8
        for _ in range(limit):
            moved = self.to_need.lower(need, place, need_cost)
            moved |= self.to_place.lower(place, need, place_cost)
            if len(offer):
                before = place.copy()
                down, up = self.down, self.up
                place[m + down] = np.minimum(place[m + down], place[offer[down]])
                np.minimum.at(place, offer[up], place[m + up])
                moved |= bool((place != before).any())
            if not moved:
                return
        raise ValueError("plan: an exchange would improve it, so one unit more has no price.")

    def tight(self, need: IntArray, place: IntArray, exact: BoolArray) -> "_Paths":
        """Only arcs on shortest paths by level, and only where costs are wanted."""
        m, offer = self.net.problem.n_offers, self.net.share_offer
        a, b = self.to_need, self.to_place
        even = place[m:] == place[offer]
        return _Paths(
            a.kept((place[a.tail] == need[a.head]) & exact[a.head]),
            b.kept((need[b.tail] == place[b.head]) & exact[b.tail]),
            self.down[even[self.down]],
            self.up[even[self.up]],
            self.net,
        )


def _arcs(open_: BoolArray, head: IntArray, tail: IntArray) -> _Arcs:
    rows = np.flatnonzero(open_)
    heads = head[rows]
    if len(heads) and bool((heads[1:] < heads[:-1]).any()):
        # numpy sorts 16 bits by radix, several times faster
        small = heads.astype(np.uint16) if int(heads.max()) < 2**16 else heads
        order = np.argsort(small, kind="stable")
        rows, heads = rows[order], heads[order]
    return _Arcs(rows, heads, tail[rows])


def _distances(
    paths: _Paths,
    start: tuple[IntArray, IntArray],
    exact: BoolArray | None,
    need_costs: IntArray,
    place_costs: IntArray,
) -> Distances:
    need, m = start[0].copy(), len(start[1])
    place = np.full(paths.net.n_places, FAR, np.int64)
    place[:m] = start[1]
    paths.settle(need, place, 0, 0)
    need_cost, place_cost = np.zeros_like(need), np.zeros_like(place)
    if exact is None or not (need_costs.any() or place_costs.any()):
        return Distances(need, place, need_cost, place_cost)
    need_cost[:] = np.where(need == start[0], 0, FAR)
    place_cost[:] = FAR
    place_cost[:m] = np.where(place[:m] == start[1], 0, FAR)
    tight = paths.tight(need, place, exact)
    tight.settle(
        need_cost, place_cost, need_costs[tight.to_need.rows], place_costs[tight.to_place.rows]
    )
    return Distances(need, place, need_cost, place_cost)


def _more(net: Residual, penalty: int) -> IntArray:
    """What one unit more along each pair costs, its change counted."""
    if not penalty:
        return net.problem.pair_cost
    change = np.where(net.x < net.problem.pair_prior, -penalty, penalty)
    return net.problem.pair_cost + change


def _less(net: Residual, penalty: int) -> IntArray:
    if not penalty:
        return -net.problem.pair_cost
    change = np.where(net.x > net.problem.pair_prior, -penalty, penalty)
    return change - net.problem.pair_cost


def _shares(problem: Problem, x: IntArray) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    """Place of each pair; offer, what is left and the smallest draw of each household's share."""
    m, offer = problem.n_offers, problem.pair_offer
    rows = np.flatnonzero(problem.offer_household_max[offer] > 0)
    if not len(rows):
        none = np.empty(0, np.int64)
        return offer, none, none, none
    _, home = np.unique(problem.need_household, return_inverse=True)
    homes = int(home.max()) + 1
    code, member = np.unique(
        offer[rows] * homes + home[problem.pair_need[rows]], return_inverse=True
    )
    size, draw = len(code), problem.pair_draw[rows]
    share_offer = code // homes
    taken = summed(member, (x[rows] + problem.pair_committed[rows]) * draw, size)
    least = np.full(size, FAR, np.int64)
    np.minimum.at(least, member, draw)
    place = offer.copy()
    place[rows] = m + member
    return place, share_offer, problem.offer_household_max[share_offer] - taken, least
