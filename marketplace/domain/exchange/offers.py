"""An offer: what a provider can give, how much of it is left, and until when."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypedDict

from marketplace.domain.checks import QUANTITY_MAX, REFERENCE_LENGTH_MAX, fault, near, text, within
from marketplace.domain.errors import Conflict, Fault, InvalidInput, Text
from marketplace.domain.exchange.categories import CategoryFacts
from marketplace.domain.exchange.periods import service_faults
from marketplace.domain.permissions import Viewer, may_touch
from marketplace.domain.registry.categories import CategoryKind
from marketplace.domain.registry.organizations import OrganizationStatus
from marketplace.domain.states import any_in_chinese, in_chinese

NOUN = Text("offer", "供给")
TITLE_LENGTH_MAX = 120
REGIONS_MAX = 100
DELIVERIES_MAX = 1_000_000
RADIUS_KM_MAX = 20_000.0  # half the way round the earth


class OfferStatus(StrEnum):
    DRAFT = "DRAFT"
    OPEN = "OPEN"
    PAUSED = "PAUSED"
    CLOSED = "CLOSED"
    EXPIRED = "EXPIRED"


# From which states a mutation may move an offer. A draft, posted before its organization was
# verified, is opened by the same move that opens a paused one.
MOVES: Mapping[str, frozenset[OfferStatus]] = {
    "offerUpdate": frozenset({OfferStatus.DRAFT, OfferStatus.OPEN, OfferStatus.PAUSED}),
    "offerPause": frozenset({OfferStatus.OPEN}),
    "offerResume": frozenset({OfferStatus.DRAFT, OfferStatus.PAUSED}),
    "offerClose": frozenset({OfferStatus.DRAFT, OfferStatus.OPEN, OfferStatus.PAUSED}),
}
EXPIRABLE = frozenset({OfferStatus.OPEN, OfferStatus.PAUSED})
MOVED_TO: Mapping[str, OfferStatus] = {
    "offerPause": OfferStatus.PAUSED,
    "offerResume": OfferStatus.OPEN,
    "offerClose": OfferStatus.CLOSED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferTerms:
    """What a provider says of an offer.

    category_id      what it is; of cash its purpose, which is all that lies below the category
    quantity, household_max, delivery_min
                     base units; fen for cash, minutes for services
    pack_size        base units in a pack; the offer is handed out in whole packs
    visits_per_day   of services: at most so many visits a day, over all households
    target_groups    bit mask of TargetGroup, 0 for anyone
    region_ids       none: anywhere
    """

    kind: CategoryKind
    category_id: int
    quantity: int
    title: str = ""
    pack_size: int = 1
    household_max: int | None = None
    delivery_min: int = 1
    deliveries_max: int | None = None
    visits_per_day: int | None = None
    target_groups: int = 0
    latitude: float | None = None
    longitude: float | None = None
    radius_km: float | None = None
    region_ids: tuple[int, ...] = field(default=())
    starts_at: datetime | None = None  # none: at once
    expires_at: datetime | None = None  # none: until it is used up; services must say it
    external_reference: str | None = None


class TermsPatch(TypedDict, total=False):
    """The terms that an update names; what is absent stays as it is."""

    kind: CategoryKind
    category_id: int
    quantity: int
    title: str
    pack_size: int
    household_max: int | None
    delivery_min: int
    deliveries_max: int | None
    visits_per_day: int | None
    target_groups: int
    latitude: float | None
    longitude: float | None
    radius_km: float | None
    region_ids: tuple[int, ...]
    starts_at: datetime | None
    expires_at: datetime | None
    external_reference: str | None


def check_terms(
    terms: OfferTerms,
    category: CategoryFacts | None,
    *,
    known_regions: frozenset[int],
    now: datetime,
) -> None:
    """Raise InvalidInput with everything in the terms that no offer can say.

    category         None: there is no such category
    known_regions    those of `terms.region_ids` that there are
    """
    faults = [
        *_category_faults(terms.kind, category),
        *_quantity_faults(terms),
        *_place_faults(terms),
        *_time_faults(terms, now),
        *service_faults(
            terms.kind,
            minutes=terms.quantity,
            visits_per_day=terms.visits_per_day,
            period=(terms.starts_at, terms.expires_at),
            now=now,
        ),
        *_text_faults(terms),
        *_region_faults(terms, known_regions),
    ]
    if faults:
        raise InvalidInput(*faults)


def check_update(before: OfferTerms, after: OfferTerms, *, in_use: int) -> None:
    """Raise Conflict where terms are fixed because `in_use` units are reserved or delivered."""
    if in_use == 0:
        return
    faults = [
        fault(
            name,
            "CONFLICT",
            f"Part of this offer is reserved or delivered, so its {name_en} stays. "
            "Close it and post another.",
            f"该供给已有部分被预留或交付，{name_zh}不能再改；请关闭后另行发布。",
        )
        for name, name_en, name_zh, changed in (
            ("kind", "kind", "种类", before.kind is not after.kind),
            ("category_id", "category", "类别", before.category_id != after.category_id),
            ("pack_size", "pack size", "包装规格", before.pack_size != after.pack_size),
        )
        if changed
    ]
    if after.quantity < in_use:
        faults.append(
            fault(
                "quantity",
                "QUANTITY_EXCEEDED",
                f"{in_use} are already reserved or delivered: the quantity cannot be less.",
                f"已有 {in_use} 被预留或交付，数量不能低于此数。",
            )
        )
    if faults:
        raise Conflict(*faults)


def first_status(organization: OrganizationStatus) -> OfferStatus:
    """The state a new offer begins in. Raises Conflict where the organization may not offer."""
    if organization is OrganizationStatus.VERIFIED:
        return OfferStatus.OPEN
    if organization is OrganizationStatus.APPLIED:
        return OfferStatus.DRAFT
    raise Conflict(_not_verified(organization))


def check_move(
    move: str,
    status: OfferStatus,
    *,
    organization: OrganizationStatus,
    expires_at: datetime | None,
    now: datetime,
) -> None:
    """Raise Conflict unless the move exists from this state, naming the state and the way out."""
    if status not in MOVES[move]:
        allowed = ", ".join(sorted(MOVES[move]))
        raise Conflict.of(
            "id",
            f"The offer is {status}; this is possible only when it is {allowed}.",
            f"该供给当前状态为{in_chinese(status)}，"
            f"仅在状态为{any_in_chinese(MOVES[move])}时可执行此操作。",
        )
    if move != "offerResume":
        return
    if organization is not OrganizationStatus.VERIFIED:
        raise Conflict(_not_verified(organization))
    if expires_at is not None and expires_at <= now:
        raise Conflict.of(
            "id",
            "The offer's end has passed. Set a later end with offerUpdate first.",
            "该供给已过截止时间，请先用 offerUpdate 设置新的截止时间。",
        )


def allowed_moves(viewer: Viewer, *, status: OfferStatus, organization_id: int) -> tuple[str, ...]:
    """The mutations that this viewer may ask for now, in the order of the matrix."""
    return tuple(
        move
        for move, states in MOVES.items()
        if status in states and may_touch(viewer, move, organization_id)
    )


def _not_verified(organization: OrganizationStatus) -> Fault:
    return fault(
        "",
        "ORGANIZATION_NOT_VERIFIED",
        f"Your organization is {organization}: only a verified one can open offers. "
        "Ask the county's charity desk to verify it.",
        f"贵单位当前状态为{in_chinese(organization)}，仅已核验单位可开放供给；"
        "请联系县慈善口办理核验。",
    )


def _category_faults(kind: CategoryKind, category: CategoryFacts | None) -> Iterator[Fault]:
    if category is None:
        yield fault(
            "category_id",
            "NOT_FOUND",
            "There is no such category. Choose one from `categories`.",
            "没有此类别，请从 categories 中选择。",
        )
    elif kind is CategoryKind.CASH:
        # Without a unit it is a purpose that several kinds of things serve: each has its price.
        narrow = category.unit is not None and category.kind is not CategoryKind.CASH
        if narrow and category.reference_price_fen is None:
            yield fault(
                "category_id",
                "NO_REFERENCE_PRICE",
                "Cash can be given for this purpose only if it has a reference price. "
                "Choose a category below it, or one of cash.",
                "该用途没有参考价格，不能以资金捐助；请选择其下级类别或资金类别。",
            )
    elif category.unit is None:
        yield fault(
            "category_id",
            "CATEGORY_TOO_WIDE",
            "This category has no unit. Choose one below it; only cash can be given for all of it.",
            "该类别过宽，没有计量单位，请选择其下级类别；仅资金可以捐助整个类别。",
        )
    elif category.kind is not kind:
        yield fault(
            "kind",
            "INVALID",
            f"This category is {category.kind}, the offer {kind}. Make them agree.",
            f"该类别属于 {category.kind}，与供给种类 {kind} 不一致，请更正。",
        )


def _quantity_faults(terms: OfferTerms) -> Iterator[Fault]:
    whole = terms.pack_size if terms.pack_size > 0 else 1
    yield from within("quantity", terms.quantity, 1, QUANTITY_MAX)
    yield from within("pack_size", terms.pack_size, 1, QUANTITY_MAX)
    yield from within("delivery_min", terms.delivery_min, 1, QUANTITY_MAX)
    if terms.household_max is not None:
        yield from within("household_max", terms.household_max, 1, QUANTITY_MAX)
    if terms.deliveries_max is not None:
        yield from within("deliveries_max", terms.deliveries_max, 1, DELIVERIES_MAX)
    if terms.kind is CategoryKind.CASH and whole != 1:
        yield fault("pack_size", "INVALID", "Cash has no packs.", "资金没有包装规格。")
    elif terms.kind is CategoryKind.SERVICE and whole != 1:
        yield fault("pack_size", "INVALID", "Services have no packs.", "服务没有包装规格。")
    elif terms.quantity % whole:
        yield fault(
            "quantity",
            "NOT_WHOLE_PACKS",
            f"The quantity is in base units and must be whole packs of {whole}.",
            f"数量以基本单位计，须为包装规格 {whole} 的整数倍。",
        )
    most = min(terms.quantity, terms.household_max or terms.quantity)
    if 1 <= most < max(whole, terms.delivery_min):
        yield fault(
            "household_max" if terms.household_max else "delivery_min",
            "INVALID",
            "One household may get less than one pack or one delivery: nothing could be given.",
            "每户上限或总量小于一个包装或一次最小配送量，将无法发放，请更正。",
        )


def _place_faults(terms: OfferTerms) -> Iterator[Fault]:
    if (terms.latitude is None) != (terms.longitude is None):
        missing = "latitude" if terms.latitude is None else "longitude"
        yield fault(
            missing,
            "REQUIRED",
            "Give latitude and longitude together, or neither.",
            "纬度与经度须同时填写或同时留空。",
        )
    for name, degrees, most in (
        ("latitude", terms.latitude, 90),
        ("longitude", terms.longitude, 180),
    ):
        if degrees is not None and not -most <= degrees <= most:  # also refuses NaN
            yield fault(
                name,
                "INVALID",
                f"Degrees lie between -{most} and {most}.",
                f"度数须在 -{most} 至 {most} 之间。",
            )
    radius = terms.radius_km
    if radius is None:
        return
    if not (math.isfinite(radius) and 0 < radius <= RADIUS_KM_MAX):
        yield fault(
            "radius_km",
            "INVALID",
            f"A radius is above 0 and at most {RADIUS_KM_MAX:.0f} km.",
            f"服务半径须大于 0 且不超过 {RADIUS_KM_MAX:.0f} 公里。",
        )
    elif terms.latitude is None and terms.longitude is None:
        yield fault(
            "latitude",
            "REQUIRED",
            "A radius needs coordinates, and your organization's region has none. Give them.",
            "设置服务半径需要坐标，而贵单位所在区划没有坐标，请填写纬度和经度。",
        )


def _time_faults(terms: OfferTerms, now: datetime) -> Iterator[Fault]:
    starts_at = terms.starts_at or now
    yield from near("starts_at", terms.starts_at, now)
    yield from near("expires_at", terms.expires_at, now)
    if terms.expires_at is not None and terms.expires_at <= max(starts_at, now):
        yield fault(
            "expires_at",
            "INVALID",
            "The end must lie after the start and in the future.",
            "截止时间须晚于开始时间，且在当前时间之后。",
        )


def _text_faults(terms: OfferTerms) -> Iterator[Fault]:
    yield from text("title", terms.title, 0, TITLE_LENGTH_MAX)
    if terms.external_reference is not None:
        yield from text("external_reference", terms.external_reference, 1, REFERENCE_LENGTH_MAX)


def _region_faults(terms: OfferTerms, known: frozenset[int]) -> Iterator[Fault]:
    if len(terms.region_ids) > REGIONS_MAX:
        yield fault(
            "region_ids",
            "TOO_MANY",
            f"At most {REGIONS_MAX} regions. Name a region above them instead.",
            f"区划最多 {REGIONS_MAX} 个，可改选其上级区划。",
        )
    elif unknown := set(terms.region_ids) - known:
        yield fault(
            "region_ids",
            "NOT_FOUND",
            f"{len(unknown)} of these regions do not exist. Choose from `regions`.",
            f"其中 {len(unknown)} 个区划不存在，请从 regions 中选择。",
        )
