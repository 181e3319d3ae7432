"""An organization: a provider of help, verified before its offers open."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from marketplace.domain.checks import REFERENCE_LENGTH_MAX, text
from marketplace.domain.errors import Conflict, Fault, InvalidInput

NAME_LENGTH_MIN = 2
NAME_LENGTH_MAX = 100


class OrganizationKind(StrEnum):
    CHARITY = "CHARITY"
    ENTERPRISE = "ENTERPRISE"
    VOLUNTEER_GROUP = "VOLUNTEER_GROUP"
    SOCIAL_ORGANIZATION = "SOCIAL_ORGANIZATION"
    FEDERATION = "FEDERATION"


class OrganizationStatus(StrEnum):
    APPLIED = "APPLIED"
    VERIFIED = "VERIFIED"
    SUSPENDED = "SUSPENDED"
    REJECTED = "REJECTED"


# From which states a move may be made, and where it leads.
MOVES = {
    "organizationVerify": (
        frozenset({OrganizationStatus.APPLIED, OrganizationStatus.SUSPENDED}),
        OrganizationStatus.VERIFIED,
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterOrganization:
    """An organization as it applies; `region_id` is where it is at home."""

    kind: OrganizationKind
    name: str
    region_id: int
    external_reference: str | None = None


def check_organization(command: RegisterOrganization) -> None:
    """Raise InvalidInput with everything that no organization can be called."""
    if faults := list(organization_faults(command)):
        raise InvalidInput(*faults)


def organization_faults(command: RegisterOrganization) -> Iterator[Fault]:
    yield from text("name", command.name, NAME_LENGTH_MIN, NAME_LENGTH_MAX)
    if command.external_reference is not None:
        yield from text("external_reference", command.external_reference, 1, REFERENCE_LENGTH_MAX)


def moved(move: str, status: OrganizationStatus) -> OrganizationStatus:
    """The state after a move. Raises Conflict where there is no such move from this state."""
    allowed, after = MOVES[move]
    if status not in allowed:
        listed = ", ".join(sorted(allowed))
        raise Conflict.of(
            "id",
            f"The organization is {status}; this is possible only when it is {listed}.",
            f"该单位当前状态为 {status}，仅在 {listed} 状态下可执行此操作。",
        )
    return after
