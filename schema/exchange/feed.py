"""Following the market by its events: needs published, offers allocated, deliveries moving on."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection
from contextlib import aclosing
from datetime import datetime
from typing import Annotated

import strawberry
from strawberry import ID

from marketplace.domain.errors import InvalidCursor, Unauthenticated
from marketplace.domain.ids import key_of
from marketplace.domain.permissions import Role
from marketplace.services.exchange import followed
from marketplace.services.feed import RESUME_MAX, Happened, follow
from schema.exchange.allocations import Allocation
from schema.exchange.published_needs import PublishedNeed
from schema.payloads import Info
from schema.readgraph.read import read_one
from schema.readgraph.sight import seen

POSITION = "Where it stands in the feed; give it as `after` to go on from here."
RESUME = (
    " After a lost connection subscribe again with `after`: the position of the last event that "
    "was received; nothing is passed by. One that lies more than "
    f"{RESUME_MAX:,} positions back is refused (POSITION_TOO_OLD): read the list and begin anew "
    "without it. Who may see what is looked up again all along."
)
After = Annotated[
    str | None,
    strawberry.argument(description="The position to go on from; left out: from now on."),
]

POSITION_LENGTH_MAX = 18
RENEWED_FOR_S = 1.0

RESERVED = ("allocation.reserved",)
MOVED = (
    "allocation.accepted",
    "allocation.declined",
    "allocation.dispatched",
    "allocation.attempted",
    "allocation.delivered",
    "allocation.confirmed",
    "allocation.disputed",
    "allocation.settled",
    "allocation.cancelled",
)


@strawberry.type(description="A need that came into the market.")
class NeedPublished:
    position: str = strawberry.field(description=POSITION)
    at: datetime = strawberry.field(description="When it happened.")
    published_need: PublishedNeed = strawberry.field(description="The need as everyone sees it.")


@strawberry.type(description="A quantity of an offer that was set aside for a need.")
class OfferAllocated:
    position: str = strawberry.field(description=POSITION)
    at: datetime = strawberry.field(description="When it happened.")
    allocation: Allocation = strawberry.field(description="The allocation as it is now.")


@strawberry.type(description="An allocation that moved on after it was set aside.")
class DeliveryUpdated:
    position: str = strawberry.field(description=POSITION)
    at: datetime = strawberry.field(description="When it happened.")
    kind: str = strawberry.field(description="What happened, such as allocation.confirmed.")
    allocation: Allocation = strawberry.field(description="The allocation as it is now.")


@strawberry.type
class FeedSubscriptions:
    @strawberry.subscription(description="Needs as they come into the market." + RESUME)
    async def need_published(
        self, info: Info, after: After = None
    ) -> AsyncGenerator[NeedPublished, None]:
        following = _follow(info, "PublishedNeed", ("need.published",), after)
        async with aclosing(following) as found:
            async for event, entity in found:
                yield NeedPublished(
                    position=str(event.position),
                    at=event.at,
                    published_need=entity,  # type: ignore[arg-type]  # what the read graph made of it
                )

    @strawberry.subscription(
        description="Quantities of offers as they are set aside; a provider's own." + RESUME
    )
    async def offer_allocated(
        self,
        info: Info,
        after: After = None,
        offer_id: Annotated[
            ID | None, strawberry.argument(description="Only of this offer.")
        ] = None,
    ) -> AsyncGenerator[OfferAllocated, None]:
        offer_key = None if offer_id is None else key_of("Offer", offer_id)

        async def wanted(keys: Collection[int]) -> Collection[int]:
            if offer_key is None:
                return keys
            return await followed.of_offer(info.context.database, offer_key, keys)

        following = _follow(info, "Allocation", RESERVED, after, wanted)
        async with aclosing(following) as found:
            async for event, entity in found:
                yield OfferAllocated(
                    position=str(event.position),
                    at=event.at,
                    allocation=entity,  # type: ignore[arg-type]
                )

    @strawberry.subscription(
        description="Allocations as they are accepted, dispatched, delivered, confirmed, or end."
        + RESUME
    )
    async def delivery_updated(
        self,
        info: Info,
        after: After = None,
        allocation_id: Annotated[
            ID | None, strawberry.argument(description="Only this allocation.")
        ] = None,
    ) -> AsyncGenerator[DeliveryUpdated, None]:
        only = None if allocation_id is None else key_of("Allocation", allocation_id)

        async def wanted(keys: Collection[int]) -> Collection[int]:
            return keys if only is None else {only} & set(keys)

        following = _follow(info, "Allocation", MOVED, after, wanted)
        async with aclosing(following) as found:
            async for event, entity in found:
                yield DeliveryUpdated(
                    position=str(event.position),
                    at=event.at,
                    kind=event.kind,
                    allocation=entity,  # type: ignore[arg-type]
                )


async def _all(keys: Collection[int]) -> Collection[int]:
    return keys


async def _follow(
    info: Info,
    target: str,
    kinds: Collection[str],
    after: str | None,
    wanted: Callable[[Collection[int]], Awaitable[Collection[int]]] = _all,
) -> AsyncGenerator[tuple[Happened, object], None]:
    """Events whose entity the viewer may see when they are told, with that entity.

    What nobody here may see costs one question for all that came at once.
    """
    if target != "PublishedNeed" and info.context.viewer.role is Role.PUBLIC:
        raise Unauthenticated
    database = info.context.database
    async with aclosing(follow(database, kinds, after=_position(after))) as happened:
        async for events in happened:
            keys = {each.subjects[target] for each in events if target in each.subjects}
            keys = set(await wanted(keys)) if keys else keys
            if not keys:
                continue
            asking, looked_at = await _renewed(info), time.monotonic()
            visible = await seen(database, asking.context.viewer, target, sorted(keys))
            for event in events:
                key = event.subjects.get(target)
                if key is None or key not in visible:
                    continue
                if time.monotonic() - looked_at > RENEWED_FOR_S:  # the client reads slowly
                    asking, looked_at = await _renewed(info), time.monotonic()
                entity = await read_one(asking, target, key)
                # Who asks for the position alone is told no more than it may see, either.
                viewer = asking.context.viewer
                if entity is not None or key in await seen(database, viewer, target, [key]):
                    yield event, entity


async def _renewed(info: Info) -> Info:
    """The question as its viewer is now. Raises Unauthenticated once the key has ended."""
    context = await info.context.renewed()
    return strawberry.Info(_raw_info=info._raw_info._replace(context=context), _field=info._field)


def _position(after: str | None) -> int | None:
    """Raises InvalidCursor for what was never a position."""
    if after is None:
        return None
    if not (after.isascii() and after.isdigit() and len(after) <= POSITION_LENGTH_MAX):
        raise InvalidCursor
    return int(after)
