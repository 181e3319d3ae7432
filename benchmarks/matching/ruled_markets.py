"""Synthetic markets with rules: goods beside cash over categories, and volunteers' visits."""

import numpy as np

from matching import Problem

PRICES = np.array([3, 5, 8, 13])
ROUND_KM = 30.0


def rules(needs: int, *, seed: int = 1) -> Problem:
    """Cash over two categories, a fifth all or nothing, minimum lots, three donors a need at most,
    a cap for each household, and a price for each delivery: one market that hangs together."""
    r = np.random.default_rng(seed)
    kinds, n, m = len(PRICES), needs, max(8, needs // 6)
    home, store = r.uniform(0, 40, (n, 2)), r.uniform(0, 40, (m, 2))
    asked = r.integers(0, kinds, n)
    units = r.integers(1, 13, n)
    is_cash = np.arange(m) % 3 == 0
    first, second = r.integers(0, kinds, m), r.integers(0, kinds, m)
    serves = (asked[:, None] == first) | (is_cash & (asked[:, None] == second))
    metres = (np.hypot(*(home[:, None] - store[None]).transpose(2, 0, 1)) * 1000).astype(np.int64)
    need, offer = np.nonzero(serves & (metres <= ROUND_KM * 1000))
    price = PRICES[asked]
    worth = int(np.dot(units, price))
    share = r.lognormal(0, 0.6, m)
    money = np.maximum(20, 0.7 * worth * share / share.sum())
    supply = np.where(is_cash, money, np.maximum(2, money / PRICES[first])).astype(np.int64)
    return Problem(
        need_units=units,
        need_severity=r.integers(1, 6, n),
        need_value=price,
        need_min=np.where(r.random(n) < 0.2, units, 1),
        need_max_offers=3,  # type: ignore[arg-type]  # fills the column
        need_household=r.integers(0, max(1, n * 2 // 3), n),
        offer_units=supply,
        offer_min_lot=r.integers(1, 4, m),
        offer_household_max=np.where(is_cash, 60, 12),
        pair_need=need,
        pair_offer=offer,
        pair_cost=metres[need, offer] // 100,
        pair_draw=np.where(is_cash[offer], price[need], 1),
        pair_fixed_cost=r.integers(50, 200, m)[offer],
    )


def visits(needs: int, *, seed: int = 1) -> Problem:
    """Whole visits of several minutes, each by one volunteer near by who makes only a few."""
    r = np.random.default_rng(seed)
    n, m = needs, max(4, needs // 5)
    home, base = r.uniform(0, 30, (n, 2)), r.uniform(0, 30, (m, 2))
    skill = 1 << r.integers(0, 4, n)
    skills = r.integers(1, 16, m)
    km = np.hypot(*(home[:, None] - base[None]).transpose(2, 0, 1))
    need, offer = np.nonzero(((skill[:, None] & skills) != 0) & (km <= r.uniform(5, 15, m)))
    units = r.integers(1, 4, n)
    return Problem(
        need_units=units,
        need_min=units,
        need_max_offers=1,  # type: ignore[arg-type]  # fills the column
        need_severity=r.integers(1, 6, n),
        offer_units=r.integers(4, 12, m) * 30,
        offer_max_needs=r.integers(1, 5, m),
        pair_need=need,
        pair_offer=offer,
        pair_draw=r.choice([30, 45, 60, 90], n)[need],
        pair_cost=(km[need, offer] * 1000).astype(np.int64),
    )
