"""What the rules of deliveries say by themselves, and what the database refuses to hold."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from marketplace.domain.exchange.allocations import (
    MOVES,
    AllocationStatus,
    Lot,
    Settlement,
    shared_out,
)
from marketplace.domain.exchange.deliveries import distance_m, in_driving_order
from marketplace.domain.permissions import MUTATIONS
from marketplace.persistence.tables import allocations
from tests.fixtures.delivering import a_lot
from tests.fixtures.market import Market

Places = st.lists(
    st.one_of(st.none(), st.tuples(st.floats(20, 40), st.floats(100, 120))), max_size=12
)


@given(st.integers(1, 10**6), st.integers(1, 10**6), st.data())
def test_what_was_sent_is_received_returned_and_lost_to_the_last_unit(
    served: int, each: int, data: st.DataObject
) -> None:
    drawn = served * each + data.draw(st.integers(0, served - 1))
    received = data.draw(st.integers(0, served))
    returned = data.draw(st.integers(0, served - received))

    shared = shared_out(Lot(served=served, drawn=drawn), received=received, returned=returned)

    assert shared.received.drawn + shared.returned.drawn + shared.lost_drawn == drawn
    assert min(shared.received.drawn, shared.returned.drawn, shared.lost_drawn) >= 0
    if received + returned == served:
        assert shared.lost_drawn == 0


@pytest.mark.parametrize(("received", "returned"), [(-1, 0), (0, -1), (3, 3)])
def test_more_than_was_sent_cannot_be_shared_out(received: int, returned: int) -> None:
    with pytest.raises(ValueError, match="of 5"):
        shared_out(Lot(served=5, drawn=5), received=received, returned=returned)


@given(Places, st.one_of(st.none(), st.just((27.9, 116.75))))
def test_every_stop_is_driven_to_once_and_the_nearest_comes_next(
    stops: list[tuple[float, float] | None], start: tuple[float, float] | None
) -> None:
    order = in_driving_order(start, stops)

    assert sorted(order) == list(range(len(stops)))
    placed = [index for index in order if stops[index] is not None]
    assert order[: len(placed)] == placed
    if start is not None and placed:
        legs = [distance_m(start, place) for place in stops if place is not None]
        first = stops[placed[0]]
        assert first is not None
        assert distance_m(start, first) == min(legs)


def test_every_move_of_the_lifecycle_has_its_rule_and_leads_somewhere() -> None:
    ends = {AllocationStatus.CONFIRMED, AllocationStatus.DECLINED, AllocationStatus.CANCELLED}

    assert MOVES.keys() <= MUTATIONS.keys()
    assert {before for move in MOVES.values() for before in move.before} == (
        set(AllocationStatus) - ends
    )
    assert {Settlement.CONFIRMED.value, Settlement.CANCELLED.value} <= {str(end) for end in ends}


async def test_the_database_itself_refuses_amounts_and_people_that_cannot_be(
    market: Market,
) -> None:
    lot = await a_lot(market, status="DISPATCHED")
    grid = market.viewer["grid"].account_id
    sent = {"reserved_served": 40, "reserved_drawn": 40, "sent_served": 30, "sent_drawn": 30}
    none_back = {"returned_served": 0, "returned_drawn": 0}
    for values in (
        {"sent_served": 41, "sent_drawn": 41} | {k: 40 for k in sent if "reserved" in k},
        sent | none_back | {"received_served": 31, "received_drawn": 30},
        sent | none_back | {"received_served": 30, "received_drawn": 30, "lost_drawn": 1},
        {"carrier": "PIGEON"},
        {"confirmed_by": grid, "delivered_by": grid, "confirmed_how": "ACCOUNT"},
    ):
        with pytest.raises(sa.exc.IntegrityError):
            async with market.database.write() as db:
                await db.execute(
                    sa.update(allocations)
                    .where(allocations.c.id == lot.allocation_id)
                    .values(**values)
                )
