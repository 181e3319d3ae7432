"""Pricing: which pairs that were never built would improve a proven plan, by its prices.

Dantzig and Wolfe's column generation (1960), on the pairs of a market too wide to list them all.
A plan that is optimal over some pairs is optimal over all of them if its prices leave no other
pair a reduced cost below zero, compared stage by stage as in the certificate.

Any prices that prove the plan would do. These leave as few pairs as may be to look at: an offer
at the most that a unit of it can be worth, a need at the least that its next unit must be worth.
"""

from dataclasses import dataclass

import numpy as np

from matching.arrays import BoolArray, IndexArray, IntArray, summed
from matching.candidates import Pairs
from matching.certificate import Certificate
from matching.precedence import Tranches
from matching.problem import Problem

NEVER = -(2**62)  # below every price


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """Prices by stage: need int64[3, N], offer int64[3, M]; what one household may take of an
    offer that limits it, by sorted code of (offer, household): share [3, S], left [S] units.

    household [N] are dense, n_households of them. A household that is not listed takes nothing of
    the offer yet: its first unit has the offer's own price.
    """

    need: IntArray
    offer: IntArray
    limited: BoolArray
    household: IntArray
    n_households: int
    code: IntArray
    share: IntArray
    left: IntArray

    def worth(self, need: IntArray, offer: IntArray) -> BoolArray:
        """Whether a pair might improve the plan, before its cost is known: bool[K].

        A household's share of an offer never costs less than the offer.
        """
        might: BoolArray = self.offer[0][offer] <= self.need[0][need]
        return might

    def reduced(self, pairs: Pairs) -> tuple[IntArray, BoolArray]:
        """Reduced costs int64[3, K] of pairs that are not built, and which of them improve."""
        source = self.offer[:, pairs.offer]
        open_ = np.ones(len(pairs.cost), np.bool_)
        rows = np.flatnonzero(self.limited[pairs.offer])
        if len(rows) and len(self.code):
            code = self._code(pairs.need[rows], pairs.offer[rows])
            at = np.minimum(np.searchsorted(self.code, code), len(self.code) - 1)
            known = self.code[at] == code
            rows, at = rows[known], at[known]
            source[:, rows] = self.share[:, at]
            open_[rows] = self.left[at] > 0
        reduced = source - self.need[:, pairs.need]
        reduced[1] += pairs.cost
        return reduced, open_ & _negative(reduced)

    def _code(self, need: IntArray | IndexArray, offer: IntArray | IndexArray) -> IntArray:
        code: IntArray = offer.astype(np.int64) * self.n_households + self.household[need]
        return code


def asked_prices(
    problem: Problem, levels: Tranches, pair_units: IntArray, proof: Certificate
) -> Asked:
    """The prices for pairs that are not built, out of a certificate that is `optimal`.

    Raises ValueError where it proves nothing.
    """
    if not proof.optimal:
        raise ValueError(f"certificate: it proves no optimum ({proof.reason}), so it has no price.")
    kinds, household = np.unique(problem.need_household, return_inverse=True)
    blank = np.empty(0, np.int64)
    asked = Asked(
        need=np.full((3, problem.n_needs), NEVER),
        offer=proof.offer_price,
        limited=problem.offer_household_max > 0,
        household=household.ravel().astype(np.int64),
        n_households=max(1, len(kinds)),
        code=blank,
        share=np.empty((3, 0), np.int64),
        left=blank,
    )
    hubs, hub_price = _hubs(asked, kinds, proof)
    used = np.flatnonzero(pair_units > 0)
    source = _sources(asked, problem, used, hubs, hub_price)
    _lower_needs(asked.need, problem, levels, pair_units, used, source)
    return _with_shares(asked, problem, pair_units, hubs, hub_price)


def _negative(price: IntArray) -> BoolArray:
    later = (price[1] < 0) | ((price[1] == 0) & (price[2] < 0))
    negative: BoolArray = (price[0] < 0) | ((price[0] == 0) & later)
    return negative


def _hubs(asked: Asked, kinds: IntArray, proof: Certificate) -> tuple[IntArray, IntArray]:
    """Code and price of every hub of the certificate, by code."""
    code = proof.hub_offer * asked.n_households + np.searchsorted(kinds, proof.hub_household)
    order = np.argsort(code)
    return code[order], proof.hub_price[:, order]


def _sources(
    asked: Asked, problem: Problem, rows: IntArray, hubs: IntArray, hub_price: IntArray
) -> IntArray:
    """Price of what each of these pairs draws from: its hub where there is one, else its offer."""
    need, offer = problem.pair_need[rows], problem.pair_offer[rows]
    source = asked.offer[:, offer]
    if len(hubs):
        code = asked._code(need, offer)
        at = np.minimum(np.searchsorted(hubs, code), len(hubs) - 1)
        inside = np.flatnonzero((hubs[at] == code) & asked.limited[offer])
        source[:, inside] = hub_price[:, at[inside]]
    return source


def _lower_needs(
    price: IntArray,
    problem: Problem,
    levels: Tranches,
    x: IntArray,
    used: IntArray,
    source: IntArray,
) -> None:
    """A need's price must reach its first unserved unit and what its served units cost."""
    if not problem.n_needs:
        return
    need = problem.pair_need[used]
    served = summed(need, x[used], problem.n_needs)
    weight = levels.n_levels - levels.level
    first = np.maximum.reduceat(
        np.where(levels.served(served) < levels.units, weight, 0), levels.start[:-1]
    )
    short = np.flatnonzero(served < problem.need_units)
    paid = source.copy()
    paid[1] += problem.pair_cost[used]
    paid[2] -= 2 * (x[used] <= problem.pair_prior[used])  # taking it back would be a change
    row = np.concatenate([need, short])
    bound = np.concatenate([paid, np.stack([first[short], 0 * short, 0 * short])], axis=1)
    order = np.lexsort((bound[2], bound[1], bound[0], row))
    last = np.flatnonzero(np.diff(row[order], append=-1))
    price[:, row[order[last]]] = bound[:, order[last]]


def _with_shares(
    asked: Asked, problem: Problem, x: IntArray, hubs: IntArray, hub_price: IntArray
) -> Asked:
    """What is left to each household that is already paired with an offer that limits it.

    A share that is used up is worth what the one need that has it pays (several have a hub).
    """
    rows = np.flatnonzero(asked.limited[problem.pair_offer])
    if not len(rows):
        return asked
    need, offer = problem.pair_need[rows], problem.pair_offer[rows]
    code, member = np.unique(asked._code(need, offer), return_inverse=True)
    member = member.ravel()
    limit = problem.offer_household_max[code // asked.n_households]
    left = limit - summed(member, problem.pair_committed[rows], len(code))
    taken = summed(member, x[rows], len(code))
    share = asked.offer[:, code // asked.n_households]
    mine = np.flatnonzero((x[rows] > 0) & (taken[member] >= left[member]))
    back = -2 * (x[rows[mine]] <= problem.pair_prior[rows[mine]])
    paid = asked.need[:, need[mine]] - np.stack([0 * mine, problem.pair_cost[rows[mine]], back])
    share[:, member[mine]] = paid
    if len(hubs):
        at = np.minimum(np.searchsorted(hubs, code), len(hubs) - 1)
        known = np.flatnonzero(hubs[at] == code)
        share[:, known] = hub_price[:, at[known]]
    return Asked(
        asked.need,
        asked.offer,
        asked.limited,
        asked.household,
        asked.n_households,
        code,
        share,
        left,
    )
