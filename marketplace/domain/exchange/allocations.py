"""An allocation: a quantity of one offer set aside for one need, and what became of it."""

from __future__ import annotations

from enum import StrEnum


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


# Not yet delivered: gives back to offer and need when it is cancelled or declined.
OPEN_STATUSES = frozenset(
    {AllocationStatus.RESERVED, AllocationStatus.ACCEPTED, AllocationStatus.DISPATCHED}
)
# Counts in the offer's and the need's counters, in what a household may get, and in deliveries.
LIVE_STATUSES = frozenset(AllocationStatus) - {
    AllocationStatus.DECLINED,
    AllocationStatus.CANCELLED,
}
