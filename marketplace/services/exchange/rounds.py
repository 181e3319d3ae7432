"""Rounds: what packs of one size leave open is planned again with packs of the other sizes.

Each round is a problem of its own over what the rounds before left, with those pairs only that took
no part for their size; so there are as many rounds as sizes at most, and each is proven by itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

import matching
from marketplace.domain.exchange.plans import LeftAsideReason
from marketplace.persistence.exchange.market import Columns, Market
from marketplace.services.exchange.asides import Aside
from marketplace.services.exchange.numbers import UNLIMITED, IntArray, ints, rows_of
from marketplace.services.exchange.sharing_out import lines_of
from marketplace.services.exchange.translation import Translation, translated

Lines = dict[str, list[int]]
ROUNDS_MAX = 8
RULED_TOLD = 20  # parts with rules whose bands the proof keeps


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Solved:
    """The lines of all rounds by need and offer, each round's plan, and what took no part."""

    lines: Lines
    plans: tuple[matching.Plan, ...]
    pairs: int
    left_aside: list[dict[str, object]]


def solved(
    market: Market, first: Translation, solve: Callable[[matching.Problem], matching.Plan]
) -> Solved:
    """Solve the translation of a market, then what its packs leave open."""
    plan = solve(first.problem)
    plans, pairs, lines = [plan], first.problem.n_pairs, lines_of(first, market, plan.pair_units)
    left, translation, new = market, first, lines
    while len(translation.mixed.need) and len(plans) < ROUNDS_MAX:
        left = without(left, new)
        translation = translated(left, translation.groups, translation.mixed)
        new = {name: [] for name in lines}
        if not translation.problem.n_pairs:
            continue  # the sizes chosen now fit nobody any more; others may
        plan = solve(translation.problem)
        new = lines_of(translation, left, plan.pair_units)
        plans.append(plan)
        pairs += translation.problem.n_pairs
        lines = together(lines, new)
    left_aside = first.left_aside + _unspent(market, first, plans[0])
    return Solved(lines=lines, plans=tuple(plans), pairs=pairs, left_aside=left_aside)


def proof_of(plans: tuple[matching.Plan, ...]) -> dict[str, object]:
    """What the plan's row keeps as its proof: levels of the first round, and how good each is."""
    first = plans[0]
    parts = [part for plan in plans for part in plan.components]
    proof = first.to_json(components=False) | {
        "components": len(parts),
        "components_ruled": sum(part.kind == "mip" for part in parts),
        "ruled": _ruled(parts),
    }
    if len(plans) == 1:
        return proof
    unproven = [plan for plan in plans if plan.status != "optimal"]
    certificate = first.certificate.to_json() | {
        "optimal": all(plan.certificate.optimal for plan in plans),
        "proven": sum(plan.certificate.proven for plan in plans),
        "ruled_proven": sum(plan.certificate.ruled_proven for plan in plans),
    }
    return proof | {
        "status": (unproven or plans)[0].status,
        "gap": max(plan.gap for plan in plans),
        "cost": sum(plan.cost for plan in plans),
        "certificate": certificate,
        "rounds": [
            {"status": plan.status, "gap": plan.gap, "problem_digest": plan.problem_digest}
            for plan in plans
        ],
    }


def _ruled(parts: list[matching.Component]) -> list[dict[str, object]]:
    """The parts with rules as far as they are told one by one, the least proven first."""
    ruled = sorted((part for part in parts if part.kind == "mip"), key=lambda p: (-p.gap, -p.needs))
    return [
        {
            "needs": part.needs,
            "offers": part.offers,
            "status": part.status,
            "gap": part.gap,
            "unproven": list(part.unproven),
            "bands": [band.to_json() for band in part.bands],
        }
        for part in ruled[:RULED_TOLD]
    ]


def without(market: Market, lines: Lines) -> Market:
    """The market as it would be if these lines were reserved."""
    needs, offers = market.needs, market.offers
    need, offer = rows_of(needs["id"], lines["need_id"]), rows_of(offers["id"], lines["offer_id"])
    served = _summed(need, ints(lines["units_served"]), len(needs["id"]))
    drawn = _summed(offer, ints(lines["units_drawn"]), len(offers["id"]))
    households = [needs["household"][row] for row in need.tolist()]
    return replace(
        market,
        needs={
            **needs,
            "units": (ints(needs["units"]) - served).tolist(),
            "covered": (ints(needs["covered"]) + served).tolist(),
        },
        offers={**offers, "units": (ints(offers["units"]) - drawn).tolist()},
        given=_given(market.given, lines, households),
        deliveries=_deliveries(market.deliveries, lines),
    )


def _given(given: Columns, lines: Lines, households: list[object]) -> Columns:
    sums: Counter[tuple[int, int]] = Counter()
    for offer, household, units in (
        *zip(given["offer"], given["household"], given["units"], strict=True),
        *zip(lines["offer_id"], households, lines["units_drawn"], strict=True),
    ):
        sums[int(str(offer)), int(str(household))] += int(str(units))
    keys = sorted(sums)
    return {
        "offer": [offer for offer, _ in keys],
        "household": [household for _, household in keys],
        "units": [sums[key] for key in keys],
    }


def _deliveries(deliveries: Columns, lines: Lines) -> Columns:
    count = Counter(lines["offer_id"])
    for offer, made in zip(deliveries["offer"], deliveries["count"], strict=True):
        count[int(str(offer))] += int(str(made))
    keys = sorted(count)
    return {"offer": list(keys), "count": [count[key] for key in keys]}


def together(one: Lines, other: Lines) -> Lines:
    """Lines that never share a pair, by need and offer."""
    columns = {name: ints(one[name] + other[name]) for name in one}
    order = np.lexsort((columns["offer_id"], columns["need_id"]))
    return {name: column[order].tolist() for name, column in columns.items()}


def _unspent(
    market: Market, translation: Translation, plan: matching.Plan
) -> list[dict[str, object]]:
    """Cash of which less is left than the price of anything that it may buy and is still open."""
    problem, units = translation.problem, plan.pair_units
    rows = translation.offer_row
    drawn = _summed(problem.pair_offer, units * translation.pair_step, problem.n_offers)
    left = ints(market.offers["units"])[rows] - drawn
    open_units = problem.need_units - matching.served_units(problem, units)
    wanted = np.flatnonzero(open_units[problem.pair_need] > 0)
    price = np.full(problem.n_offers, UNLIMITED)
    np.minimum.at(price, problem.pair_offer[wanted], translation.pair_step[wanted])
    is_cash = np.array(market.offers["is_cash"], np.bool_)[rows]
    short = is_cash & (left > 0) & (price < UNLIMITED) & (left < price)
    aside = Aside()
    aside.add(
        "OFFER",
        LeftAsideReason.CASH_REMAINDER,
        market.offers,
        rows[short],
        units=sum(left[short].tolist()),
    )
    return aside.found


def _summed(at: IntArray, values: IntArray, size: int) -> IntArray:
    sums = np.zeros(size, np.int64)
    np.add.at(sums, at, values)
    return sums
