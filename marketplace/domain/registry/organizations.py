"""An organization: a provider of help, verified before its offers open."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from marketplace.domain.checks import REFERENCE_LENGTH_MAX, fault, text
from marketplace.domain.errors import Fault, InvalidInput, Text
from marketplace.domain.moves import Move, check_move

NAME_LENGTH_MIN = 2
NAME_LENGTH_MAX = 100
DESCRIPTION_LENGTH_MAX = 1_000
REASON_LENGTH_MAX = 200
NOUN = Text("organization", "单位")
CODE_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # of credit codes: without I, O, S, V, Z


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


_APPLIED = frozenset({OrganizationStatus.APPLIED})
_SUSPENDED = frozenset({OrganizationStatus.SUSPENDED})
MOVES: Mapping[str, Move[OrganizationStatus]] = {
    "organizationVerify": Move(before=_APPLIED | _SUSPENDED, after=OrganizationStatus.VERIFIED),
    "organizationReject": Move(before=_APPLIED, after=OrganizationStatus.REJECTED),
    "organizationSuspend": Move(
        before=frozenset({OrganizationStatus.VERIFIED}), after=OrganizationStatus.SUSPENDED
    ),
    "organizationResume": Move(before=_SUSPENDED, after=OrganizationStatus.VERIFIED),
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
    check_move(MOVES, move, status, NOUN)
    after = MOVES[move].after
    assert after is not None, "each of these moves leads to one state"
    return after


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyOrganization:
    """An organization that wants to help, as it says itself.

    credit_code    统一社会信用代码; only a group of volunteers may be without one
    contact_name, contact_phone    whom to call: sealed
    """

    kind: OrganizationKind
    name: str
    region_id: int
    contact_name: str
    contact_phone: str
    credit_code: str | None = None
    description: str = ""


def check_application(command: ApplyOrganization) -> None:
    """Raise InvalidInput with everything that is wrong with an application."""
    faults = [
        *text("name", command.name.strip(), NAME_LENGTH_MIN, NAME_LENGTH_MAX),
        *text("description", command.description.strip(), 0, DESCRIPTION_LENGTH_MAX),
        *text("contact_name", command.contact_name.strip(), 2, NAME_LENGTH_MAX),
        *_phone_faults(command.contact_phone),
        *_code_faults(command),
    ]
    if command.kind is OrganizationKind.FEDERATION:
        faults.append(
            fault(
                "kind",
                "INVALID",
                "The charity federation is set up by the administrator.",
                "慈善总会由系统管理员设立，不能自行申请。",
            )
        )
    if faults:
        raise InvalidInput(*faults)


def plain_code(code: str) -> str:
    """A credit code as it is kept."""
    return code.strip().upper().replace(" ", "")


def is_credit_code(code: str) -> bool:
    """Whether a unified social credit code is well formed (GB 32100-2015), by its check character.

    >>> is_credit_code("91350100M000100Y43"), is_credit_code("91350100M000100Y44")
    (True, False)
    """
    if len(code) != 18 or any(each not in CODE_ALPHABET for each in code):
        return False
    total = sum(CODE_ALPHABET.index(code[i]) * pow(3, i, 31) for i in range(17))
    return CODE_ALPHABET[-total % 31] == code[17]


def _code_faults(command: ApplyOrganization) -> Iterator[Fault]:
    if command.credit_code is None:
        if command.kind is not OrganizationKind.VOLUNTEER_GROUP:
            yield fault(
                "credit_code",
                "REQUIRED",
                "Say the unified social credit code.",
                "请填写统一社会信用代码。",
            )
    elif not is_credit_code(plain_code(command.credit_code)):
        yield fault(
            "credit_code",
            "INVALID",
            "This is no unified social credit code: its check character does not fit.",
            "统一社会信用代码有误，请核对。",
        )


def _phone_faults(phone: str) -> Iterator[Fault]:
    if not re.fullmatch(r"\+?[0-9][0-9 -]{5,18}[0-9]", phone.strip()):
        yield fault(
            "contact_phone", "INVALID", "A phone has 7 to 20 digits.", "电话应为 7 至 20 位数字。"
        )
