"""What of an offer lies outside its organization's agreement: it waits until it is approved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from marketplace.domain.checks import fault
from marketplace.domain.errors import Conflict, Fault
from marketplace.domain.exchange.categories import CategoryFacts
from marketplace.domain.registry.categories import CategoryKind
from marketplace.domain.states import in_chinese

PHOTOS_MAX = 8
CAPTION_LENGTH_MAX = 100
URL_LENGTH_MAX = 500
FILE_ID_LENGTH_MAX = 100


class ModerationReason(StrEnum):
    NO_AGREEMENT = "NO_AGREEMENT"
    CATEGORY = "CATEGORY"
    REGION = "REGION"
    OFFER_MAX = "OFFER_MAX"
    TOTAL_MAX = "TOTAL_MAX"
    UNITS_MAX = "UNITS_MAX"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subtree:
    """Nested-set interval of a category or region; units_max: a category's cap."""

    low: int
    high: int
    units_max: int | None = None
    units_before: int = 0  # offered within it already

    def holds(self, low: int) -> bool:
        return self.low <= low <= self.high


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What an agreement allows; empty categories or regions: all of them."""

    categories: Sequence[Subtree]
    regions: Sequence[Subtree]
    offer_max_fen: int | None
    total_max_fen: int | None
    value_before_fen: int  # of all that is offered under it


@dataclass(frozen=True, slots=True, kw_only=True)
class Photo:
    """A picture kept elsewhere: an https address or the id of a file, one of both."""

    url: str | None = None
    file_id: str | None = None
    caption: str = ""


def value_fen(kind: CategoryKind, quantity: int, category: CategoryFacts) -> int:
    """What an offer is worth; time is not counted in money."""
    if kind is CategoryKind.CASH:
        return quantity
    if kind is CategoryKind.GOODS:
        return quantity * (category.reference_price_fen or 0)
    return 0


def outside(
    bounds: Bounds,
    category: CategoryFacts,
    *,
    kind: CategoryKind,
    quantity: int,
    region_lows: Sequence[int],
) -> list[ModerationReason]:
    """Everything of an offer that the agreement does not allow.

    region_lows   of the regions that the offer is bound to; none: it may go anywhere
    """
    found: list[ModerationReason] = []
    worth = value_fen(kind, quantity, category)
    holding = [each for each in bounds.categories if each.holds(category.tree_low)]
    if bounds.categories and not holding:
        found.append(ModerationReason.CATEGORY)
    if bounds.regions and not (
        region_lows and all(any(area.holds(low) for area in bounds.regions) for low in region_lows)
    ):
        found.append(ModerationReason.REGION)
    if bounds.offer_max_fen is not None and worth > bounds.offer_max_fen:
        found.append(ModerationReason.OFFER_MAX)
    if bounds.total_max_fen is not None and bounds.value_before_fen + worth > bounds.total_max_fen:
        found.append(ModerationReason.TOTAL_MAX)
    if any(
        each.units_max is not None and each.units_before + quantity > each.units_max
        for each in holding
    ):
        found.append(ModerationReason.UNITS_MAX)
    return found


def waits(reasons: Sequence[str]) -> Conflict:
    """The refusal to open an offer that is still to be approved."""
    listed = ", ".join(reasons)
    listed_zh = "、".join(in_chinese(ModerationReason(each)) for each in reasons)
    return Conflict.of(
        "id",
        f"It is outside your agreement ({listed}): it waits until the charity desk approves it.",
        f"该供给超出合作协议范围：{listed_zh}，须经慈善口审批后开放。",
        code="NEEDS_APPROVAL",
    )


def photo_faults(photos: Sequence[Photo]) -> Iterator[Fault]:
    """What no list of photos can be."""
    if len(photos) > PHOTOS_MAX:
        yield fault("photos", "TOO_LARGE", f"At most {PHOTOS_MAX}.", f"最多 {PHOTOS_MAX} 张。")
    for photo in photos:
        if (photo.url is None) == (photo.file_id is None):
            yield fault(
                "photos",
                "INVALID",
                "A photo has an address or a file id, one of both.",
                "每张照片须填写网址或文件编号之一。",
            )
        elif photo.url is not None and not _is_https(photo.url):
            yield fault(
                "photos",
                "INVALID",
                "The address of a photo begins with https:// and names a host.",
                "照片网址须以 https:// 开头。",
            )
        elif photo.file_id is not None and not (
            0 < len(photo.file_id) <= FILE_ID_LENGTH_MAX and photo.file_id.isprintable()
        ):
            yield fault("photos", "INVALID", "This is no file id.", "文件编号无效。")
        if len(photo.caption) > CAPTION_LENGTH_MAX or not photo.caption.isprintable():
            yield fault(
                "photos",
                "TOO_LARGE",
                f"A caption has at most {CAPTION_LENGTH_MAX} characters, in one line.",
                f"照片说明最多 {CAPTION_LENGTH_MAX} 个字符。",
            )


def as_kept(photos: Sequence[Photo]) -> list[dict[str, str]] | None:
    """Photos as the row keeps them; None: there are none."""
    kept = [
        {"caption": each.caption}
        | ({"url": each.url} if each.url is not None else {})
        | ({"fileId": each.file_id} if each.file_id is not None else {})
        for each in photos
    ]
    return kept or None


def from_kept(kept: Sequence[Mapping[str, str]] | None) -> tuple[Photo, ...]:
    return tuple(
        Photo(url=each.get("url"), file_id=each.get("fileId"), caption=each.get("caption", ""))
        for each in kept or ()
    )


def _is_https(url: str) -> bool:
    if len(url) > URL_LENGTH_MAX or not url.isprintable() or " " in url:
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme == "https" and bool(parts.hostname) and not parts.username
    except ValueError:
        return False
