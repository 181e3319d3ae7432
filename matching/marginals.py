"""Marginals: what one unit more or less would do, at every offer, need and possible new offer."""

import time
from dataclasses import dataclass, fields

import numpy as np

from matching.arrays import BoolArray, IntArray, Whole, frozen, whole
from matching.plan import Plan
from matching.policy import Policy
from matching.precedence import LevelKey, tranches
from matching.problem import COST_MAX, Problem
from matching.residual import FAR, gains, losses, margins, residual

NONE = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """What one unit does: the level it serves (-1, key None: none) and the change in cost."""

    level: int
    key: LevelKey | None
    cost: int
    estimate: bool

    def to_json(self) -> dict[str, object]:
        """Plain values."""
        key = None if self.key is None else [_plain(part) for part in self.key]
        return {"level": self.level, "key": key, "cost": self.cost, "estimate": self.estimate}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Marginals:
    """One unit more or less; levels are positions in level_keys, 0 first, -1: none.

        offer_gain_level, offer_gain_cost   [M]   one unit more of the offer: the level it would
                                                  serve, and by how much the plan's cost changes
        offer_loss_level, offer_loss_cost   [M]   one unit less: the level that would lose a unit
        need_gain_level, need_gain_cost     [N]   one unit given to the need from outside: the
                                                  level it would serve, here or, freed, elsewhere
        need_loss_level, need_loss_cost     [N]   one unit more that must be served here: the level
                                                  that would lose one (of other needs, or here)
        need_reachable                      [N]   whether any offer could serve one unit more here
        need_estimate, offer_estimate       bool  true where this is no proof: in components that
                                                  rules make more than a flow, or not proven

    Exact elsewhere: solved again with that unit, levels and cost change by just as much. A gain of
    level -1 with a cost below 0 serves nobody more and saves that cost. Estimates ignore rules that
    are no flow (lots, counts, minimums); their costs are 0. A change_penalty counts as cost.
    """

    level_keys: tuple[LevelKey, ...]
    offer_gain_level: IntArray
    offer_gain_cost: IntArray
    offer_loss_level: IntArray
    offer_loss_cost: IntArray
    need_gain_level: IntArray
    need_gain_cost: IntArray
    need_loss_level: IntArray
    need_loss_cost: IntArray
    need_reachable: BoolArray
    need_estimate: BoolArray
    offer_estimate: BoolArray
    seconds: float

    def of_new_offer(self, pair_need: Whole, pair_cost: Whole = 0) -> Worth:
        """What the first unit of a new offer would do that reaches these needs.

        pair_need   int[K]   rows of the needs it may serve
        pair_cost   int[K]   cost of one unit to each, >= 0
        """
        need = whole("pair_need", pair_need, None, 0, len(self.need_gain_level) - 1)
        offer = np.zeros(len(need), np.int64)
        level, cost, estimate = self.of_new_offers(offer, need, pair_cost, 1)
        at = int(level[0])
        key = None if at == NONE else self.level_keys[at]
        return Worth(level=at, key=key, cost=int(cost[0]), estimate=bool(estimate[0]))

    def of_new_offers(
        self, pair_offer: Whole, pair_need: Whole, pair_cost: Whole, n_offers: int
    ) -> tuple[IntArray, IntArray, BoolArray]:
        """The same for each of `n_offers` new offers by itself: level, cost, estimate, [n] each.

        pair_offer, pair_need, pair_cost   int[K]   which offer reaches which need at what cost
        """
        need = whole("pair_need", pair_need, None, 0, len(self.need_gain_level) - 1)
        offer = whole("pair_offer", pair_offer, len(need), 0, n_offers - 1)
        cost = whole("pair_cost", pair_cost, len(need), 0, COST_MAX)
        best, n = len(self.level_keys), n_offers
        level_of = np.where(self.need_gain_level == NONE, best, self.need_gain_level)[need]
        cost = cost + self.need_gain_cost[need]
        offers = np.concatenate([offer, np.arange(n)])  # or left in store: nothing, at no cost
        levels = np.concatenate([level_of, np.full(n, best)])
        costs = np.concatenate([cost, np.zeros(n, np.int64)])
        order = np.lexsort((costs, levels, offers))
        first = order[np.flatnonzero(np.diff(offers[order], prepend=-1))]
        estimate = np.zeros(n, np.bool_)
        np.logical_or.at(estimate, offer, self.need_estimate[need])
        level = np.where(levels[first] == best, NONE, levels[first])
        return frozen(level), frozen(costs[first]), frozen(estimate)

    def to_json(self) -> dict[str, object]:
        """Plain values, columns as lists."""
        plain: dict[str, object] = {
            "level_keys": [[_plain(part) for part in key] for key in self.level_keys],
            "seconds": self.seconds,
        }
        for field in fields(self)[1:-1]:
            plain[field.name] = getattr(self, field.name).tolist()
        return plain


def marginals(problem: Problem, policy: Policy, plan: Plan) -> Marginals:
    """What one unit more or less would do anywhere, all components at once.

    One-sided derivatives of the optimum, by shortest residual distances in both directions (Ahuja,
    Magnanti and Orlin, Network Flows, 1993). Raises ValueError where the plan is for another
    problem or policy, or could be improved.
    """
    began = time.process_time()
    refuse_strange(problem, policy, plan)
    levels = tranches(problem.need_units, problem.need_severity, policy)
    net = residual(problem, plan.pair_units)
    last, first = margins(levels, net.served)
    need_estimate, offer_estimate = estimated(plan)
    exact = ~need_estimate
    lost = losses(net, last, exact, policy.change_penalty)
    won = gains(net, first, exact, policy.change_penalty)
    m, r = problem.n_offers, levels.n_levels
    offer_gain = _gain(won.place_weight[:m], won.place_cost[:m], ~net.slack, offer_estimate, r)
    offer_loss = _loss(lost.place_weight[:m], lost.place_cost[:m], ~net.slack, offer_estimate, r)
    reachable, anywhere = lost.need_weight < FAR, np.ones(problem.n_needs, np.bool_)
    need_gain = _gain(won.need_weight, won.need_cost, anywhere, need_estimate, r)
    need_loss = _loss(lost.need_weight, lost.need_cost, reachable, need_estimate, r)
    return Marginals(
        level_keys=levels.keys,
        offer_gain_level=offer_gain[0],
        offer_gain_cost=offer_gain[1],
        offer_loss_level=offer_loss[0],
        offer_loss_cost=offer_loss[1],
        need_gain_level=need_gain[0],
        need_gain_cost=need_gain[1],
        need_loss_level=need_loss[0],
        need_loss_cost=need_loss[1],
        need_reachable=frozen(reachable),
        need_estimate=frozen(need_estimate),
        offer_estimate=frozen(offer_estimate),
        seconds=time.process_time() - began,
    )


def refuse_strange(problem: Problem, policy: Policy, plan: Plan) -> None:
    """Raise ValueError unless the plan is for this problem and policy."""
    if plan.problem_digest != problem.digest:
        raise ValueError("plan: it was made for another problem.")
    if plan.policy != policy:
        raise ValueError("plan: it was made by another policy.")


def estimated(plan: Plan) -> tuple[BoolArray, BoolArray]:
    """Needs and offers of components that are not proven flows: bool[N], bool[M]."""
    part = [
        component.kind != "flow" or component.status != "optimal" for component in plan.components
    ]
    # A budget of changes ties all components together; -1, no component, is trivially proven.
    budget = plan.policy.change_budget is not None
    of = np.array([*(p or budget for p in part), False], np.bool_)
    return of[plan.need_component], of[plan.offer_component]


def _gain(
    weight: IntArray, cost: IntArray, wanted: BoolArray, estimate: BoolArray, n_levels: int
) -> tuple[IntArray, IntArray]:
    """Level and cost; nothing where no level is served and no cost saved."""
    cost = np.where(wanted & ~estimate & ((weight > 0) | (cost < 0)), cost, 0)
    level = np.where(wanted & (weight > 0), n_levels - weight, NONE)
    return frozen(level), frozen(cost)


def _loss(
    weight: IntArray, cost: IntArray, wanted: BoolArray, estimate: BoolArray, n_levels: int
) -> tuple[IntArray, IntArray]:
    level = np.where(wanted & (weight > 0) & (weight < FAR), n_levels - weight, NONE)
    return frozen(level), frozen(np.where(wanted & ~estimate, cost, 0))


def _plain(part: object) -> object:
    return part if isinstance(part, int) else str(part)
