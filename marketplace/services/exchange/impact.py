"""Impact: what one more offer would change in a plan, found by solving only what it touches."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

import matching
from marketplace.persistence.exchange.market import Columns, Market
from marketplace.services.exchange import parts
from marketplace.services.exchange.parts import Parts, ints
from marketplace.services.exchange.plan_records import Recorded
from marketplace.services.exchange.planning import policy_of
from marketplace.services.exchange.sharing_out import lines_of
from marketplace.services.exchange.standing import (
    Asked,
    asked_of,
    rows_by_id,
    served_of,
)
from marketplace.services.exchange.translation import (
    QuantitiesTooLarge,
    Translation,
    translate,
)

IntArray = npt.NDArray[np.int64]

PAIRS_MAX = 30_000_000
PAIRS_AT_ONCE = 300_000  # of a touched part that is solved while somebody waits
SOLVE_S = 3.0

How = Literal["exact", "bounded", "estimated"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Base:
    """A plan with what is worked out once for all questions about it.

    served   [G] units that the plan serves to each group of `asked`
    """

    recorded: Recorded
    parts: Parts | None  # None: too many pairs to be told apart
    asked: Asked
    served: IntArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Effect:
    """What the offer changes; nothing in it is rounded, so it is not for showing.

    offer_id      the new offer's id in the market, as if posted
    lines         lines of the touched parts as they would be, the new offer's among them
    touched       rows of the needs in the touched parts
    served        [G] units served to each group of the base's `asked` then
    drawn_max     at most so much of the offer can be used
    crowd         households that might get something of it at all
    """

    offer_id: int
    how: How
    lines: Columns
    touched: IntArray
    served: IntArray
    drawn_max: int
    crowd: int

    def own(self, column: str) -> IntArray:
        """A column of the lines that draw on the new offer."""
        mine = np.flatnonzero(ints(self.lines["offer_id"]) == self.offer_id)
        return ints(self.lines[column][row] for row in mine.tolist())

    @property
    def drawn(self) -> int:
        return int(self.own("units_drawn").sum())


def base_of(recorded: Recorded) -> Base:
    """What every question about this plan starts from."""
    percent = int(str(recorded.policy["floorSharePercent"]))
    asked = asked_of(recorded.market, floor_share_percent=percent)
    try:
        found = parts.parts_of(recorded.market, pairs_max=PAIRS_MAX)
    except matching.TooManyPairs:
        found = None
    served = served_of(asked, recorded.market, recorded.lines)
    return Base(recorded=recorded, parts=found, asked=asked, served=served)


def effect_of(base: Base, offered: Market) -> Effect:
    """What the one offer of the market `offered` changes.

    offered   a market without needs, its offer's id above all others'; see `posted`
    """
    market = base.recorded.market
    if base.parts is None:
        everyone = np.arange(len(market.needs["id"]))
        return _estimate(base, offered, everyone)
    reached = parts.reached_by(base.parts, offered)
    touched = np.unique(base.parts.need[reached])
    size = int(base.parts.pairs[touched].sum()) + len(reached)
    if size > PAIRS_AT_ONCE:
        return _estimate(base, offered, reached)
    needs, offers = parts.rows_of(base.parts, touched)
    cut = parts.joined(parts.cut(market, needs, offers), offered)
    solved = _solved(cut, base.recorded, until_s=SOLVE_S)
    if solved is None:
        return _estimate(base, offered, reached)
    lines, how = solved
    served = base.served.copy()
    served[np.unique(base.asked.group[needs])] = 0
    row = rows_by_id(market.needs, lines["need_id"])
    np.add.at(served, base.asked.group[row], ints(lines["units_served"]))
    return Effect(
        offer_id=_id(offered),
        how=how,
        lines=lines,
        touched=needs,
        served=served,
        drawn_max=_drawn_max(base, offered, reached),
        crowd=_crowd(base, reached),
    )


def _solved(market: Market, recorded: Recorded, *, until_s: float) -> tuple[Columns, How] | None:
    """The best lines of a market that differ least from the recorded ones; None: out of time."""
    try:
        translation = translate(market, pairs_max=PAIRS_MAX)
    except QuantitiesTooLarge:
        return None
    prior = prior_of(translation, market, recorded.lines)
    problem = replace(translation.problem, pair_prior=prior)
    plan = matching.solve(problem, policy_of(recorded.policy), deadline_s=until_s)
    if plan.status == "deadline":
        return None
    lines: Columns = {
        name: list(column)
        for name, column in lines_of(translation, market, plan.pair_units).items()
    }
    return lines, "exact" if plan.status == "optimal" else "bounded"


def prior_of(translation: Translation, market: Market, lines: Columns) -> IntArray:
    """Lines of an earlier plan as units along the pairs of a problem: int64[P].

    Lines whose need or offer is not in the market, and what is no whole unit, fall away.
    """
    problem = translation.problem
    prior = np.zeros(problem.n_pairs, np.int64)
    need_at = _positions(market.needs, lines["need_id"])
    offer_at = _positions(market.offers, lines["offer_id"])
    of_row = np.full(len(market.needs["id"]) + 1, -1, np.int64)
    groups = translation.groups
    number = np.full(len(groups.size), -1, np.int64)
    number[translation.need_group] = np.arange(problem.n_needs)
    of_row[groups.row] = np.repeat(number, groups.size)
    of_offer = np.full(len(market.offers["id"]) + 1, -1, np.int64)
    of_offer[translation.offer_row] = np.arange(problem.n_offers)
    need, offer = of_row[need_at], of_offer[offer_at]
    known = (need >= 0) & (offer >= 0)
    need, offer = need[known], offer[known]
    units = ints(lines["units_served"])[known]
    width = max(1, problem.n_offers)
    code = problem.pair_need * width + problem.pair_offer
    order = np.argsort(code, kind="stable")
    wanted = need * width + offer
    at = np.minimum(np.searchsorted(code[order], wanted), max(0, len(code) - 1))
    if len(code):
        met = code[order][at] == wanted
        pair = order[at[met]]
        np.add.at(prior, pair, units[met] // translation.need_scale[need[met]])
    return prior


def _positions(columns: Columns, ids: list[object]) -> IntArray:
    """Where ids stand in a sorted column; -1 where they do not."""
    known = ints(columns["id"])
    wanted = ints(ids)
    if not len(known):
        return np.full(len(wanted), -1, np.int64)
    at = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    return np.where(known[at] == wanted, at, -1).astype(np.int64)


def _estimate(base: Base, offered: Market, reached: IntArray) -> Effect:
    """The offer given to what it reaches and the plan leaves open, in the order of urgency."""
    asked, market = base.asked, base.recorded.market
    groups = np.unique(asked.group[reached])
    groups = groups[np.lexsort((groups, -asked.severity[groups]))]
    left, draw = _left(offered), _draw(base, offered, groups)
    limit = offered.offers["household_max"][0]
    most = left if limit is None else int(str(limit))
    served, need_ids, units_served, units_drawn = base.served.copy(), [], [], []
    for till in (asked.floor, asked.units):  # everyone's floor share first
        for group, price in zip(groups.tolist(), draw.tolist(), strict=True):
            open_units = max(0, int(till[group] - served[group]))
            units = min(open_units, min(left, most) // price) if price else 0
            if units:
                served[group] += units
                left -= units * price
                need_ids.append(market.needs["id"][int(asked.first[group])])
                units_served.append(units)
                units_drawn.append(units * price)
    lines: Columns = {
        "need_id": need_ids,
        "offer_id": [_id(offered)] * len(need_ids),
        "units_served": list(units_served),
        "units_drawn": list(units_drawn),
    }
    return Effect(
        offer_id=_id(offered),
        how="estimated",
        lines=lines,
        touched=reached,
        served=served,
        drawn_max=_drawn_max(base, offered, reached),
        crowd=_crowd(base, reached),
    )


def _drawn_max(base: Base, offered: Market, reached: IntArray) -> int:
    groups = np.unique(base.asked.group[reached])
    wanted = base.asked.units[groups].astype(object) * _draw(base, offered, groups).astype(object)
    return int(min(_left(offered), int(wanted.sum()) if len(groups) else 0))


def _draw(base: Base, offered: Market, groups: IntArray) -> IntArray:
    """What one unit of a group draws from the offer, in the offer's unit; 0: it cannot be had."""
    if offered.offers["is_cash"][0]:
        return base.asked.value[groups]
    if offered.offers.get("is_service", [False])[0]:
        minutes = ints(base.recorded.market.needs["visit_minutes"])
        return minutes[base.asked.first[groups]]
    return np.ones(len(groups), np.int64)


def _crowd(base: Base, reached: IntArray) -> int:
    return len(np.unique(ints(base.recorded.market.needs["household"])[reached]))


def _left(offered: Market) -> int:
    return int(str(offered.offers["units"][0]))


def _id(offered: Market) -> int:
    return int(str(offered.offers["id"][0]))
