"""A case of integrity: what is alleged, who finds it, what follows, and the way back."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from marketplace.domain.checks import QUANTITY_MAX, fault, within
from marketplace.domain.days import COUNTY_TIME, county_day
from marketplace.domain.errors import Conflict, Fault, InvalidInput, Text
from marketplace.domain.moves import Move, check_move, moves_from
from marketplace.domain.permissions import PROVIDERS, Role, Viewer
from marketplace.domain.restrictions import RestrictionScope

TEXT_LENGTH_MIN = 4
TEXT_LENGTH_MAX = 2_000
RESTRICTION_MAX = timedelta(days=3 * 366)  # three years; longer is no proportion
PEOPLE_TO_FIND = 2
NOUN = Text("case", "诚信事项")


class CaseKind(StrEnum):
    """What is alleged: the first three of a household, the others of a provider."""

    FALSE_STATEMENT = "FALSE_STATEMENT"
    CONCEALMENT = "CONCEALMENT"
    FORGERY = "FORGERY"
    ACCEPTED_NEVER_DELIVERED = "ACCEPTED_NEVER_DELIVERED"
    DEFECTIVE_GOODS = "DEFECTIVE_GOODS"


class CaseStatus(StrEnum):
    OPEN = "OPEN"
    FOUND = "FOUND"
    RESTRICTED = "RESTRICTED"
    APPEALED = "APPEALED"
    RECOVERED = "RECOVERED"
    CLOSED = "CLOSED"
    DISMISSED = "DISMISSED"


class EntryKind(StrEnum):
    """What stands in the integrity file, in the order in which it can come."""

    FOUND = "FOUND"
    RESTRICTED = "RESTRICTED"
    RECOVERY_ORDERED = "RECOVERY_ORDERED"
    RECOVERY_RECEIVED = "RECOVERY_RECEIVED"
    RECOVERED = "RECOVERED"
    APPEALED = "APPEALED"
    APPEAL_REFUSED = "APPEAL_REFUSED"
    RESTRICTION_LAPSED = "RESTRICTION_LAPSED"
    CLOSED = "CLOSED"
    DISMISSED = "DISMISSED"


class AppealOutcome(StrEnum):
    """What came of an appeal: the restriction stands, or the case is dismissed."""

    REFUSED = "REFUSED"
    GRANTED = "GRANTED"


class RecoveryKind(StrEnum):
    ORDERED = "ORDERED"
    RECEIVED = "RECEIVED"


OF_HOUSEHOLDS = frozenset({CaseKind.FALSE_STATEMENT, CaseKind.CONCEALMENT, CaseKind.FORGERY})
ENDED = frozenset({CaseStatus.CLOSED, CaseStatus.DISMISSED})

MOVES: Mapping[str, Move[CaseStatus]] = {
    # The second finding leads on to FOUND, a full recovery to RECOVERED, an appeal to either side.
    "integrityCaseFind": Move(before=frozenset({CaseStatus.OPEN}), after=None),
    "integrityCaseRestrict": Move(
        before=frozenset({CaseStatus.FOUND}), after=CaseStatus.RESTRICTED
    ),
    "integrityCaseRecover": Move(before=frozenset({CaseStatus.RESTRICTED}), after=None),
    "integrityCaseAppeal": Move(
        before=frozenset({CaseStatus.RESTRICTED}), after=CaseStatus.APPEALED
    ),
    "integrityCaseDecideAppeal": Move(before=frozenset({CaseStatus.APPEALED}), after=None),
    "integrityCaseClose": Move(before=frozenset({CaseStatus.RECOVERED}), after=CaseStatus.CLOSED),
    "integrityCaseDismiss": Move(before=frozenset(CaseStatus) - ENDED, after=CaseStatus.DISMISSED),
}
BY_THE_ACCUSED = frozenset({"integrityCaseAppeal"})


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCase:
    """What is alleged of whom; `allegation` is sealed, and read only for a stated purpose."""

    kind: CaseKind
    allegation: str
    household_id: int | None = None
    organization_id: int | None = None
    allocation_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """What is to be paid back, what was received of it, or both at once; fen.

    ordered_fen     None: no order is given now; 0: nothing is to be paid back
    received_fen    0: nothing came in now
    received_on     on which day, of a receipt
    receipt         its number
    """

    ordered_fen: int | None = None
    received_fen: int = 0
    received_on: date | None = None
    receipt: str | None = None


def check_open(command: OpenCase, *, by: Role) -> None:
    """Raise InvalidInput with everything that keeps this from being a case of `by`'s desk."""
    faults = [*_subject_faults(command, by), *text_faults("allegation", command.allegation)]
    if faults:
        raise InvalidInput(*faults)


def check(move: str, status: CaseStatus) -> None:
    """Raise Conflict, naming the state, unless the move may be made from it."""
    check_move(MOVES, move, status, NOUN)


def check_finder(finder: int, before: Collection[int]) -> None:
    """Raise Conflict (FOUR_EYES) where one person would be two."""
    if finder in before:
        raise Conflict.of(
            "",
            "You found it true already; another person must find so, too.",
            "您已作出认定，须由他人再次认定。",
            code="FOUR_EYES",
        )


def check_decider(decider: int, *, ordered_by: int) -> None:
    """Raise Conflict (FOUR_EYES) where who ordered a restriction would judge it."""
    if decider == ordered_by:
        raise Conflict.of(
            "",
            "You ordered this restriction; another person must decide.",
            "该限制由您作出，须由他人决定。",
            code="FOUR_EYES",
        )


def check_scope(scope: RestrictionScope, *, of_provider: bool) -> Iterator[Fault]:
    """Providers are restricted in their offers, households in one lane or in both."""
    if of_provider != (scope is RestrictionScope.OFFERS):
        yield fault(
            "scope",
            "INVALID",
            "A provider is restricted in its OFFERS, a household in CHARITY, GOVERNMENT or BOTH.",
            "对供给方的限制范围为 OFFERS，对家庭的限制范围为 CHARITY、GOVERNMENT 或 BOTH。",
        )


def check_end(ends_on: date, now: datetime) -> Iterator[Fault]:
    """The last day of a restriction is today at the earliest, and three years away at most."""
    today = county_day(now)
    if not today <= ends_on <= today + RESTRICTION_MAX:
        yield fault(
            "ends_on",
            "INVALID",
            "The last day lies between today and three years from now.",
            "截止日须在今日至三年之内。",
        )


def end_of(day: date) -> datetime:
    """The moment when a day is over in the county.

    >>> end_of(date(2026, 11, 24)).isoformat()
    '2026-11-25T00:00:00+08:00'
    """
    return datetime.combine(day + timedelta(days=1), time(), COUNTY_TIME)


def check_recovery(asked: Recovery, *, ordered_fen: int | None, received_fen: int) -> None:
    """Raise InvalidInput or Conflict where an order or a receipt does not fit what stands."""
    if asked.ordered_fen is None and asked.received_fen == 0:
        raise InvalidInput.of(
            "ordered_fen",
            "Say what is to be paid back, what was received, or both.",
            "请填写责令退回金额、已收金额，或两者。",
            code="REQUIRED",
        )
    faults = list(_recovery_faults(asked))
    if faults:
        raise InvalidInput(*faults)
    if asked.ordered_fen is not None and ordered_fen is not None:
        raise Conflict.of(
            "ordered_fen",
            f"{ordered_fen} fen are ordered already; an order is given once.",
            f"已责令退回 {ordered_fen} 分，不能重复作出。",
        )
    due = asked.ordered_fen if ordered_fen is None else ordered_fen
    if asked.received_fen > (due or 0) - received_fen:
        left = (due or 0) - received_fen
        raise Conflict.of(
            "received_fen",
            f"Only {left} fen are still due.",
            f"尚应退回 {left} 分，收款不能超过此数。",
            code="QUANTITY_EXCEEDED",
        )


def text_faults(name: str, said: str) -> Iterator[Fault]:
    """A text about someone says something and is no essay; line breaks are fine."""
    length = len(said.strip())
    if length < TEXT_LENGTH_MIN:
        yield fault(
            name,
            "REQUIRED",
            f"Say it in {TEXT_LENGTH_MIN} characters or more.",
            f"请填写，至少 {TEXT_LENGTH_MIN} 个字符。",
        )
    elif length > TEXT_LENGTH_MAX:
        yield fault(
            name,
            "TOO_LARGE",
            f"At most {TEXT_LENGTH_MAX} characters.",
            f"最多 {TEXT_LENGTH_MAX} 个字符。",
        )
    if any(not c.isprintable() and c not in "\n\t" for c in said):
        yield fault(name, "INVALID", "No control characters.", "不得含控制字符。")


def desk_of(kind: CaseKind) -> Role:
    """The desk that handles cases of a kind."""
    return Role.ASSISTANCE_OFFICER if kind in OF_HOUSEHOLDS else Role.CHARITY_OFFICER


def is_accused_side(viewer: Viewer, kind: CaseKind) -> bool:
    """Whether the viewer's role is that of those whom such a case is about."""
    if kind in OF_HOUSEHOLDS:
        return viewer.role is Role.APPLICANT
    return viewer.role in PROVIDERS


def allowed_moves(viewer: Viewer, *, kind: CaseKind, status: CaseStatus) -> tuple[str, ...]:
    """The mutations that this viewer may ask for now; the case is one that the viewer may see."""
    return tuple(
        move
        for move in moves_from(MOVES, viewer, status)
        if (
            is_accused_side(viewer, kind)
            if move in BY_THE_ACCUSED
            else viewer.role is desk_of(kind)
        )
    )


def _subject_faults(command: OpenCase, by: Role) -> Iterator[Fault]:
    of_household = command.kind in OF_HOUSEHOLDS
    named, other = (
        ("household_id", "organization_id") if of_household else ("organization_id", "household_id")
    )
    if by is not desk_of(command.kind):
        yield fault(
            "kind",
            "WRONG_DESK",
            "The assistance desk opens cases of households, the charity desk those of providers.",
            "家庭的诚信事项由救助口立案，供给方的由慈善口立案。",
        )
    if getattr(command, named) is None:
        yield fault(named, "REQUIRED", "Say whom the case is about.", "请填写当事方。")
    if getattr(command, other) is not None:
        yield fault(
            other, "INVALID", "This kind of case is not about one of these.", "此类事项不涉及该项。"
        )
    if of_household and command.allocation_id is not None:
        yield fault(
            "allocation_id",
            "INVALID",
            "Only cases of providers name an allocation.",
            "仅供给方事项可指明匹配记录。",
        )


def _recovery_faults(asked: Recovery) -> Iterator[Fault]:
    if asked.ordered_fen is not None:
        yield from within("ordered_fen", asked.ordered_fen, 0, QUANTITY_MAX)
    yield from within("received_fen", asked.received_fen, 0, QUANTITY_MAX)
    if asked.received_fen > 0:
        if asked.received_on is None:
            yield fault("received_on", "REQUIRED", "Say on which day.", "请填写收款日期。")
        if not (asked.receipt or "").strip():
            yield fault("receipt", "REQUIRED", "Give the receipt's number.", "请填写票据编号。")
