"""Why needs are short in a plan: the optimizer's reasons, and what came before it was asked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

import matching
from marketplace.domain.exchange.explained import (
    HINDRANCES,
    KINDS,
    ShortfallKind,
    ShortfallRule,
)
from marketplace.domain.exchange.plans import LeftAsideReason
from marketplace.persistence.exchange.market import Market
from marketplace.services.exchange.explaining_lacks import lacks_of
from marketplace.services.exchange.groups import optional
from marketplace.services.exchange.numbers import BoolArray, IntArray, ints
from marketplace.services.exchange.translation import Translation
from matching.explanations import rule_names
from matching.reasons import KINDS as OPTIMIZERS
from matching.stops import Rule

NONE = -1
REASONS = tuple(LeftAsideReason)
# What the optimizer's rules are called here; a limit along a pair is the household's or the days'.
HINDRANCE_OF: dict[Rule, ShortfallRule] = {
    "pair_max": ShortfallRule.HOUSEHOLD_MAX,
    "offer_household_max": ShortfallRule.HOUSEHOLD_MAX,
    "offer_max_needs": ShortfallRule.DELIVERIES_MAX,
    "need_max_offers": ShortfallRule.OFFERS_MAX,
    "offer_min_lot": ShortfallRule.DELIVERY_MIN,
    "need_min": ShortfallRule.QUANTITY_MIN,
}
COUNTS = ("offers", "needs_higher", "needs_equal", "held_higher")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Short:
    """Needs of the market that a plan leaves short: S rows.

    row, units                          need; units short, in its own unit
    kind, lack, aside                   positions in KINDS, LACKS, REASONS; -1: not said
    rules                               bits by position in HINDRANCES
    level, gain_level                   of its first unit short; that one unit more would serve
    offers, needs_higher, needs_equal   offers that may meet it; other needs that hold them
    held_higher                         units that those which come before it hold
    estimate                            0 or 1: not a proof
    """

    row: IntArray
    units: IntArray
    kind: IntArray
    lack: IntArray
    aside: IntArray
    rules: IntArray
    level: IntArray
    gain_level: IntArray
    offers: IntArray
    needs_higher: IntArray
    needs_equal: IntArray
    held_higher: IntArray
    estimate: IntArray


def short_of(
    market: Market,
    translation: Translation,
    plan: matching.Plan,
    served: IntArray,
    *,
    guessed: bool,
) -> Short:
    """The needs that the plan's lines leave short, with reasons.

    served    units that the lines give to each need of the market
    guessed   the plan is more than this one problem, so what is said is no proof
    """
    draft = _Draft(market, translation, served)
    draft.ask_the_optimizer(plan)
    draft.ask_what_took_no_part()
    draft.ask_what_lacks()
    return draft.short(guessed=guessed)


class _Draft:
    """Reasons while they are found: three questions, each answers what the one before left."""

    def __init__(self, market: Market, translation: Translation, served: IntArray) -> None:
        self.market, self.translation = market, translation
        units = ints(market.needs["units"]) - served
        self.row = np.flatnonzero(units > 0)
        self.units = units[self.row]
        groups = translation.groups
        need_of = np.full(len(groups.size), NONE, np.int64)
        need_of[translation.need_group] = np.arange(translation.problem.n_needs)
        self.need = need_of[groups.of_rows(len(units))[self.row]]
        size = len(self.row)
        self.kind = np.full(size, KINDS.index(ShortfallKind.UNDECIDED), np.int64)
        self.known = np.zeros(size, np.bool_)
        self.rules = np.zeros(size, np.int64)
        self.lack, self.aside = (np.full(size, NONE, np.int64) for _ in range(2))
        self.level, self.gain_level = (np.full(size, NONE, np.int64) for _ in range(2))
        self.counts = {name: np.zeros(size, np.int64) for name in COUNTS}
        self.estimate = np.zeros(size, np.int64)
        self.is_service = np.array([kind == "SERVICE" for kind in market.needs["kind"]], np.bool_)

    def ask_the_optimizer(self, plan: matching.Plan) -> None:
        problem = self.translation.problem
        found = matching.explanations(problem, plan.policy, plan)
        worth = matching.marginals(problem, plan.policy, plan)
        slot = np.full(problem.n_needs, NONE, np.int64)
        slot[found.need] = np.arange(len(found.need))
        at = np.flatnonzero(self.need >= 0)
        self.gain_level[at] = worth.need_gain_level[self.need[at]]
        self.estimate[at] = worth.need_estimate[self.need[at]]
        at = at[slot[self.need[at]] >= 0]
        s = slot[self.need[at]]
        self.kind[at] = _kinds()[found.kind[s]]
        self.known[at] = True
        self.level[at] = found.level[s]
        self.estimate[at] |= found.estimate[s]
        for name in COUNTS:
            self.counts[name][at] = getattr(found, name)[s]
        self.rules[at] = _hindrances(found.rules[s], self.is_service[self.row[at]])

    def ask_what_took_no_part(self) -> None:
        """Needs that the translation left aside, or took in part: what is less than a pack."""
        reason = np.full(len(self.market.needs["id"]), NONE, np.int64)
        for of, why, rows in self.translation.rows_aside:
            if of == "NEED":
                reason[rows] = REASONS.index(why)
        at = np.flatnonzero(~self.known & (reason[self.row] >= 0))
        self._leave_aside(at, reason[self.row[at]])
        at = np.flatnonzero(~self.known & (self.need >= 0))  # served as far as it takes part
        visits = self.is_service[self.row[at]]
        self._rule(at[visits], ShortfallRule.VISIT_DAYS)
        part = at[~visits]
        self._leave_aside(
            part, np.full(len(part), REASONS.index(LeftAsideReason.LESS_THAN_ONE_PACK))
        )

    def ask_what_lacks(self) -> None:
        """Needs without a pair, and those that nothing is said of yet."""
        nothing = self.kind == KINDS.index(ShortfallKind.NOTHING_ELIGIBLE)
        at = np.flatnonzero(nothing | ~self.known)
        lacks = lacks_of(self.market, self.row[at])
        self.known[at] = True
        self.kind[at] = KINDS.index(ShortfallKind.NOTHING_ELIGIBLE)
        self.lack[at] = lacks.code
        met = np.flatnonzero(lacks.offer >= 0)
        self._say_why_dropped(at[met], lacks.offer[met])

    def _say_why_dropped(self, at: IntArray, offer: IntArray) -> None:
        """An offer might have met it, but no pair came of that."""
        offers = self.market.offers
        reason = np.full(len(offers["id"]), NONE, np.int64)
        for of, why, rows in self.translation.rows_aside:
            if of == "OFFER":
                reason[rows] = REASONS.index(why)
        aside = reason[offer] >= 0
        self._leave_aside(at[aside], reason[offer[aside]])
        at, offer = at[~aside], offer[~aside]
        visits = self.is_service[self.row[at]]
        self._rule(at[visits], ShortfallRule.VISIT_DAYS)
        at, offer = at[~visits], offer[~visits]
        limited = optional(offers, "household_max")[offer] > 0
        self._rule(at[limited], ShortfallRule.HOUSEHOLD_MAX)
        self._rule(at[~limited], ShortfallRule.DELIVERY_MIN)

    def _leave_aside(self, at: IntArray, reason: IntArray) -> None:
        self.kind[at], self.aside[at] = KINDS.index(ShortfallKind.LEFT_ASIDE), reason
        self.known[at] = True

    def _rule(self, at: IntArray, rule: ShortfallRule) -> None:
        self.kind[at] = KINDS.index(ShortfallKind.RULE)
        self.rules[at] = 1 << HINDRANCES.index(rule)
        self.known[at] = True

    def short(self, *, guessed: bool) -> Short:
        return Short(
            row=self.row,
            units=self.units,
            kind=self.kind,
            lack=np.where(
                self.kind == KINDS.index(ShortfallKind.NOTHING_ELIGIBLE), self.lack, NONE
            ),
            aside=self.aside,
            rules=self.rules,
            level=self.level,
            gain_level=self.gain_level,
            estimate=np.ones_like(self.estimate) if guessed else self.estimate,
            **self.counts,
        )


def _kinds() -> IntArray:
    """Positions in KINDS by the optimizer's own."""
    return np.array([KINDS.index(ShortfallKind(kind.upper())) for kind in OPTIMIZERS], np.int64)


def _hindrances(masks: IntArray, is_service: BoolArray) -> IntArray:
    """The optimizer's bits as bits by HINDRANCES; along a pair, visits are limited by days."""
    distinct, which = np.unique(masks, return_inverse=True)
    bits = np.zeros((2, len(distinct)), np.int64)
    for at, mask in enumerate(distinct.tolist()):
        names = {HINDRANCE_OF[name] for name in rule_names(mask)}
        days = {ShortfallRule.VISIT_DAYS if "pair_max" in rule_names(mask) else None}
        days |= {HINDRANCE_OF[name] for name in rule_names(mask) if name != "pair_max"}
        bits[0, at] = sum(1 << HINDRANCES.index(name) for name in names)
        bits[1, at] = sum(1 << HINDRANCES.index(name) for name in days if name)
    found: IntArray = bits[is_service.astype(np.int64), which.reshape(-1)]
    return found
