"""A standing agreement: what an organization may offer without asking, for how long, how much."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

from marketplace.domain.checks import QUANTITY_MAX, REFERENCE_LENGTH_MAX, fault, text, within
from marketplace.domain.errors import Fault, InvalidInput, Text
from marketplace.domain.moves import Move

NOUN = Text("agreement", "协议")
YEARS_MAX = timedelta(days=3_653)
SCOPE_MAX = 100


class AgreementStatus(StrEnum):
    SIGNED = "SIGNED"
    ENDED = "ENDED"


MOVES: Mapping[str, Move[AgreementStatus]] = {
    "agreementEnd": Move(before=frozenset({AgreementStatus.SIGNED}), after=AgreementStatus.ENDED),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SignAgreement:
    """A new agreement of an organization.

    categories     subtrees within which it may offer, each with a cap in the offers' unit or None;
                   empty: everything
    region_ids     subtrees to which its offers may be bound; empty: anywhere
    offer_max_fen  what one offer is worth at most; total_max_fen: all that is offered under it
    """

    organization_id: int
    number: str
    valid_from: date
    valid_until: date
    categories: Mapping[int, int | None] = field(default_factory=dict)
    region_ids: tuple[int, ...] = ()
    offer_max_fen: int | None = None
    total_max_fen: int | None = None


def check_agreement(
    command: SignAgreement,
    *,
    known_categories: frozenset[int],
    known_regions: frozenset[int],
    today: date,
) -> None:
    """Raise InvalidInput with everything that no agreement can say."""
    faults = [
        *text("number", command.number.strip(), 2, REFERENCE_LENGTH_MAX),
        *_day_faults(command, today),
        *_cap_faults(command),
        *_scope_faults(command, known_categories, known_regions),
    ]
    if faults:
        raise InvalidInput(*faults)


def _day_faults(command: SignAgreement, today: date) -> Iterator[Fault]:
    if command.valid_until < command.valid_from:
        yield fault(
            "valid_until", "INVALID", "The end is before the beginning.", "截止日期早于起始日期。"
        )
    elif command.valid_until < today:
        yield fault("valid_until", "INVALID", "The last day has passed.", "截止日期已过。")
    elif command.valid_until - command.valid_from > YEARS_MAX:
        yield fault("valid_until", "TOO_LARGE", "At most ten years.", "协议期限最长十年。")


def _cap_faults(command: SignAgreement) -> Iterator[Fault]:
    for name in ("offer_max_fen", "total_max_fen"):
        value: int | None = getattr(command, name)
        if value is not None:
            yield from within(name, value, 1, QUANTITY_MAX)
    for cap in command.categories.values():
        if cap is not None:
            yield from within("categories", cap, 1, QUANTITY_MAX)


def _scope_faults(
    command: SignAgreement, known_categories: frozenset[int], known_regions: frozenset[int]
) -> Iterator[Fault]:
    if len(command.categories) > SCOPE_MAX or len(command.region_ids) > SCOPE_MAX:
        yield fault("categories", "TOO_LARGE", f"At most {SCOPE_MAX}.", f"最多 {SCOPE_MAX} 项。")
        return
    if not command.categories.keys() <= known_categories:
        yield fault("categories", "NOT_FOUND", "There is no such category.", "没有此类别。")
    if not set(command.region_ids) <= known_regions:
        yield fault("region_ids", "NOT_FOUND", "There is no such region.", "没有此区划。")
