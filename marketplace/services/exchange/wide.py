"""Wide markets: planned by few of the pairs where more may meet than can be built, yet proven.

An offer over a whole province may meet every need there. Of such offers the near pairs are built
first; the plan's prices then say which of the others would improve it (see matching.solve_wide).
That is a proof only where the pairs that are left out have no rule of their own: a market with
rules, or with packs, is refused as too large.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

import matching
from marketplace.persistence.exchange.market import Market
from marketplace.services.exchange.groups import Groups, optional
from marketplace.services.exchange.numbers import UNLIMITED, BoolArray, IntArray, ints, rows_of
from marketplace.services.exchange.pairs import (
    Pairs,
    declined,
    groups_of,
    need_columns,
    offer_columns,
)
from marketplace.services.exchange.translation import (
    CASH_FOR_GOODS_M,
    FEN_PER_CASH_UNIT,
    Translation,
    translated,
)
from matching.wide import Reach

Might = Callable[[IntArray, IntArray], BoolArray]
SolveWide = Callable[[matching.Problem, Reach], matching.WidePlan]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WideMarket:
    """The translation of all pairs that a plan needs, and what is proven of those left out.

    pairs   how many may meet
    """

    translation: Translation
    plan: matching.WidePlan
    pairs: int

    def proof(self, of_built: dict[str, object]) -> dict[str, object]:
        """The proof of a plan over the built pairs as one over all: never more than is proven."""
        told = {"pairs": self.pairs, "pairs_built": self.translation.problem.n_pairs}
        told |= {"rounds": len(self.plan.rounds)}
        if self.plan.status == "optimal":
            return of_built | {"wide": told}
        certificate = dict(of_built["certificate"])  # type: ignore[call-overload]
        return of_built | {
            "wide": told,
            "status": "bounded",
            "gap": max(self.plan.gap, float(str(of_built["gap"]))),
            "level_bound": self.plan.level_bound.tolist(),
            "certificate": certificate | {"optimal": False, "proven": 0},
        }


def planned_wide(market: Market, *, pairs_max: int, solve_wide: SolveWide) -> WideMarket | None:
    """Plan a market with more than `pairs_max` pairs; None where a rule makes that no proof.

    Raises QuantitiesTooLarge.
    """
    groups = groups_of(market)
    every = _Every(market, groups)
    near = matching.near_pairs(every.slices, len(every.is_cash), begin_pairs=max(1, pairs_max // 3))
    wide = near.reach_pairs > near.near
    if not _plain(market, wide):
        return None
    prior = _met(every, wide, _prior(market, groups))
    if prior is None:
        return None
    begin = _together(every, [near.pairs, *prior])
    translation = translated(market, groups, begin)
    if translation.groups is not groups or not _pure(translation):
        return None
    reach = _Reach(every, translation, wide)
    plan = solve_wide(translation.problem, reach)
    added = plan.problem.n_pairs - translation.problem.n_pairs
    if added:
        more = Pairs(
            need=translation.need_group[plan.problem.pair_need[-added:]],
            offer=translation.offer_row[plan.problem.pair_offer[-added:]],
            cost=plan.problem.pair_cost[-added:],
        )
        translation = translated(market, groups, _together(every, [begin, more]))
    return WideMarket(translation=translation, plan=plan, pairs=int(near.reach_pairs.sum()))


class _Every:
    """All pairs of a market by group and row of the offer, slice by slice, as translated ones."""

    def __init__(self, market: Market, groups: Groups) -> None:
        needs, first = market.needs, groups.first
        self.columns = matching.AllPairs(
            needs=need_columns(needs, first),
            offers=offer_columns(market),
            forbidden=declined(market, groups),
        )
        self.is_cash = np.array(market.offers["is_cash"], np.bool_)
        self.wants_cash = np.array([kind == "CASH" for kind in needs["kind"]], np.bool_)[first]
        self.price = np.where(self.wants_cash, FEN_PER_CASH_UNIT, ints(needs["price"])[first])
        least = ints(needs["quantity_min"]) - ints(needs["covered"])
        self.ruled = (least[first] > 1) | (optional(needs, "every_days")[first] > 0)

    def slices(self, worth: Might | None = None) -> Iterator[matching.Pairs]:
        for part in self.columns(worth):
            of_cash = self.is_cash[part.offer]
            fits = np.where(of_cash, self.price[part.need] > 0, ~self.wants_cash[part.need])
            bought = np.where(self.wants_cash[part.need], 0, CASH_FOR_GOODS_M)
            cost = np.where(of_cash, bought, part.cost)
            yield matching.Pairs(part.need[fits], part.offer[fits], cost[fits])


class _Reach:
    """The pairs of wide offers as the problem names them."""

    def __init__(self, every: _Every, translation: Translation, wide: BoolArray) -> None:
        self.every = every
        self.need_at = np.full(len(every.price), -1, np.int64)
        self.need_at[translation.need_group] = np.arange(len(translation.need_group))
        self.offer_at = np.full(len(wide), -1, np.int64)
        self.offer_at[translation.offer_row] = np.arange(len(translation.offer_row))
        self.offer_at[~wide] = -1  # all of their pairs are built, as far as rules leave them any

    def __call__(self, worth: Might) -> Iterator[matching.Pairs]:
        def might(need: IntArray, offer: IntArray) -> BoolArray:
            need, offer = self.need_at[need], self.offer_at[offer]
            known = (need >= 0) & (offer >= 0)
            found: BoolArray = known & worth(np.maximum(need, 0), np.maximum(offer, 0))
            return found

        for part in self.every.slices(might):
            need, offer = self.need_at[part.need], self.offer_at[part.offer]
            known = (need >= 0) & (offer >= 0)
            yield matching.Pairs(
                need[known].astype(np.int32), offer[known].astype(np.int32), part.cost[known]
            )


def _plain(market: Market, wide: BoolArray) -> bool:
    """Whether the wide offers have no rule of their own."""
    offers = market.offers
    ruled = optional(offers, "is_service") > 0
    ruled |= ~np.array(offers["is_cash"], np.bool_) & (ints(offers["pack"]) > 1)
    ruled |= ints(offers["household_max"], none=UNLIMITED) < UNLIMITED
    ruled |= ints(offers["deliveries_max"], none=UNLIMITED) < UNLIMITED
    ruled |= ints(offers["delivery_min"]) > 1
    return not bool((ruled & wide).any())


def _pure(translation: Translation) -> bool:
    """Whether nothing in the problem is more than quantities, and each unit a real one."""
    problem = translation.problem
    return not (
        len(translation.mixed.need)
        or bool((translation.need_scale > 1).any())
        or bool((problem.need_min > 1).any())
        or bool((problem.offer_min_lot > 1).any())
        or bool(problem.offer_max_needs.any())
        or bool((problem.pair_draw > 1).any())
    )


def _prior(market: Market, groups: Groups) -> IntArray:
    """The earlier proposal's pairs as sorted codes: group x offers + row of the offer."""
    prior = {name: ints(market.prior[name]) for name in ("need", "offer")}
    known = np.isin(prior["need"], ints(market.needs["id"]))
    known &= np.isin(prior["offer"], ints(market.offers["id"]))
    row = rows_of(market.needs["id"], prior["need"][known].tolist())
    offer = rows_of(market.offers["id"], prior["offer"][known].tolist())
    group = groups.of_rows(len(market.needs["id"]))[row]
    return np.unique(group * len(market.offers["id"]) + offer)


def _met(every: _Every, wide: BoolArray, codes: IntArray) -> list[matching.Pairs] | None:
    """The pairs of wide offers among these codes; None where some pair of them has a rule.

    A need's own rules are rules of its pairs; so is a price that not all of an offer's pairs have.
    """
    found: list[matching.Pairs] = []
    low, high = np.full(len(wide), UNLIMITED), np.zeros(len(wide), np.int64)
    for part in every.slices():
        rows = np.flatnonzero(wide[part.offer])
        need, offer = part.need[rows], part.offer[rows]
        if bool(every.ruled[need].any()):
            return None
        step = np.where(every.is_cash[offer], every.price[need], 1)
        np.minimum.at(low, offer, step)
        np.maximum.at(high, offer, step)
        code = need.astype(np.int64) * len(wide) + offer
        rows = rows[np.isin(code, codes)]
        found.append(matching.Pairs(part.need[rows], part.offer[rows], part.cost[rows]))
    return None if bool((low < high).any()) else found


def _together(every: _Every, parts: Sequence[Pairs | matching.Pairs]) -> Pairs:
    """Pairs by group and offer, each once."""
    need, offer, cost = (
        np.concatenate([getattr(part, name) for part in parts]).astype(np.int64)
        for name in ("need", "offer", "cost")
    )
    _, at = np.unique(need * len(every.is_cash) + offer, return_index=True)
    return Pairs(need=need[at], offer=offer[at], cost=cost[at])
