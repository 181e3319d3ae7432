"""A donation: cash or goods of a stated value, with a receipt; given back while it is unspent."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from marketplace.domain.checks import QUANTITY_MAX, REFERENCE_LENGTH_MAX, fault, text, within
from marketplace.domain.errors import Fault, InvalidInput, Text
from marketplace.domain.moves import Move

NOUN = Text("donation", "捐赠")
NAME_LENGTH_MAX = 100
REASON_LENGTH_MAX = 200
RECEIPT = re.compile(r"G(\d{1,12})-(\d{4})-(\d{1,9})")


class DonationStatus(StrEnum):
    RECEIVED = "RECEIVED"
    REFUNDED = "REFUNDED"


class DonationKind(StrEnum):
    CASH = "CASH"
    GOODS = "GOODS"


MOVES: Mapping[str, Move[DonationStatus]] = {
    "donationAssign": Move(
        before=frozenset({DonationStatus.RECEIVED}), after=DonationStatus.RECEIVED
    ),
    "donationRefund": Move(
        before=frozenset({DonationStatus.RECEIVED}), after=DonationStatus.REFUNDED
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordDonation:
    """A donation as it came in.

    campaign_id      None: unrestricted, to be assigned to a campaign later
    organization_id  whose it is where no campaign says so; None: the viewer's own
    amount_fen       of goods: the value that the donor states
    category_id      of goods: what they are, with their quantity in its unit
    donor_name       None: anonymous
    """

    kind: DonationKind
    amount_fen: int
    campaign_id: int | None = None
    organization_id: int | None = None
    category_id: int | None = None
    quantity: int | None = None
    donor_name: str | None = None
    donor_contact: str | None = None
    payment_reference: str | None = None
    received_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A donation that may be used: its key, and how much of it is left."""

    id: int
    left: int


def check_donation(command: RecordDonation, *, now: datetime) -> None:
    """Raise InvalidInput with everything that no donation can be."""
    faults = [
        *within("amount_fen", command.amount_fen, 1, QUANTITY_MAX),
        *_goods_faults(command),
        *_donor_faults(command),
    ]
    if command.received_at is not None and not (
        now - timedelta(days=366) <= command.received_at <= now
    ):
        faults.append(
            fault(
                "received_at",
                "INVALID",
                "It was received within the last year, and not in the future.",
                "收到时间须在一年以内，且不得晚于现在。",
            )
        )
    if faults:
        raise InvalidInput(*faults)


def receipt_number(organization_id: int, year: int, number: int) -> str:
    """The number printed on a receipt: gapless for an organization and a year.

    >>> receipt_number(7, 2026, 12)
    'G7-2026-000012'
    """
    return f"G{organization_id}-{year}-{number:06d}"


def parse_receipt(text: str) -> tuple[int, int, int] | None:
    """Organization, year and number of a receipt; None for what was never printed.

    >>> parse_receipt(" g7-2026-000012"), parse_receipt("7")
    ((7, 2026, 12), None)
    """
    found = RECEIPT.fullmatch(text.strip().upper())
    if found is None:
        return None
    organization_id, year, number = (int(part) for part in found.groups())
    return organization_id, year, number


def first_in_first_out(
    donations: Sequence[Given], wanted: Sequence[tuple[int, int]]
) -> dict[tuple[int, int], int]:
    """Units by (donation, allocation): each allocation takes from the earliest with something left.

    wanted    allocations with their units, in the order in which they are served

    >>> first_in_first_out([Given(id=1, left=30), Given(id=2, left=100)], [(7, 20), (8, 50)])
    {(1, 7): 20, (1, 8): 10, (2, 8): 40}
    """
    taken: dict[tuple[int, int], int] = {}
    at, left = 0, donations[0].left if donations else 0
    for allocation_id, units in wanted:
        while units > 0 and at < len(donations):
            part = min(units, left)
            if part > 0:
                taken[donations[at].id, allocation_id] = part
            units -= part
            left -= part
            if left == 0:
                at += 1
                left = donations[at].left if at < len(donations) else 0
    return taken


def _goods_faults(command: RecordDonation) -> Iterator[Fault]:
    is_goods = command.kind is DonationKind.GOODS
    for name in ("category_id", "quantity"):
        if (getattr(command, name) is not None) is not is_goods:
            yield fault(
                name,
                "REQUIRED" if is_goods else "INVALID",
                "Of goods say what and how much; of cash only the amount.",
                "实物捐赠须填写类别与数量，现金捐赠仅填金额。",
            )
    if is_goods and command.quantity is not None:
        yield from within("quantity", command.quantity, 1, QUANTITY_MAX)


def _donor_faults(command: RecordDonation) -> Iterator[Fault]:
    for name in ("donor_name", "donor_contact"):
        value: str | None = getattr(command, name)
        if value is not None:
            yield from text(name, value.strip(), 1, NAME_LENGTH_MAX)
    if command.payment_reference is not None:
        yield from text("payment_reference", command.payment_reference, 1, REFERENCE_LENGTH_MAX)
