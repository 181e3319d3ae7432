"""A problem: needs, offers, and the pairs of them that may meet, as checked columns."""

import hashlib
from dataclasses import dataclass, field, fields
from typing import cast

import numpy as np

from matching.arrays import IntArray, exact_sum, frozen, summed, whole

UNITS_MAX = 10**18
SEVERITY_MAX = 10**9
COST_MAX = 10**12
ROWS_MAX = 2**31 - 2
UNITS_SUM_MAX = 2**61
COST_SUM_MAX = 2**60


# Single values that fill a column: __post_init__ makes every field the array it is declared as.
_ZERO = cast("IntArray", 0)
_ONE = cast("IntArray", 1)
_NONE = cast("IntArray", None)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Problem:
    """Arrays in: N needs (index i), M offers (j), P pairs (k). A single number fills a column.

        need_units           [N]  units still open, > 0
        need_severity        [N]  >= 1, larger is more urgent
        need_value           [N]  reference value of one unit in fen
        offer_units          [M]  capacity left, in the offer's own unit, > 0
        pair_need            [P]  row of the need
        pair_offer           [P]  row of the offer; no pair twice
        pair_cost            [P]  cost of one unit along the pair, >= 0
        pair_draw            [P]  capacity drawn by one unit served
        pair_max             [P]  at most so many units along the pair, committed ones included
        pair_prior           [P]  units in the previous proposal
        pair_committed       [P]  units already committed: counted by every cap, not solved again
        pair_fixed_cost      [P]  cost of using the pair at all
        need_min             [N]  serve at least so many or none
        need_max_offers      [N]  at most so many different offers; 0 no limit
        need_household       [N]  household of the need; each its own where None
        offer_min_lot        [M]  at least so many units along a pair that is used
        offer_max_needs      [M]  at most so many needs served; 0 no limit
        offer_household_max  [M]  at most so much for one household, committed included; 0 no limit

    What is committed counts for every rule: it meets part of need_min (which is of need_units and
    commitments together) and of a lot, takes one of need_max_offers and offer_max_needs, and its
    pair's fixed cost is paid.

    Raises ValueError naming array and index. After construction every field is a read-only
    int64 array (pair_max: UNITS_MAX where there is no limit).
    """

    need_units: IntArray
    need_severity: IntArray
    need_value: IntArray = _ONE
    offer_units: IntArray
    pair_need: IntArray
    pair_offer: IntArray
    pair_cost: IntArray = _ZERO
    pair_draw: IntArray = _ONE
    pair_max: IntArray = _NONE
    pair_prior: IntArray = _ZERO
    pair_committed: IntArray = _ZERO
    pair_fixed_cost: IntArray = _ZERO
    need_min: IntArray = _ONE
    need_max_offers: IntArray = _ZERO
    need_household: IntArray = _NONE
    offer_min_lot: IntArray = _ONE
    offer_max_needs: IntArray = _ZERO
    offer_household_max: IntArray = _ZERO
    _digest: str | None = field(init=False, default=None, repr=False)

    def __post_init__(self) -> None:
        n = self._column("need_units", None, 1, UNITS_MAX)
        m = self._column("offer_units", None, 1, UNITS_MAX)
        p = self._column("pair_need", None, 0, n - 1)
        self._column("pair_offer", p, 0, m - 1)
        if self.pair_max is _NONE:
            object.__setattr__(self, "pair_max", UNITS_MAX)
        if self.need_household is _NONE:
            object.__setattr__(self, "need_household", np.arange(n))
        for name, size, low, high in (
            ("need_severity", n, 1, SEVERITY_MAX),
            ("need_value", n, 1, COST_MAX),
            ("need_min", n, 1, UNITS_MAX),
            ("need_max_offers", n, 0, ROWS_MAX),
            ("need_household", n, 0, 2**62),
            ("offer_min_lot", m, 1, UNITS_MAX),
            ("offer_max_needs", m, 0, ROWS_MAX),
            ("offer_household_max", m, 0, UNITS_MAX),
            ("pair_cost", p, 0, COST_MAX),
            ("pair_draw", p, 1, UNITS_MAX),
            ("pair_max", p, 0, UNITS_MAX),
            ("pair_prior", p, 0, UNITS_MAX),
            ("pair_committed", p, 0, UNITS_MAX),
            ("pair_fixed_cost", p, 0, COST_MAX),
        ):
            self._column(name, size, low, high)
        self._refuse_duplicates()
        self._refuse_overflow()

    @property
    def n_needs(self) -> int:
        return len(self.need_units)

    @property
    def n_offers(self) -> int:
        return len(self.offer_units)

    @property
    def n_pairs(self) -> int:
        return len(self.pair_need)

    @property
    def digest(self) -> str:
        """SHA-256 of every column by name: the same problem has the same digest anywhere."""
        if self._digest is None:
            object.__setattr__(self, "_digest", self._hashed())
        return str(self._digest)

    def _hashed(self) -> str:
        sha = hashlib.sha256()
        for field_ in fields(self):
            if not field_.init:
                continue
            values: IntArray = getattr(self, field_.name)
            if len(values) and bool((values == values[0]).all()):
                sha.update(f"{field_.name}={values[0]}x{len(values)};".encode())
            else:
                sha.update(f"{field_.name}:{len(values)};".encode())
                sha.update(values.astype("<i8", copy=False).tobytes())
        return sha.hexdigest()

    def _column(self, name: str, size: int | None, low: int, high: int) -> int:
        array = whole(name, getattr(self, name), size, low, high)
        if len(array) > ROWS_MAX:
            raise ValueError(f"{name}[{ROWS_MAX}]: at most {ROWS_MAX} rows are allowed.")
        object.__setattr__(self, name, array)
        return len(array)

    def _refuse_duplicates(self) -> None:
        code = self.pair_need * max(1, self.n_offers) + self.pair_offer
        if len(code) < 2 or bool((code[1:] > code[:-1]).all()):
            return
        order = np.argsort(code, kind="stable")
        twice = np.flatnonzero(code[order][1:] == code[order][:-1])
        if len(twice):
            first, again = int(order[twice[0]]), int(order[twice[0] + 1])
            raise ValueError(f"pair_need[{again}], pair_offer[{again}]: same pair as [{first}].")

    def _refuse_overflow(self) -> None:
        """Sums of what can flow must stay far inside 64 bits, else the solver would wrap."""
        committed = self.pair_committed
        for name, values in (
            ("need_units", self.need_units),
            ("pair_need", pair_capacity(self)),
            ("pair_committed", committed),
            ("pair_draw", np.where(committed > 0, self.pair_draw, 0)),
        ):
            if exact_sum(values) > UNITS_SUM_MAX:
                index = int(np.argmax(np.cumsum(values.astype(np.float64)) > UNITS_SUM_MAX * 0.99))
                raise ValueError(f"{name}[{index}]: the units up to here overflow 2^61.")
        nodes = (
            self.n_needs + self.n_offers + (self.n_pairs if self.offer_household_max.any() else 0)
        )
        highest = int(np.argmax(self.pair_cost)) if self.n_pairs else 0
        if self.n_pairs and int(self.pair_cost[highest]) * (nodes + 2) > COST_SUM_MAX:
            raise ValueError(f"pair_cost[{highest}]: too large for {nodes} needs and offers.")


def pair_capacity(problem: Problem) -> IntArray:
    """Most units that can still move along each pair, by need, offer and pair_max: int64[P]."""
    left = np.maximum(problem.pair_max - problem.pair_committed, 0)
    need = problem.need_units[problem.pair_need]
    offer = problem.offer_units[problem.pair_offer]
    capacity: IntArray = np.minimum(np.minimum(left, need), offer)
    return capacity


def served_units(problem: Problem, pair_units: IntArray) -> IntArray:
    """Units that each need receives, over all its offers.

    pair_units   int64[P]   units moved along pair k, >= 0
    returns      int64[N]   units served to need i
    """
    return frozen(summed(problem.pair_need, pair_units, problem.n_needs))


def drawn_units(problem: Problem, pair_units: IntArray) -> IntArray:
    """Capacity that each offer gives, in its own unit: int64[M]."""
    drawn = pair_units * problem.pair_draw
    return frozen(summed(problem.pair_offer, drawn, problem.n_offers))
