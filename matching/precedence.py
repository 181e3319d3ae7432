"""Precedence: the units of every need as tranches, each with its level in the policy's order.

Level 0 comes first. Levels are dense ranks of the distinct keys, so only the order is left of a
key's size, and that is all the optimum depends on (matroid). Tranches, never single units: real
needs reach 10^10 units.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from matching.arrays import BoolArray, IntArray
from matching.policy import Order, Policy

LevelKey = tuple[int | Fraction, ...]

# Distinct fractions with denominators up to 1000 differ by 10^-6 at least, so the 40 leading
# binary digits tell them apart, in order, as integers.
FRACTION_BITS = 40
TABLE_MAX = 1 << 24


@dataclass(frozen=True, slots=True, eq=False)
class Tranches:
    """T tranches, those of need i at start[i]:start[i+1], levels not falling within a need.

    start int64[N+1], need int64[T], units int64[T] > 0, level int64[T], before int64[T] the units
    of the same need in earlier tranches. `shown` are the columns that keys are made of, by level.
    """

    start: IntArray
    need: IntArray
    units: IntArray
    level: IntArray
    before: IntArray
    order: Order
    shown: tuple[IntArray, ...]

    @property
    def n_levels(self) -> int:
        return len(self.shown[0])

    @property
    def keys(self) -> tuple[LevelKey, ...]:
        """The policy's key of every level, first to last."""
        columns = [values.tolist() for values in self.shown]
        if self.order in ("floor", "weighted"):
            return tuple(zip(*columns, strict=True))
        shares = [
            (Fraction(a - 1, q), -Fraction(a, q), u) for a, q, u in zip(*columns, strict=True)
        ]
        if self.order == "leximin":
            return tuple(shares)
        return tuple((u, begin, end) for begin, end, u in shares)

    def served(self, need_served: IntArray) -> IntArray:
        """Units served in each tranche when need i receives need_served[i]: int64[T]."""
        part: IntArray = np.clip(need_served[self.need] - self.before, 0, self.units)
        return part

    def by_level(self, tranche_units: IntArray) -> IntArray:
        """Units added up by level: int64[R]."""
        total = np.zeros(self.n_levels, np.int64)
        np.add.at(total, self.level, tranche_units)
        return total


def tranches(units: IntArray, severity: IntArray, policy: Policy) -> Tranches:
    """The tranches of needs with `units` open and `severity`, both int64[N] and >= 1.

    >>> t = tranches(np.array([8]), np.array([5]), Policy())
    >>> t.units.tolist(), t.level.tolist(), t.keys[:2]
    ([2, 2, 2, 2], [0, 1, 2, 3], ((0, -5), (1, -3000)))
    """
    if policy.order in ("floor", "weighted"):
        return _by_value(units, severity, policy)
    return _by_share(units, severity, policy)


def _by_value(units: IntArray, severity: IntArray, policy: Policy) -> Tranches:
    """floor and weighted: at most one more tranche than the policy has."""
    ends = np.stack([_share(units, e, 100) for e in policy.tranches], axis=1)
    floor = np.zeros_like(units)
    if policy.order == "floor":
        share = policy.floor_share
        floor = _share(units, share.numerator, share.denominator)
    cuts = np.sort(np.concatenate([ends, floor[:, None]], axis=1), axis=1)
    size = np.diff(cuts, axis=1, prepend=0)
    band = np.zeros(cuts.shape, np.int64)
    for edge in ends.T[:-1]:
        band += cuts > edge[:, None]
    band = np.where(cuts <= floor[:, None], 0, band + 1)
    urgency, rank = np.unique(severity, return_inverse=True)
    width = len(policy.tranches) + 1
    used = size > 0
    code = (rank[:, None] * width + band)[used]

    per_mille = np.array((1, *policy.diminishing), np.int64)
    value = (urgency[:, None] * per_mille[None, :]).ravel()
    tier = np.tile(per_mille * 0 + (np.arange(width) > 0), len(urgency))
    order = np.lexsort((-value, tier))
    rising = (np.diff(tier[order]) > 0) | (np.diff(value[order]) != 0)
    ranks = _ranks(order, rising)
    level, shown = _dense(ranks[code], len(ranks))
    name = np.empty(len(ranks), np.int64)
    name[ranks] = np.arange(len(ranks))
    key: tuple[IntArray, ...] = (tier[name[shown]], -value[name[shown]])
    if policy.order == "weighted":
        key = key[1:]
    return _built(used.sum(axis=1), size[used], level, policy.order, key)


def _by_share(units: IntArray, severity: IntArray, policy: Policy) -> Tranches:
    """leximin and severity: a tranche for each unit, or for each of `share_steps` steps."""
    steps = policy.share_steps
    count = np.minimum(units, steps)
    need = np.repeat(np.arange(len(units)), count)
    step = np.arange(len(need)) - np.repeat(np.cumsum(count) - count, count) + 1
    parts = count[need]
    wide = units[need] > steps
    ends = np.where(wide, _share(units[need], step, steps), step)
    begins = np.where(wide, _share(units[need], step - 1, steps), step - 1)

    part, at = (grid.ravel() for grid in np.mgrid[1 : steps + 1, 1 : steps + 1])
    low, high = ((at - 1) << FRACTION_BITS) // part, (at << FRACTION_BITS) // part
    order = np.lexsort((-high, low))
    ranks = _ranks(order, (np.diff(low[order]) != 0) | (np.diff(high[order]) != 0))
    share_rank = ranks[(parts - 1) * steps + step - 1]
    name = np.empty(len(ranks), np.int64)
    name[ranks] = np.arange(len(ranks))

    urgency, falling = np.unique(-severity, return_inverse=True)
    n_shares, n_urgencies = int(ranks.max()) + 1, len(urgency)
    if policy.order == "leximin":
        level, shown = _dense(share_rank * n_urgencies + falling[need], n_shares * n_urgencies)
        share_of, urgency_of = np.divmod(shown, max(1, n_urgencies))
    else:
        level, shown = _dense(falling[need] * n_shares + share_rank, n_shares * n_urgencies)
        urgency_of, share_of = np.divmod(shown, n_shares)
    key = (at[name[share_of]], part[name[share_of]], urgency[urgency_of])
    return _built(count, ends - begins, level, policy.order, key)


def _share(units: IntArray, numerator: int | IntArray, denominator: int) -> IntArray:
    """ceil(units x numerator / denominator) without leaving 64 bits."""
    whole, rest = units // denominator, units % denominator
    end: IntArray = whole * numerator - (-rest * numerator // denominator)
    return end


def _ranks(order: IntArray, rising: BoolArray) -> IntArray:
    """Dense ranks of what `order` sorts, rising where a sorted neighbour differs."""
    ranks = np.zeros(len(order), np.int64)
    ranks[order[1:]] = np.cumsum(rising)
    return ranks


def _dense(code: IntArray, size: int) -> tuple[IntArray, IntArray]:
    """Codes in 0..size-1 as dense ranks, and the code behind each rank."""
    if size > TABLE_MAX:
        shown, level = np.unique(code, return_inverse=True)
        return level.astype(np.int64), shown
    present = np.zeros(size, np.bool_)
    present[code] = True
    dense = np.cumsum(present) - 1
    return dense[code].astype(np.int64), np.flatnonzero(present)


def _built(
    count: IntArray, size: IntArray, level: IntArray, order: Order, shown: tuple[IntArray, ...]
) -> Tranches:
    start = np.zeros(len(count) + 1, np.int64)
    np.cumsum(count, out=start[1:])
    need = np.repeat(np.arange(len(count)), count)
    before = np.cumsum(size) - size
    before -= np.repeat(before[start[:-1]], count)
    return Tranches(start, need, size, level, before, order, shown)
