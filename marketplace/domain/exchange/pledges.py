"""A pledge: a provider sets part of an own offer aside for one published need, for a short time.

What a refusal tells is what everyone may know, or what the provider knows of its own offer. What
depends on the household (its groups, what it has got, how much money is open) is refused with one
and the same answer, so that asking again and again tells nothing more.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from marketplace.domain.checks import fault
from marketplace.domain.errors import Fault, Text
from marketplace.domain.registry.categories import CategoryKind

OPEN_MAX = 50  # pledges of one organization that are not accepted yet, at a time
REFUSED_MAX = 30  # pledges of one organization that are refused for the household, within an hour
EARTH_RADIUS_M = 6_371_008.8

NOT_SERVED = Text(
    "This offer cannot serve this need with so much. Choose another need, another offer or another "
    "quantity; the county's next plan finds what fits.",
    "该供给无法以此数量满足该需求。请另选需求、供给或数量；县里下一次匹配方案会找到合适的组合。",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A subtree of categories or regions; both ends count."""

    low: int
    high: int

    def holds(self, place: int) -> bool:
        return self.low <= place <= self.high


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One need and one offer as the rules see them, both locked.

    served          units asked for, the need's unit
    need_left       units that are open
    missing         units to the least that is of use to the need
    price_fen       of one unit; of a cash need one; None: it has no reference price
    given           units the household has of this offer, the offer's unit
    own_household   whether whoever pledges belongs to it
    in_region       whether the offer is for the whole township, which is published
    distance_m      to the township, which is published; None: one of both lies nowhere
    visits_fit      whether the days that remain of a service hold the visits
    """

    served: int
    need_kind: CategoryKind
    need_category: Interval
    need_left: int
    missing: int
    price_fen: int | None
    visit_minutes: int | None
    offer_kind: CategoryKind
    offer_category: Interval
    offer_left: int
    pack_size: int
    household_max: int | None
    delivery_min: int
    deliveries_max: int | None
    deliveries: int
    given: int
    in_region: bool
    in_groups: bool
    radius_m: float | None
    distance_m: float | None
    own_household: bool
    visits_fit: bool

    @property
    def drawn(self) -> int:
        """What the offer gives for it, in the offer's unit."""
        if self.offer_kind is CategoryKind.CASH:
            return self.served * (self.price_fen or 1)
        if self.offer_kind is CategoryKind.SERVICE:
            return self.served * (self.visit_minutes or 1)
        return self.served


def faults_of(pair: Pair) -> list[Fault]:
    """Everything that keeps the pledge from being made; what the household decides comes last."""
    if mismatch := _mismatch(pair):
        return [mismatch]
    found = list(_known_faults(pair))
    if not found and not _serves(pair):
        found.append(Fault(("units",), "NOT_SERVED", NOT_SERVED))
    return found


def distance_m(
    one: tuple[float | None, float | None], other: tuple[float | None, float | None]
) -> float | None:
    """Great circle between two places in degrees; None where one lies nowhere.

    >>> round(distance_m((27.9, 116.7), (28.9, 116.7)))
    111195
    """
    if None in one or None in other:
        return None
    (south, west), (north, east) = (
        (math.radians(each[0] or 0.0), math.radians(each[1] or 0.0)) for each in (one, other)
    )
    half = math.sin((north - south) / 2) ** 2
    half += math.cos(south) * math.cos(north) * math.sin((east - west) / 2) ** 2
    return 2 * EARTH_RADIUS_M * math.asin(math.sqrt(min(1.0, half)))


def _mismatch(pair: Pair) -> Fault | None:
    """What category and kind say, which everyone may read."""
    if pair.offer_kind is CategoryKind.CASH:
        fits = pair.offer_category.holds(pair.need_category.low)
    else:
        fits = pair.need_kind is not CategoryKind.CASH and pair.need_category.holds(
            pair.offer_category.low
        )
    if not fits:
        return fault(
            "published_need_id",
            "CATEGORY_MISMATCH",
            "This offer is of another category than what is needed.",
            "该供给与所需类别不符。",
        )
    if pair.offer_kind is CategoryKind.CASH and pair.price_fen is None:
        return fault(
            "published_need_id",
            "NO_REFERENCE_PRICE",
            "What is needed has no reference price, so that money cannot be given for it.",
            "所需类别没有参考价格，不能以资金满足。",
        )
    return None


def _known_faults(pair: Pair) -> Iterator[Fault]:
    """What follows from the offer's own terms and from what is published of the need."""
    if pair.served % pair.pack_size:
        yield fault(
            "units",
            "NOT_WHOLE_PACKS",
            f"This offer is handed out in whole packs of {pair.pack_size}.",
            f"该供给须按整包装（每包 {pair.pack_size}）发放。",
        )
    if pair.drawn > pair.offer_left:
        yield fault(
            "units",
            "QUANTITY_EXCEEDED",
            f"Only {pair.offer_left} of the offer are left, and this takes {pair.drawn}.",
            f"该供给仅剩 {pair.offer_left}，而此次需要 {pair.drawn}。",
        )
    if pair.drawn < pair.delivery_min:
        yield fault(
            "units",
            "TOO_SMALL",
            f"The offer gives at least {pair.delivery_min} in one delivery.",
            f"该供给每次配送至少 {pair.delivery_min}。",
        )
    if pair.deliveries_max is not None and pair.deliveries >= pair.deliveries_max:
        yield fault(
            "offer_id",
            "DELIVERIES_MAX",
            "The deliveries of this offer are used up.",
            "该供给的配送次数已用完。",
        )
    if pair.household_max is not None and pair.drawn > pair.household_max:
        yield fault(
            "units",
            "TOO_LARGE",
            f"The offer gives at most {pair.household_max} to one household.",
            f"该供给每户最多 {pair.household_max}。",
        )
    if not pair.in_region:
        yield fault(
            "offer_id",
            "OUTSIDE_REGION",
            "This offer is not for the whole township of the need. An offer for single villages "
            "cannot be pledged, since that would tell where the household lives; the county's "
            "next plan considers it.",
            "该供给的服务范围未覆盖该需求所在乡镇全域。仅限个别村的供给不能认领（以免暴露家庭住处），"
            "将由县里下一次匹配方案统筹。",
        )
    if pair.need_kind is not CategoryKind.CASH:  # of money only a band is published
        yield from _open_faults(pair)


def _open_faults(pair: Pair) -> Iterator[Fault]:
    if pair.served > pair.need_left:
        yield fault(
            "units",
            "TOO_LARGE",
            f"Only {pair.need_left} of the need are open.",
            f"该需求仅剩 {pair.need_left} 未满足。",
        )
    elif pair.served < pair.missing:
        yield fault(
            "units",
            "QUANTITY_MIN",
            f"Less than {pair.missing} is of no use for this need.",
            f"少于 {pair.missing} 对该需求没有帮助。",
        )


def _serves(pair: Pair) -> bool:
    """Whether the household may and can be served by it."""
    radius = pair.radius_m
    reached = radius is None or (pair.distance_m is not None and pair.distance_m <= radius)
    most = pair.household_max
    within = most is None or pair.given + pair.drawn <= most
    asked = pair.missing <= pair.served <= pair.need_left
    return (
        reached
        and within
        and asked
        and pair.in_groups
        and pair.visits_fit
        and not pair.own_household
    )
