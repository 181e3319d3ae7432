"""An application: a household in hardship that came forward, and what the desk made of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from marketplace.domain.checks import fault, text
from marketplace.domain.errors import Fault, InvalidInput, Text
from marketplace.domain.moves import Move
from marketplace.domain.permissions import MUTATIONS, OFFICERS, Viewer
from marketplace.domain.registry.households import (
    ADDRESS_LENGTH_MAX,
    NAME_LENGTH_MAX,
    phone_faults,
)
from marketplace.domain.registry.identity import born_on, compact, has_number_of_somebody

LETTER = "Q"  # of its reference: 求助
WORDS_LENGTH_MAX = 1_000
REASON_LENGTH_MIN = 4
REASON_LENGTH_MAX = 500
NOUN = Text("application", "申请")


class ApplicationStatus(StrEnum):
    SUBMITTED = "SUBMITTED"
    REGISTERED = "REGISTERED"
    REJECTED = "REJECTED"


class ApplicationChannel(StrEnum):
    """How it came; FILE: from a cross-check, whose people asked for nothing."""

    PHONE = "PHONE"
    QR = "QR"
    WEB = "WEB"
    ONSITE = "ONSITE"
    FILE = "FILE"


class RejectReason(StrEnum):
    """Why an application comes to nothing; the applicant is told this, and the words beside it."""

    DUPLICATE = "DUPLICATE"
    OUTSIDE_AREA = "OUTSIDE_AREA"
    NOT_REACHED = "NOT_REACHED"
    WITHDRAWN = "WITHDRAWN"
    NO_HARDSHIP = "NO_HARDSHIP"
    OTHER = "OTHER"


# What an officer takes down for somebody, and what comes in by itself.
TAKEN_DOWN = frozenset({ApplicationChannel.PHONE, ApplicationChannel.ONSITE})
BY_ITSELF = frozenset({ApplicationChannel.QR, ApplicationChannel.WEB})

MOVES: Mapping[str, Move[ApplicationStatus]] = {
    "applicationRegister": Move(
        before=frozenset({ApplicationStatus.SUBMITTED}), after=ApplicationStatus.REGISTERED
    ),
    "applicationReject": Move(
        before=frozenset({ApplicationStatus.SUBMITTED}), after=ApplicationStatus.REJECTED
    ),
}


class TriesOf(StrEnum):
    """What is counted against whoever comes without an account."""

    SUBMIT_ADDRESS = "SUBMIT_ADDRESS"
    SUBMIT_PHONE = "SUBMIT_PHONE"
    CODE_ADDRESS = "CODE_ADDRESS"
    CODE_REFERENCE = "CODE_REFERENCE"
    STATUS_ADDRESS = "STATUS_ADDRESS"
    ORGANIZATION_ADDRESS = "ORGANIZATION_ADDRESS"
    ORGANIZATION_PHONE = "ORGANIZATION_PHONE"
    TRACE_ADDRESS = "TRACE_ADDRESS"


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many tries in a window that begins with the first of them."""

    tries_max: int
    window: timedelta


# A village shares one address of its operator's network, so addresses get more than phones.
LIMITS: Mapping[TriesOf, Limit] = {
    TriesOf.SUBMIT_ADDRESS: Limit(30, timedelta(hours=1)),
    TriesOf.SUBMIT_PHONE: Limit(5, timedelta(days=1)),
    TriesOf.CODE_ADDRESS: Limit(30, timedelta(hours=1)),
    TriesOf.CODE_REFERENCE: Limit(5, timedelta(hours=1)),
    TriesOf.STATUS_ADDRESS: Limit(60, timedelta(hours=1)),
    TriesOf.ORGANIZATION_ADDRESS: Limit(10, timedelta(hours=1)),
    TriesOf.ORGANIZATION_PHONE: Limit(3, timedelta(days=1)),
    TriesOf.TRACE_ADDRESS: Limit(30, timedelta(hours=1)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitApplication:
    """What somebody in hardship says of the household, in the clear: sealed before it is kept.

    region_id       a township, village, community or grid cell
    region_code     or its official code, as it stands in a printed link
    words           what happened and what is needed, at most 1,000 characters
    """

    region_id: int | None
    channel: ApplicationChannel
    name: str
    phone: str
    identity_number: str | None = None
    address: str = ""
    words: str = ""
    region_code: str | None = None


def check_application(
    command: SubmitApplication, viewer: Viewer, *, today: date, region: Collection[Fault] = ()
) -> None:
    """Raise InvalidInput with everything that is wrong; never repeats what was typed.

    region    what is wrong with where it lives
    """
    if faults := [*region, *_faults(command, viewer, today)]:
        raise InvalidInput(*faults)


def check_rejection(why: RejectReason, reason: str) -> None:
    """Raise InvalidInput where nobody could understand why."""
    if faults := list(reason_faults("reason", reason)):
        raise InvalidInput(*faults)
    assert why in RejectReason


def reason_faults(name: str, reason: str) -> Iterator[Fault]:
    """A reason that a person can read: REQUIRED, TOO_LARGE or INVALID."""
    if len(reason.strip()) < REASON_LENGTH_MIN:
        yield fault(
            name,
            "REQUIRED",
            f"Say why, in at least {REASON_LENGTH_MIN} characters.",
            f"请说明理由，至少 {REASON_LENGTH_MIN} 个字符。",
        )
    yield from text(name, reason, 0, REASON_LENGTH_MAX)
    if has_number_of_somebody(reason[:REASON_LENGTH_MAX]):
        yield fault(
            name,
            "INVALID",
            "Leave numbers of persons and phones out: this is kept in the open.",
            "请勿填写身份证号、电话等个人信息。",
        )


def allowed_moves(viewer: Viewer, *, status: ApplicationStatus) -> tuple[str, ...]:
    """The mutations that lead on from here and that the viewer's role may ask for."""
    return tuple(
        name
        for name, move in MOVES.items()
        if status in move.before and viewer.role in MUTATIONS[name]
    )


def _faults(command: SubmitApplication, viewer: Viewer, today: date) -> Iterator[Fault]:
    officer = viewer.is_one_of(OFFICERS)
    if command.channel not in (TAKEN_DOWN if officer else BY_ITSELF):
        yield fault(
            "channel",
            "INVALID",
            "An officer takes applications down by phone or on site; "
            "others come by the web or a code's link.",
            "工作人员代为登记时渠道为电话或现场；自行申请时渠道为网页或二维码。",
        )
    yield from phone_faults("phone", command.phone)
    yield from person_faults(command, today=today)
    # People write in paragraphs; every other control character stays out.
    in_one_line = command.words.replace("\r\n", "\n").replace("\n", " ")
    yield from text("words", in_one_line, 0, WORDS_LENGTH_MAX)


def person_faults(command: SubmitApplication, *, today: date) -> Iterator[Fault]:
    """What nobody can be called, be numbered or live at."""
    yield from text("name", command.name.strip(), 1, NAME_LENGTH_MAX)
    if command.identity_number is not None:
        born = born_on(compact(command.identity_number))
        if born is None or not date(1900, 1, 1) <= born <= today:
            yield fault(
                "identity_number",
                "INVALID",
                "This is no identity number of 18 places: check digit or birthday do not fit.",
                "身份证号码无效：应为 18 位，且出生日期与校验码须正确。",
            )
    yield from text("address", command.address, 0, ADDRESS_LENGTH_MAX)
