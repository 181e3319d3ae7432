"""Random problems: small ones to enumerate, larger ones to compare, markets that take a while."""

from itertools import product

import numpy as np

from matching import Problem


def small_problem(seed: int, *, rules: bool = True, prior: bool = False) -> Problem:
    """At most four needs, three offers and six pairs: every plan can be enumerated."""
    r = np.random.default_rng(seed)
    n, m = int(r.integers(1, 5)), int(r.integers(1, 4))
    every = np.array(list(product(range(n), range(m))))
    chosen = r.permutation(every)[: int(r.integers(0, 7))]
    p = len(chosen)
    columns = {
        "need_units": r.integers(1, 5, n),
        "need_severity": r.integers(1, 4, n),
        "offer_units": r.integers(1, 5, m),
        "pair_need": chosen[:, 0],
        "pair_offer": chosen[:, 1],
        "pair_cost": r.integers(0, 4, p) * (seed % 5 > 0),
    }
    if rules and seed % 2:
        columns["need_household"] = r.integers(0, 2, n)
        columns["offer_household_max"] = r.integers(0, 4, m)
        columns["pair_max"] = r.integers(0, 4, p)
        columns["pair_committed"] = r.integers(0, 2, p) * r.integers(0, 2, p)
    if prior:
        columns["pair_prior"] = r.integers(0, 3, p)
    return Problem(**columns)


def medium_problem(
    seed: int, needs: int = 60, *, towns: int = 3, units_max: int = 12, rules: bool = True
) -> Problem:
    """A county in little: towns that do not mix, several pairs a need, costs, household limits."""
    r = np.random.default_rng(seed)
    offers = max(towns, needs // 5)
    town, home = r.integers(0, towns, needs), np.arange(offers) % towns
    meets = (town[:, None] == home[None, :]) & (r.random((needs, offers)) < 0.4)
    need, offer = np.nonzero(meets)
    columns = {
        "need_units": r.integers(1, units_max + 1, needs),
        "need_severity": r.integers(1, 6, needs),
        "offer_units": r.integers(1, 4 * units_max, offers),
        "pair_need": need,
        "pair_offer": offer,
        "pair_cost": r.integers(0, 1000, len(need)),
    }
    if rules:
        columns["need_household"] = r.integers(0, needs // 2, needs)
        columns["offer_household_max"] = r.integers(0, 2 * units_max, offers)
        columns["pair_max"] = r.integers(1, 2 * units_max, len(need))
    return Problem(**columns)


def market(seed: int, needs: int, *, towns: int, pairs_each: int = 10) -> Problem:
    """Towns of equal size, each need meeting `pairs_each` offers of its town."""
    r = np.random.default_rng(seed)
    offers = max(towns * pairs_each, needs // 10)
    each = offers // towns
    town = np.sort(r.integers(0, towns, needs))
    # A random start and step through the town's offers, so that no offer comes twice.
    start, nth = r.integers(0, each, needs), np.arange(pairs_each)
    offer = town[:, None] * each + (start[:, None] + nth) % each
    return Problem(
        need_units=r.integers(1, 13, needs),
        need_severity=r.integers(1, 101, needs),
        offer_units=r.integers(1, 80, each * towns),
        pair_need=np.repeat(np.arange(needs), pairs_each),
        pair_offer=offer.ravel(),
        pair_cost=r.integers(0, 100_000, needs * pairs_each),
    )


def permuted(problem: Problem, seed: int) -> Problem:
    """The same problem with needs, offers and pairs in another order."""
    r = np.random.default_rng(seed)
    needs, offers = r.permutation(problem.n_needs), r.permutation(problem.n_offers)
    pairs = r.permutation(problem.n_pairs)
    return Problem(
        need_units=problem.need_units[needs],
        need_severity=problem.need_severity[needs],
        need_household=problem.need_household[needs],
        offer_units=problem.offer_units[offers],
        offer_household_max=problem.offer_household_max[offers],
        pair_need=np.argsort(needs)[problem.pair_need[pairs]],
        pair_offer=np.argsort(offers)[problem.pair_offer[pairs]],
        pair_cost=problem.pair_cost[pairs],
        pair_max=problem.pair_max[pairs],
        pair_prior=problem.pair_prior[pairs],
        pair_committed=problem.pair_committed[pairs],
    )
