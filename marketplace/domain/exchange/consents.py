"""A consent: a household's leave to pass its needs on to charity, revocable any day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from marketplace.domain.checks import fault, near, text
from marketplace.domain.errors import Conflict, Fault
from marketplace.domain.permissions import MUTATIONS, Role, Viewer
from marketplace.domain.states import in_chinese

TEXT_VERSION_LENGTH_MAX = 40
EVIDENCE_LENGTH_MAX = 120


class ConsentStatus(StrEnum):
    GIVEN = "GIVEN"
    WITHDRAWN = "WITHDRAWN"
    LAPSED = "LAPSED"


class ConsentPurpose(StrEnum):
    """What the household agrees to; a further purpose never opens the market by itself."""

    CHARITABLE_ASSISTANCE = "CHARITABLE_ASSISTANCE"


class RecipientClass(StrEnum):
    """Who may learn of it; a narrower class comes with a rule of what may be matched."""

    VERIFIED_PROVIDERS = "VERIFIED_PROVIDERS"


class HowGiven(StrEnum):
    """How the household said yes."""

    SIGNED = "SIGNED"
    ONLINE = "ONLINE"
    VERBAL_WITNESSED = "VERBAL_WITNESSED"


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveConsent:
    """A consent to record.

    text_version          which wording the household agreed to
    evidence_reference    where the signed paper or the recording is kept; never its contents
    expires_at            none: until it is withdrawn
    """

    household_id: int
    text_version: str
    how_given: HowGiven
    purpose: ConsentPurpose = ConsentPurpose.CHARITABLE_ASSISTANCE
    recipient_class: RecipientClass = RecipientClass.VERIFIED_PROVIDERS
    evidence_reference: str | None = None
    expires_at: datetime | None = None


def consent_faults(command: GiveConsent, *, by: Role, now: datetime) -> list[Fault]:
    """Everything that keeps this from being a consent, as far as it shows.

    An officer who records it for the household says where the evidence is; a household that
    consents online is its own evidence.
    """
    return list(_faults(command, by, now))


def check_withdrawal(status: ConsentStatus) -> None:
    """Raise Conflict unless the consent is still in force."""
    if status is not ConsentStatus.GIVEN:
        raise Conflict.of(
            "id",
            f"This consent is {status} already. To change course, record a new one.",
            f"该授权当前状态为{in_chinese(status)}，已不再有效；如需变更，请登记新的授权。",
        )


def allowed_moves(viewer: Viewer, *, status: ConsentStatus) -> tuple[str, ...]:
    """The mutations that this viewer may ask for now; the consent is one the viewer may see."""
    may = viewer.role in MUTATIONS["consentWithdraw"] and status is ConsentStatus.GIVEN
    return ("consentWithdraw",) if may else ()


def _faults(command: GiveConsent, by: Role, now: datetime) -> Iterator[Fault]:
    yield from text("text_version", command.text_version.strip(), 1, TEXT_VERSION_LENGTH_MAX)
    yield from near("expires_at", command.expires_at, now)
    if command.expires_at is not None and command.expires_at <= now:
        yield fault(
            "expires_at", "INVALID", "The end must lie in the future.", "到期时间须在当前时间之后。"
        )
    if command.evidence_reference is not None:
        yield from text("evidence_reference", command.evidence_reference, 1, EVIDENCE_LENGTH_MAX)
    elif by is not Role.APPLICANT:
        yield fault(
            "evidence_reference",
            "REQUIRED",
            "Say where the signed paper or the recording is kept.",
            "请填写签字文件或录音的存放编号。",
        )
    if command.how_given is HowGiven.ONLINE and by is not Role.APPLICANT:
        yield fault(
            "how_given",
            "INVALID",
            "Only the household itself consents online; choose SIGNED or VERBAL_WITNESSED.",
            "线上授权只能由家庭本人办理，请选择书面签字或口头见证。",
        )
