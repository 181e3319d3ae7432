"""Explanations: why each need is short, as counts for all of them at once."""

import time
from dataclasses import dataclass, fields

import numpy as np

from matching.arrays import BoolArray, IntArray, Whole, frozen, summed, whole
from matching.plan import Plan
from matching.policy import Policy
from matching.precedence import LevelKey
from matching.problem import Problem
from matching.reasons import KINDS, Market, ReasonKind, holders, market, reasons
from matching.stops import RULES, Rule


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Explanations:
    """Why S needs are short, in the order in which they were asked for.

        need, kind                    [S]   row; position in KINDS
        units_short, level            [S]   units not served; level of the first (-1: complete)
        offers, capacity              [S]   offers that may meet it, what they had to give in all
                                            (in their own units)
        held_higher, held_equal       [S]   units of these offers that other needs hold, which come
                                            before the first unit short, or tie with it
        held_own, left                [S]   units that it has itself; what is left of these offers
        needs_higher, needs_equal     [S]   how many other needs hold them, each counted once
        rules, ruled_offers           [S]   bits by position in RULES; offers that they concern
        estimate                      [S]   bool: not a proof (rules beyond a flow, or not proven)
        short_need, short_level, short_units   [T]   units short by need and level, levels not
                                                     falling within a need
        level_keys                          the policy's key of each level

    What one more unit that reaches a need would serve is Marginals.need_gain_level.
    """

    need: IntArray
    kind: IntArray
    units_short: IntArray
    level: IntArray
    offers: IntArray
    capacity: IntArray
    held_higher: IntArray
    held_equal: IntArray
    held_own: IntArray
    left: IntArray
    needs_higher: IntArray
    needs_equal: IntArray
    rules: IntArray
    ruled_offers: IntArray
    estimate: BoolArray
    short_need: IntArray
    short_level: IntArray
    short_units: IntArray
    level_keys: tuple[LevelKey, ...]
    seconds: float

    def kind_of(self, s: int) -> ReasonKind:
        """The kind of the s-th explanation by name."""
        return KINDS[int(self.kind[s])]

    def rules_of(self, s: int) -> tuple[Rule, ...]:
        """The rules of the s-th explanation by name."""
        return rule_names(int(self.rules[s]))

    def to_json(self) -> dict[str, object]:
        """Plain values, columns as lists; kinds and rules by position in the lists of names."""
        plain: dict[str, object] = {
            "kinds": list(KINDS),
            "rule_names": list(RULES),
            "level_keys": [
                [part if isinstance(part, int) else str(part) for part in key]
                for key in self.level_keys
            ],
            "seconds": self.seconds,
        }
        for field in fields(self)[:-2]:
            plain[field.name] = getattr(self, field.name).tolist()
        return plain


def explanations(
    problem: Problem, policy: Policy, plan: Plan, needs: Whole | None = None
) -> Explanations:
    """Why these needs (rows; all that are short where None) are short.

    Raises ValueError where the plan is for another problem or policy.
    """
    began = time.process_time()
    at = market(problem, policy, plan)
    short = problem.need_units - at.net.served
    if needs is None:
        chosen = np.flatnonzero(short > 0)
    else:
        chosen = whole("needs", needs, None, 0, problem.n_needs - 1)
        if len(np.unique(chosen)) < len(chosen):
            raise ValueError("needs: a row is named twice.")
    return counted(at, chosen, plan.level_keys, began)


def counted(at: Market, chosen: IntArray, keys: tuple[LevelKey, ...], began: float) -> Explanations:
    """The explanations of chosen needs."""
    problem, found = at.net.problem, reasons(at, chosen)
    size, per = len(chosen), np.diff(found.start)
    slot = np.repeat(np.arange(size), per)
    offer = problem.pair_offer[found.rows]
    most = 2**62 // max(1, int(per.max(initial=0)))  # sums saturate instead of wrapping
    higher, equal = holders(at, found)
    where = np.zeros(problem.n_needs, np.bool_)
    where[chosen] = True
    lacking = at.levels.units - at.levels.served(at.net.served)
    rows = np.flatnonzero((lacking > 0) & where[at.levels.need])
    first = at.first[chosen]
    columns: dict[str, IntArray] = {
        "need": chosen,
        "kind": found.kind,
        "units_short": problem.need_units[chosen] - at.net.served[chosen],
        "level": np.where(first > 0, at.levels.n_levels - first, -1),
        "offers": per,
        "capacity": summed(slot, np.minimum(problem.offer_units[offer], most), size),
        "held_higher": found.higher,
        "held_equal": found.equal,
        "held_own": found.own,
        "left": summed(slot, np.minimum(at.net.left[offer], most), size),
        "needs_higher": higher,
        "needs_equal": equal,
        "rules": found.rules,
        "ruled_offers": found.ruled_offers,
        "short_need": at.levels.need[rows],
        "short_level": at.levels.level[rows],
        "short_units": lacking[rows],
    }
    return Explanations(
        **{name: frozen(column) for name, column in columns.items()},
        estimate=frozen(at.estimate[chosen]),
        level_keys=keys,
        seconds=time.process_time() - began,
    )


def rule_names(bits: int) -> tuple[Rule, ...]:
    """The rules behind a mask of bits.

    >>> rule_names(3)
    ('pair_max', 'offer_household_max')
    """
    return tuple(name for bit, name in enumerate(RULES) if bits >> bit & 1)
