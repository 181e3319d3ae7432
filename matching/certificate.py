"""A certificate: prices that prove a plan optimal, and the check of them, which trusts no solver.

A plan is optimal (levels, then cost, then change, each strictly after the one before) if and only
if no cycle of the residual network improves it. Prices with no negative reduced cost, compared
stage by stage as words are in a dictionary, rule every cycle out. The check reads nothing but the
problem, the plan and the prices, in whole numbers.
"""

from dataclasses import dataclass

import numpy as np

from matching.arrays import BoolArray, IntArray
from matching.policy import Policy
from matching.precedence import Tranches
from matching.problem import Problem, drawn_units, served_units

SLICE_PAIRS = 1 << 18  # pairs checked together: bounds the memory, and stays in the cache


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Certificate:
    """Prices by stage (levels, cost, change): need int64[3, N], offer int64[3, M], hub int64[3, H].

    A hub is what one offer may give to one household (hub_offer, hub_household, int64[H]).
    `proven` of `components` are optimal; `reason` says what an improvement would be, if any.

    `ruled` of the components have rules and no prices. `ruled_proven` of these, counted in
    `proven`, are proven by branch and bound. Where `solve` issues the certificate that is the word
    of the solver that made the plan; `certify` counts all that the plan says of them again, and
    counts as proven only what a second solve proves.
    """

    optimal: bool
    reason: str
    components: int
    proven: int
    need_price: IntArray
    offer_price: IntArray
    hub_price: IntArray
    hub_offer: IntArray
    hub_household: IntArray
    rounds: int
    seconds: float
    problem_digest: str
    policy: Policy
    ruled: int = 0
    ruled_proven: int = 0

    def to_json(self, *, prices: bool = False) -> dict[str, object]:
        """Plain values; the prices only where asked for."""
        plain: dict[str, object] = {
            "optimal": self.optimal,
            "reason": self.reason,
            "components": self.components,
            "proven": self.proven,
            "ruled": self.ruled,
            "ruled_proven": self.ruled_proven,
            "rounds": self.rounds,
            "seconds": self.seconds,
            "problem_digest": self.problem_digest,
            "policy": self.policy.to_json(),
        }
        if prices:
            for name in ("need_price", "offer_price", "hub_price", "hub_offer", "hub_household"):
                plain[name] = getattr(self, name).tolist()
        return plain


def improvement(
    problem: Problem,
    levels: Tranches,
    pair_units: IntArray,
    certificate: Certificate,
    need_proven: BoolArray,
    offer_proven: BoolArray,
) -> str:
    """What the prices fail to rule out, in words; empty when the plan is proven optimal.

    need_proven   bool[N]   needs of the components that the proof is for
    offer_proven  bool[M]   likewise
    """
    checks = (
        _needs_improve(problem, levels, pair_units, certificate, need_proven),
        _offers_improve(problem, pair_units, certificate, offer_proven),
        _pairs_improve(problem, pair_units, certificate, need_proven),
    )
    return next((check for check in checks if check), "")


def _needs_improve(
    problem: Problem, levels: Tranches, x: IntArray, proof: Certificate, proven: BoolArray
) -> str:
    """Serving one unit more or less at a need must not pay against its price."""
    if not problem.n_needs:
        return ""
    served = served_units(problem, x)
    part = np.clip(served[levels.need] - levels.before, 0, levels.units)
    weight = levels.n_levels - levels.level
    start = levels.start[:-1]
    last = np.minimum.reduceat(np.where(part > 0, weight, levels.n_levels + 1), start)
    first = np.maximum.reduceat(np.where(part < levels.units, weight, 0), start)
    price = proof.need_price
    zero = np.zeros(problem.n_needs, np.int64)
    less = _negative(last - price[0], zero - price[1], zero - price[2])
    bad = np.flatnonzero(less & (served > 0) & proven)
    if len(bad):
        return f"need {bad[0]}: its last unit is worth less than its price"
    more = _negative(price[0] - first, price[1], price[2])
    bad = np.flatnonzero(more & (served < problem.need_units) & proven)
    if len(bad):
        return f"need {bad[0]}: a unit it lacks outranks one that is served, or serves at less cost"
    return ""


def _offers_improve(problem: Problem, x: IntArray, proof: Certificate, proven: BoolArray) -> str:
    """What is left of an offer must be worth nothing; what is used must not be a loss."""
    used, price = drawn_units(problem, x), proof.offer_price
    bad = np.flatnonzero(_negative(-price[0], -price[1], -price[2]) & proven)
    bad = bad[used[bad] < problem.offer_units[bad]]
    if len(bad):
        return f"offer {bad[0]}: something of value is left over"
    bad = np.flatnonzero(_negative(price[0], price[1], price[2]) & proven)
    bad = bad[used[bad] > 0]
    return f"offer {bad[0]}: it would rather stay unused" if len(bad) else ""


def _pairs_improve(problem: Problem, x: IntArray, proof: Certificate, proven: BoolArray) -> str:
    """Moving one unit more or less along a pair must not pay between the prices of its ends."""
    share = _household_shares(problem, x, proof)
    ours = np.flatnonzero(proven[problem.pair_need])
    for first in range(0, len(ours), SLICE_PAIRS):
        rows = ours[first : first + SLICE_PAIRS]
        said = _slice_improves(problem, x, proof, share, rows)
        if said:
            return said
    return ""


def _slice_improves(
    problem: Problem,
    x: IntArray,
    proof: Certificate,
    share: "_Share | None",
    rows: IntArray,
) -> str:
    """A unit towards pair_prior undoes a change and one beyond it is one: -1 and +1, both less one,
    for an exchange at equal levels moves as many units forth as back. So for a change's penalty.
    """
    need, offer, units = problem.pair_need[rows], problem.pair_offer[rows], x[rows]
    prior = problem.pair_prior[rows]
    cap = np.minimum(problem.need_units[need], problem.offer_units[offer])
    cap = np.minimum(cap, np.maximum(problem.pair_max[rows] - problem.pair_committed[rows], 0))
    source = proof.offer_price[:, offer]
    if share is not None:
        limited, hub = share.limit[rows] >= 0, share.hub[rows]
        cap = np.where(limited, np.minimum(cap, share.limit[rows]), cap)
        step = source
        source = np.where(hub >= 0, proof.hub_price[:, hub] if len(proof.hub_offer) else 0, source)
        step = step - source
        gain = _negative(step[0], step[1], step[2]) & (share.units[rows] < share.limit[rows])
        gain |= _negative(-step[0], -step[1], -step[2]) & (share.units[rows] > 0)
        bad = np.flatnonzero(gain & (hub >= 0))
        if len(bad):
            return f"pair {rows[bad[0]]}: its household's share of the offer could improve"
    levels = source[0] - proof.need_price[0][need]
    costs = source[1] + problem.pair_cost[rows] - proof.need_price[1][need]
    change = source[2] - proof.need_price[2][need]
    penalty = 2 * proof.policy.change_penalty
    more = costs - np.where(units < prior, penalty, 0)
    gain = _negative(levels, more, change + np.where(units < prior, -2, 0))
    bad = np.flatnonzero(gain & (units < cap))
    if len(bad):
        return f"pair {rows[bad[0]]}: one unit more would improve the plan"
    less = costs - np.where(units > prior, 0, penalty)
    gain = _negative(-levels, -less, -change + np.where(units > prior, 0, 2))
    bad = np.flatnonzero(gain & (units > 0))
    return f"pair {rows[bad[0]]}: one unit less would improve the plan" if len(bad) else ""


@dataclass(frozen=True, slots=True, eq=False)
class _Share:
    """For each pair [P]: the hub it draws from (-1 none), what the household newly gets from the
    offer, and the most it may (-1: no limit)."""

    hub: IntArray
    units: IntArray
    limit: IntArray


def _household_shares(problem: Problem, x: IntArray, proof: Certificate) -> _Share | None:
    offer = problem.pair_offer
    rows = np.flatnonzero(problem.offer_household_max[offer] > 0)
    if not len(rows):
        return None
    key = np.stack([offer[rows], problem.need_household[problem.pair_need[rows]]])
    known = np.stack([proof.hub_offer, proof.hub_household])
    _, member = np.unique(np.concatenate([key, known], axis=1), axis=1, return_inverse=True)
    member = member.ravel()
    size, mine = int(member.max()) + 1, member[: len(rows)]
    units, taken = np.zeros(size, np.int64), np.zeros(size, np.int64)
    np.add.at(units, mine, x[rows])
    np.add.at(taken, mine, problem.pair_committed[rows])
    hub_of = np.full(size, -1, np.int64)
    hub_of[member[len(rows) :]] = np.arange(len(proof.hub_offer))
    share = _Share(*(np.full(problem.n_pairs, -1, np.int64) for _ in range(3)))
    share.hub[rows], share.units[rows] = hub_of[mine], units[mine]
    left = problem.offer_household_max[offer[rows]] - taken[mine]
    share.limit[rows] = np.maximum(left, 0)
    return share


def _negative(levels: IntArray, cost: IntArray, change: IntArray) -> BoolArray:
    """Whether (levels, cost, change) comes before (0, 0, 0), the first that differs deciding."""
    later = (cost < 0) | ((cost == 0) & (change < 0))
    negative: BoolArray = (levels < 0) | ((levels == 0) & later)
    return negative
