"""An allocation: a quantity of one offer set aside for one need, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from marketplace.domain.checks import fault
from marketplace.domain.errors import Fault, Text
from marketplace.domain.exchange.deliveries import Carrier
from marketplace.domain.moves import Move, moves_from
from marketplace.domain.permissions import PROVIDERS, Role, Viewer

NOUN = Text("allocation", "匹配")
LINES_MAX = 100
NOTE_LENGTH_MAX = 200


class AllocationOrigin(StrEnum):
    PLAN = "PLAN"
    PLEDGE = "PLEDGE"


class AllocationStatus(StrEnum):
    RESERVED = "RESERVED"
    ACCEPTED = "ACCEPTED"
    DISPATCHED = "DISPATCHED"
    DELIVERED = "DELIVERED"
    CONFIRMED = "CONFIRMED"
    DISPUTED = "DISPUTED"
    DECLINED = "DECLINED"
    CANCELLED = "CANCELLED"


class CancelReason(StrEnum):
    LAPSED = "LAPSED"
    CONSENT = "CONSENT"
    RESTRICTION = "RESTRICTION"
    OFFER_WITHDRAWN = "OFFER_WITHDRAWN"
    NEED_WITHDRAWN = "NEED_WITHDRAWN"
    OFFICER = "OFFICER"


class DeclineReason(StrEnum):
    OUT_OF_STOCK = "OUT_OF_STOCK"
    NO_CAPACITY = "NO_CAPACITY"
    TOO_FAR = "TOO_FAR"
    NOT_SUITABLE = "NOT_SUITABLE"
    OTHER = "OTHER"


class DisputeReason(StrEnum):
    NOT_RECEIVED = "NOT_RECEIVED"
    LESS_RECEIVED = "LESS_RECEIVED"
    DEFECTIVE = "DEFECTIVE"
    NOT_AS_AGREED = "NOT_AS_AGREED"
    OTHER = "OTHER"


class ConfirmedHow(StrEnum):
    """Whose word it was: of the account itself, of the household by its code, of the desk."""

    ACCOUNT = "ACCOUNT"
    CODE = "CODE"
    SETTLED = "SETTLED"


class Settlement(StrEnum):
    """How the charity desk ends a dispute."""

    CONFIRMED = "CONFIRMED"
    CANCELLED = "CANCELLED"


# Not yet delivered: gives back to offer and need when it is cancelled or declined.
OPEN_STATUSES = frozenset(
    {AllocationStatus.RESERVED, AllocationStatus.ACCEPTED, AllocationStatus.DISPATCHED}
)
# Counts in the offer's and the need's counters, in what a household may get, and in deliveries.
LIVE_STATUSES = frozenset(AllocationStatus) - {
    AllocationStatus.DECLINED,
    AllocationStatus.CANCELLED,
}
# What an officer may give as the reason; the others are consequences.
OFFICER_REASONS = frozenset(
    {CancelReason.OFFICER, CancelReason.OFFER_WITHDRAWN, CancelReason.NEED_WITHDRAWN}
)
# While the provider brings it itself and it is not over, it may know where to.
CONTACT_STATUSES = frozenset(
    {AllocationStatus.ACCEPTED, AllocationStatus.DISPATCHED, AllocationStatus.DELIVERED}
)

MOVES: Mapping[str, Move[AllocationStatus]] = {
    "allocationAccept": Move(
        before=frozenset({AllocationStatus.RESERVED}), after=AllocationStatus.ACCEPTED
    ),
    "allocationDecline": Move(
        before=frozenset({AllocationStatus.RESERVED}), after=AllocationStatus.DECLINED
    ),
    "allocationCancel": Move(
        before=frozenset({AllocationStatus.RESERVED, AllocationStatus.ACCEPTED}),
        after=AllocationStatus.CANCELLED,
    ),
    "allocationDispatch": Move(
        before=frozenset({AllocationStatus.ACCEPTED}), after=AllocationStatus.DISPATCHED
    ),
    # An attempt at a door where nobody could take it is recorded and leads nowhere.
    "deliveryCheckIn": Move(
        before=frozenset({AllocationStatus.DISPATCHED}), after=AllocationStatus.DELIVERED
    ),
    "allocationConfirm": Move(
        before=frozenset({AllocationStatus.DELIVERED}), after=AllocationStatus.CONFIRMED
    ),
    "allocationDispute": Move(
        before=frozenset({AllocationStatus.DELIVERED}), after=AllocationStatus.DISPUTED
    ),
    # To CONFIRMED with what was received, or to CANCELLED.
    "allocationSettle": Move(before=frozenset({AllocationStatus.DISPUTED}), after=None),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Lot:
    """A quantity in the need's unit and in the offer's, which go up and down together.

    >>> Lot(served=4, drawn=240).part(3)
    Lot(served=3, drawn=180)
    """

    served: int
    drawn: int

    def part(self, served: int) -> Lot:
        """So many units of the need out of this, and what they draw, rounded up to whole units."""
        return Lot(served=served, drawn=-(-served * self.drawn // max(1, self.served)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What became of a lot that was sent: the three parts make up the whole, in the offer's unit.

    lost_drawn    neither handed over nor brought back
    """

    received: Lot
    returned: Lot
    lost_drawn: int


def shared_out(sent: Lot, *, received: int, returned: int) -> Shared:
    """Part what was sent into what was received, what came back, and what was lost.

    >>> shared_out(Lot(served=10, drawn=10), received=7, returned=2).lost_drawn
    1
    """
    if min(received, returned) < 0 or received + returned > sent.served:
        raise ValueError(f"{received} and {returned} are not of {sent.served}")
    got = sent.part(received)
    # Down, where the other is rounded up, so that both together are the whole.
    back = Lot(served=returned, drawn=returned * sent.drawn // sent.served)
    return Shared(received=got, returned=back, lost_drawn=sent.drawn - got.drawn - back.drawn)


def check_acceptance(*, reserved_until: datetime | None, now: datetime) -> Fault | None:
    """What keeps a reservation from being accepted: its time is over, even if no chore said so."""
    if reserved_until is not None and reserved_until <= now:
        return fault(
            "",
            "RESERVATION_LAPSED",
            "The time for accepting has passed; what was set aside goes back.",
            "接受期限已过，预留数量将退回。",
        )
    return None


def whole_packs(name: str, drawn: int, pack_size: int) -> Fault | None:
    """What keeps a quantity of an offer from being handed out or taken back: packs stay whole."""
    if drawn % pack_size:
        return fault(
            name,
            "NOT_WHOLE_PACKS",
            f"This must be whole packs of {pack_size}.",
            f"须为包装规格 {pack_size} 的整数倍。",
        )
    return None


def allowed_moves(viewer: Viewer, *, status: AllocationStatus, carrier: Carrier) -> tuple[str, ...]:
    """The mutations that this viewer may ask for now, in the order of the lifecycle."""
    return tuple(
        move
        for move in moves_from(MOVES, viewer, status)
        if move != "deliveryCheckIn" or delivers(viewer.role, carrier)
    )


def delivers(role: Role, carrier: Carrier) -> bool:
    """Whether someone of this role brings what such a carrier brings."""
    return (role in PROVIDERS) == (carrier is Carrier.PROVIDER)
