"""A plan: units along each pair, how good they are by level, and how far that is proven."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np

from matching.arrays import IntArray
from matching.bands import Band
from matching.certificate import Certificate
from matching.policy import Policy
from matching.precedence import LevelKey

Status = Literal["optimal", "bounded", "deadline"]
Kind = Literal["flow", "mip"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where a solve stands."""

    phase: Literal["build", "solve", "check", "done"]
    components_done: int
    components: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Component:
    """One connected part of the market. Its levels are listed sparsely: only those it asks for.

        levels, asked, served, bound   [L]   level, units asked, units served, proven upper bound

    `bound` holds for sums from the first level on: no plan serves more units up to any level.
    `gap` is the largest share of such a sum that is not proven out of reach: 0 when optimal.

    A "mip" component has rules. It was decided by `bands`, in order, then by cost, then by change;
    `unproven` names the stages without proof ("band 2", "cost", "change"); `gap` is that of the
    bands together (bands.gap_of_bands), else of the first of the others. Where only pairs have a
    fixed cost its levels are those of a flow, without bands.
    `cost_bound` is the least that cost + change_penalty x change is proven to come to for what is
    served, `change_bound` the least change at that cost. `cost` counts the fixed cost of pairs.

    Where the policy's change_budget binds, one "mip" component stands for all that would change
    otherwise, connected or not. `change_budget` is the most change that it was held to: more than
    the policy allows where no plan changes less ("change_budget" in `unproven`: none was found).
    """

    needs: int
    offers: int
    pairs: int
    kind: Kind
    status: Status
    levels: IntArray
    asked: IntArray
    served: IntArray
    bound: IntArray
    cost: int
    gap: float
    bands: tuple[Band, ...] = ()
    cost_bound: int | None = None
    change_bound: int | None = None
    change_budget: int | None = None
    unproven: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """Plain values."""
        plain: dict[str, object] = {
            name: getattr(self, name)
            for name in ("needs", "offers", "pairs", "kind", "status", "cost", "gap")
        }
        for name in ("levels", "asked", "served", "bound"):
            plain[name] = getattr(self, name).tolist()
        if self.kind == "mip":
            plain["bands"] = [band.to_json() for band in self.bands]
            plain |= {"cost_bound": self.cost_bound, "change_bound": self.change_bound}
            if self.change_budget is not None:
                plain["change_budget"] = self.change_budget
            plain["unproven"] = list(self.unproven)
        return plain


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plan:
    """What solve answers. Commitments are not in it: pair_units is only what is new.

        pair_units                               int64[P]   units along each pair
        level_asked, level_served, level_bound   int64[R]   sums over all needs, level 0 first
        level_keys                               [R]        the policy's key of each level
        need_component, offer_component          int64      index in components; -1: has no pair

    `cost` is the sum of units x pair_cost, and of pair_fixed_cost where a pair without commitments
    is used; `change` the units by which the plan differs from the earlier proposal. `seconds` by
    phase (CPU of all workers where they solved), `solvers` versions.
    """

    pair_units: IntArray
    components: tuple[Component, ...]
    need_component: IntArray
    offer_component: IntArray
    level_keys: tuple[LevelKey, ...]
    level_asked: IntArray
    level_served: IntArray
    level_bound: IntArray
    cost: int
    change: int
    status: Status
    gap: float
    seconds: dict[str, float]
    solvers: dict[str, str]
    problem_digest: str
    policy: Policy
    certificate: Certificate

    @property
    def over_budget(self) -> bool:
        """Whether it changes more than the policy's change_budget, because no plan keeps that."""
        budget = self.policy.change_budget
        return budget is not None and self.change > budget

    def to_json(self, *, pair_units: bool = False, components: bool = True) -> dict[str, object]:
        """Plain values for a database row; the columns of pairs only where asked for."""
        plain: dict[str, object] = {
            "status": self.status,
            "gap": self.gap,
            "cost": self.cost,
            "change": self.change,
            "over_budget": self.over_budget,
            "level_keys": [_plain_key(key) for key in self.level_keys],
            "level_asked": self.level_asked.tolist(),
            "level_served": self.level_served.tolist(),
            "level_bound": self.level_bound.tolist(),
            "seconds": dict(self.seconds),
            "solvers": dict(self.solvers),
            "problem_digest": self.problem_digest,
            "policy": self.policy.to_json(),
            "certificate": self.certificate.to_json(),
        }
        if components:
            plain["components"] = [component.to_json() for component in self.components]
        if pair_units:
            plain["pair_units"] = self.pair_units.tolist()
        return plain


def level_totals(components: tuple[Component, ...], n_levels: int) -> tuple[IntArray, IntArray]:
    """Units served and proven bound by level, added up over components: int64[R] each."""
    served, bound = np.zeros(n_levels, np.int64), np.zeros(n_levels, np.int64)
    for component in components:
        served[component.levels] += component.served
        bound[component.levels] += component.bound
    return served, bound


def plan_gap(components: tuple[Component, ...], n_levels: int) -> float:
    """Of flows, the largest share up to any level that is not ruled out; of components with rules,
    the largest gap: what their levels seem to leave open may be what a rule forbids."""
    flows = tuple(part for part in components if part.kind == "flow")
    ruled = [part.gap for part in components if part.kind == "mip"]
    return max([gap_of(*level_totals(flows, n_levels)), *ruled])


def gap_of(served: IntArray, bound: IntArray) -> float:
    """Largest share of the bound, up to any level, that is neither served nor ruled out.

    >>> gap_of(np.array([3, 1]), np.array([4, 0]))
    0.25
    """
    reached, possible = np.cumsum(served), np.cumsum(bound)
    short = possible > reached
    if not bool(short.any()):
        return 0.0
    return float(((possible - reached)[short] / possible[short]).max())


def _plain_key(key: LevelKey) -> list[int | str]:
    return [str(part) if isinstance(part, Fraction) else part for part in key]
