"""A consent text: the wording that a household agrees to, by version; it is never changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from marketplace.domain.checks import fault, near, text
from marketplace.domain.errors import Conflict, Fault, InvalidInput
from marketplace.domain.exchange.consents import (
    TEXT_VERSION_LENGTH_MAX,
    ConsentPurpose,
    RecipientClass,
)

TEXT_LENGTH_MAX = 4_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishText:
    """A new wording. valid_from: None, at once."""

    version: str
    text_zh: str
    text_en: str
    purpose: ConsentPurpose = ConsentPurpose.CHARITABLE_ASSISTANCE
    recipient_class: RecipientClass = RecipientClass.VERIFIED_PROVIDERS
    valid_from: datetime | None = None


def check_text(command: PublishText, now: datetime) -> None:
    """Raise InvalidInput with everything that keeps this from being a wording."""
    faults = list(_faults(command, now))
    if faults:
        raise InvalidInput(*faults)


def no_such_text(version: str) -> InvalidInput:
    """The refusal of a consent to a wording that there is not for it, or not now."""
    return InvalidInput.of(
        "text_version",
        f"There is no wording {version!r} for this purpose and these recipients that is in use "
        "now. Choose one of `consentTexts`.",
        f"没有适用于该用途与接收方且现行有效的授权文本 {version}，请从 consentTexts 中选择。",
        code="NOT_FOUND",
    )


def taken(version: str) -> Conflict:
    return Conflict.of(
        "version",
        f"There is a wording {version!r} already; what households agreed to is never changed.",
        f"授权文本 {version} 已存在；家庭已同意的文本不得更改。",
        code="TAKEN",
    )


def _faults(command: PublishText, now: datetime) -> Iterator[Fault]:
    yield from text("version", command.version.strip(), 1, TEXT_VERSION_LENGTH_MAX)
    yield from near("valid_from", command.valid_from, now)
    for name, wording in (("text_zh", command.text_zh), ("text_en", command.text_en)):
        if not wording.strip():
            yield fault(name, "REQUIRED", "Say what is agreed to.", "请填写授权内容。")
        elif len(wording) > TEXT_LENGTH_MAX:
            yield fault(
                name,
                "TOO_LARGE",
                f"At most {TEXT_LENGTH_MAX} characters.",
                f"最多 {TEXT_LENGTH_MAX} 个字符。",
            )
