"""An explanation: why one need is short, with the needs and offers that it is short because of."""

import time
from dataclasses import dataclass, fields

import numpy as np

from matching.arrays import BoolArray, IntArray, frozen, summed
from matching.explanations import counted, rule_names
from matching.plan import Plan
from matching.policy import Policy
from matching.precedence import LevelKey
from matching.problem import Problem
from matching.reasons import Market, ReasonKind, Reasons, market, reasons
from matching.residual import Residual
from matching.stops import Rule


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stopped:
    """A rule that keeps these offers, int64 rows, from serving one unit more."""

    rule: Rule
    offers: IntArray

    def to_json(self) -> dict[str, object]:
        """Plain values."""
        return {"rule": self.rule, "offers": self.offers.tolist()}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Explanation:
    """Why need `need` is short of `units_short` units, the first of them at `level`.

        complete          it is not
        nothing_eligible  no offer may meet it
        rule              an offer has something for it (left over, or with a need that comes after
                          it), but rules stand in the way; or rules close every offer to it
        outranked         what the offers that reach it give is held by needs that come before it
        capacity          likewise, but nothing comes before it: it has it all itself, or ties with
                          those who hold it, and cost decided
        undecided         something is there for it and no rule known here forbids it: the plan was
                          not solved to the end, or a rule works elsewhere

    `offers`, `capacity`, `held_*`, `left`, `needs_*` are those of Explanations. Rows, int64:
        direct_offers, reassigned_offers      offers that reach it, themselves or because a need
                                              that they reach could give up another: all used up
        outranking_needs, outranking_units    who holds units of direct offers that come before the
                                              first unit short, and how many of those
        reassigned_needs, reassigned_units    the same at reassigned_offers (for short of all rules)
        tied_needs, tied_units                who holds units of direct offers that tie with it
        waiting_needs                         needs that are short too and would get, before it or
                                              at a tie, what these offers had more
    `estimate`: not a proof (rules beyond a flow, or a component that is not proven).
    """

    need: int
    kind: ReasonKind
    estimate: bool
    units_short: int
    level: int
    key: LevelKey | None
    offers: int
    capacity: int
    held_higher: int
    held_equal: int
    held_own: int
    left: int
    needs_higher: int
    needs_equal: int
    rules: tuple[Stopped, ...]
    direct_offers: IntArray
    reassigned_offers: IntArray
    outranking_needs: IntArray
    outranking_units: IntArray
    reassigned_needs: IntArray
    reassigned_units: IntArray
    tied_needs: IntArray
    tied_units: IntArray
    waiting_needs: IntArray

    @property
    def complete(self) -> bool:
        return self.kind == "complete"

    def to_json(self) -> dict[str, object]:
        """Plain values."""
        plain: dict[str, object] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            plain[field.name] = value.tolist() if isinstance(value, np.ndarray) else value
        key = self.key or ()
        plain["key"] = [part if isinstance(part, int) else str(part) for part in key]
        plain["rules"] = [stopped.to_json() for stopped in self.rules]
        return plain


def explain(problem: Problem, policy: Policy, plan: Plan, i: int) -> Explanation:
    """Why need i is short. Raises IndexError where there is no such need, ValueError where the plan
    is for another problem or policy."""
    if not 0 <= i < problem.n_needs:
        raise IndexError(f"need {i}: there are {problem.n_needs}.")
    at, chosen = market(problem, policy, plan), np.array([i], np.int64)
    found = reasons(at, chosen)
    row = counted(at, chosen, plan.level_keys, time.process_time())
    level, names = int(row.level[0]), rule_names(int(row.rules[0]))
    return Explanation(
        need=i,
        kind=row.kind_of(0),
        estimate=bool(row.estimate[0]),
        units_short=int(row.units_short[0]),
        level=level,
        key=None if level < 0 else plan.level_keys[level],
        offers=int(row.offers[0]),
        capacity=int(row.capacity[0]),
        held_higher=int(row.held_higher[0]),
        held_equal=int(row.held_equal[0]),
        held_own=int(row.held_own[0]),
        left=int(row.left[0]),
        needs_higher=int(row.needs_higher[0]),
        needs_equal=int(row.needs_equal[0]),
        rules=tuple(
            Stopped(rule=name, offers=problem.pair_offer[found.rows[found.stopping[name]]])
            for name in names
        ),
        **_lists(at, found, i),
    )


def _lists(at: Market, found: Reasons, i: int) -> dict[str, IntArray]:
    """The needs and offers behind the counts."""
    net, problem, weight = at.net, at.net.problem, int(at.first[i])
    near = np.zeros(net.n_places, np.bool_)
    if weight:
        near[found.place[found.open]] = True
    backwards = _reached(net, near, forwards=False)
    waiting = _reached(net, backwards[1], forwards=True, need=i if weight else -1)[0]
    m = problem.n_offers
    direct, through = near[:m], backwards[1][:m].copy()
    direct[net.share_offer[near[m:]]] = True
    through[net.share_offer[backwards[1][m:]]] = True
    ours = net.place[at.held.pair]
    close = near[ours] | near[at.held.place]
    far = (backwards[1][ours] | backwards[1][at.held.place]) & ~close
    above, beside = _held_by(at, close, i, weight)
    above_far, _ = _held_by(at, far, i, weight)
    ahead = waiting & (at.first >= weight) & (at.first > 0)
    ahead[i] = False
    lists = {
        "direct_offers": np.flatnonzero(direct),
        "reassigned_offers": np.flatnonzero(through & ~direct),
        "outranking_needs": np.flatnonzero(above),
        "outranking_units": above[above > 0],
        "reassigned_needs": np.flatnonzero(above_far),
        "reassigned_units": above_far[above_far > 0],
        "tied_needs": np.flatnonzero(beside),
        "tied_units": beside[beside > 0],
        "waiting_needs": np.flatnonzero(ahead & bool(weight)),
    }
    return {name: frozen(rows) for name, rows in lists.items()}


def _held_by(at: Market, where: BoolArray, i: int, weight: int) -> tuple[IntArray, IntArray]:
    """Units by need [N] that other needs hold in these pairs in use: before `weight`, and at it."""
    held, levels, n = at.held, at.levels, at.net.problem.n_needs
    flows = np.flatnonzero(where & (held.need != i))
    part = levels.served(at.net.served)
    weights = levels.n_levels - levels.level
    after = summed(levels.need, np.where(weights < weight, part, 0), n)
    tied = summed(levels.need, np.where(weights == weight, part, 0), n)
    need, units = held.need[flows], at.net.x[held.pair[flows]]
    low = np.minimum(units, after[need])
    equal = np.minimum(units - low, tied[need])
    return summed(need, units - low - equal, n), summed(need, equal, n)


def _reached(
    net: Residual, places: BoolArray, *, forwards: bool, need: int = -1
) -> tuple[BoolArray, BoolArray]:
    """Needs and places that units can move to (or come from) these places: bool[N], bool[M + H]."""
    problem, m = net.problem, net.problem.n_offers
    needs, places = np.zeros(problem.n_needs, np.bool_), places.copy()
    if need >= 0:
        needs[need] = True
    to_need, to_place = (net.ahead, net.behind) if forwards else (net.behind, net.ahead)
    outward, inward = np.flatnonzero(to_need), np.flatnonzero(to_place)
    down, up = (net.share_open, net.share_used) if forwards else (net.share_used, net.share_open)
    count = -1
    while count != (count := int(needs.sum()) + int(places.sum())):
        needs[problem.pair_need[outward[places[net.place[outward]]]]] = True
        places[net.place[inward[needs[problem.pair_need[inward]]]]] = True
        places[m:] |= down & places[net.share_offer]
        places[net.share_offer[up & places[m:]]] = True
    return needs, places
