"""What the demo's organizations offer: less than is needed, bound to places, groups and limits."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import cast

from marketplace.domain.exchange.offers import OfferStatus, OfferTerms
from marketplace.domain.registry.categories import CategoryKind
from marketplace.domain.registry.households import TargetGroup, group_mask
from marketplace.domain.registry.organizations import OrganizationStatus
from marketplace.persistence.database import Row
from marketplace.services.demo.ground import Ground, Staff
from marketplace.services.demo.size import DemoSize

G = TargetGroup
OLD = group_mask((G.ELDERLY_ALONE, G.ELDERLY_LEFT_BEHIND))
YOUNG = group_mask((G.STUDENT, G.CHILD_LEFT_BEHIND, G.CHILD_WITHOUT_SUPPORT))
FRAIL = group_mask((G.DISABLED, G.SEVERELY_ILL)) | OLD

# Cash of one purpose each, raised by a campaign: purpose, title, whom it is for (0: anyone).
CAMPAIGNS = (
    ("education_aid", "慈善一日捐 · 圆梦助学", 0),
    ("tuition_aid", "99公益日 慈心博爱·善行金溪 · 助学", 0),
    ("medical_relief", "99公益日 慈心博爱·善行金溪 · 大病救助", 0),
    ("critical_illness_relief", "慈善+互联网 · 大病众帮", group_mask((G.SEVERELY_ILL,))),
    ("living_relief", "慈善情暖万家", 0),
    ("winter_heating_relief", "暖床前 · 关爱农村留守老人", OLD),
    ("disaster_relief", "慈善情暖万家 · 灾后重建", 0),
    ("housing_relief", "安居工程 · 危房修缮", 0),
    ("quilt", "暖床前 · 送温暖棉被", OLD),
    ("heater", "暖床前 · 取暖器", OLD),
    ("school_kit", "慈善一日捐 · 开学礼包", YOUNG),
    ("nursing_bed", "慈善情暖万家 · 护理床", 0),
    ("wheelchair", "慈善+互联网 · 轮椅", 0),
)
# Whoever offers in a category that can be offered more narrowly sometimes does.
NARROWER = {
    "staple_food": ("rice", "flour", "noodles", "rice_noodles"),
    "cooking_oil": ("rapeseed_oil", "blended_oil"),
    "winter_clothing": ("winter_coat_adult", "thermal_underwear"),
    "heater": ("oil_radiator", "fire_table"),
    "wheelchair": ("manual_wheelchair", "nursing_wheelchair"),
    "walking_aid": ("walking_stick", "walking_frame"),
    "chronic_medicine": ("blood_pressure_medicine", "diabetes_medicine"),
}
PACKS = {"rice": 5, "flour": 5, "noodles": 5, "rice_noodles": 5, "staple_food": 5, "milk": 24}
PACKS |= {"adult_diapers": 30}
GROUPS = {"adult_milk_powder": OLD, "emergency_call_button": OLD, "meal_delivery": OLD}
GROUPS |= {
    "tutoring": YOUNG,
    "child_companionship": YOUNG,
    "study_desk": YOUNG,
    "home_visit": FRAIL,
}
WITHOUT_ANY = frozenset({"oxygen_concentrator", "legal_help"})  # needs that nobody can serve yet


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferDraft:
    organization_id: int
    status: OfferStatus
    terms: OfferTerms

    def row(self, ground: Ground, staff: Staff, age: timedelta) -> dict[str, object]:
        """A row of `offers`, its regions kept apart."""
        names = (name for name in OfferTerms.__dataclass_fields__ if name != "region_ids")
        posted_at = ground.now - age
        return {name: getattr(self.terms, name) for name in names} | {
            "organization_id": self.organization_id,
            "status": self.status,
            "starts_at": posted_at,
            "posted_by": staff.by_organization[self.organization_id],
            "created_at": posted_at,
        }


def offer_drafts(
    open_units: Mapping[str, int],
    organizations: Sequence[Mapping[str, object]],
    ground: Ground,
    size: DemoSize,
    dice: random.Random,
) -> list[OfferDraft]:
    """About half of what is needed, in each category by its own share, over many offers.

    open_units    in the market, by category; of services, minutes
    """
    counts = [1 + dice.randrange(3) for _ in CAMPAIGNS]
    drafts = [
        _draft(
            purpose,
            CategoryKind.CASH,
            title,
            groups,
            _budget(purpose, open_units, ground, dice) // count,
            organizations,
            ground,
            dice,
        )
        for (purpose, title, groups), count in zip(CAMPAIGNS, counts, strict=True)
        for _ in range(count)
    ]
    wanted = [
        code
        for code in open_units
        if ground.categories[code]["kind"] != CategoryKind.CASH and code not in WITHOUT_ANY
    ]
    shares = {code: dice.uniform(0.2, 1.0) for code in wanted}
    rest = size.offers - len(drafts)
    chosen = [wanted[i % len(wanted)] for i in range(rest)]
    for code in chosen:
        each = open_units[code] * shares[code] / chosen.count(code)
        offered = dice.choice((code, *NARROWER.get(code, ())))
        kind = CategoryKind(ground.categories[code]["kind"])
        units = max(1, round(each * dice.uniform(0.6, 1.4)))
        drafts.append(
            _draft(offered, kind, "", GROUPS.get(code, 0), units, organizations, ground, dice)
        )
    return drafts


def _budget(
    purpose: str, open_units: Mapping[str, int], ground: Ground, dice: random.Random
) -> int:
    """Fen: a share of what the needs that it covers are worth."""
    top = ground.categories[purpose]
    worth = sum(
        units * ground.categories[code]["reference_price_fen"]
        for code, units in open_units.items()
        if ground.categories[code]["kind"] != CategoryKind.SERVICE
        and top["tree_low"] <= ground.categories[code]["tree_low"] <= top["tree_high"]
    )
    return max(50_000, int(worth * dice.uniform(0.15, 0.45)))


def _draft(
    code: str,
    kind: CategoryKind,
    title: str,
    groups: int,
    units: int,
    organizations: Sequence[Mapping[str, object]],
    ground: Ground,
    dice: random.Random,
) -> OfferDraft:
    category = ground.categories[code]
    organization = dice.choice(_givers(category, organizations, ground))
    pack = PACKS.get(code, 1) if kind is CategoryKind.GOODS else 1
    step = 10_000 if kind is CategoryKind.CASH else pack  # cash comes in whole hundreds of yuan
    quantity = max(step, units // step * step)
    home = ground.regions_by_id[int(str(organization["region_id"]))]
    reach = dice.random() if kind is not CategoryKind.CASH else 1.0
    near = reach < 0.15 and home["latitude"] is not None
    towns = dice.sample(ground.towns, dice.randrange(2, 6)) if 0.15 <= reach < 0.4 else ()
    limited = kind is not CategoryKind.CASH and quantity >= 20 * pack and dice.random() < 0.3
    verified = organization["status"] == OrganizationStatus.VERIFIED
    ends = timedelta(days=dice.randrange(30, 365))
    service = kind is CategoryKind.SERVICE
    bounded = dice.random() < 0.5
    terms = OfferTerms(
        kind=kind,
        category_id=category["id"],
        quantity=quantity,
        title=title
        or f"{category['label_zh']} · {str(organization['name']).removesuffix('（示例）')}",
        pack_size=pack,
        household_max=max(pack, quantity // 10 // pack * pack) if limited else None,
        target_groups=groups if dice.random() < 0.6 else 0,
        latitude=home["latitude"] if near else None,
        longitude=home["longitude"] if near else None,
        radius_km=float(dice.choice((10, 15, 20, 30))) if near else None,
        region_ids=tuple(sorted(town["id"] for town in towns)),
        visits_per_day=_visits_per_day(quantity, ends, dice) if service else None,
        expires_at=ground.now + ends if bounded or service else None,
    )
    return OfferDraft(
        organization_id=int(str(organization["id"])), status=_status(verified, dice), terms=terms
    )


def _visits_per_day(minutes: int, period: timedelta, dice: random.Random) -> int | None:
    """What a few volunteers do in a day, or as many as the minutes ask for; some say nothing."""
    if dice.random() < 0.2:
        return None
    return max(dice.randrange(2, 7), minutes // 20 // period.days + 1)


def _givers(
    category: Row, organizations: Sequence[Mapping[str, object]], ground: Ground
) -> list[Mapping[str, object]]:
    """Those who give things of this category."""
    places = {
        int(str(organization["id"])): [
            ground.categories[code] for code in cast("list[str]", organization["gives"])
        ]
        for organization in organizations
    }
    return [
        organization
        for organization in organizations
        if any(
            top["tree_low"] <= category["tree_low"] <= top["tree_high"]
            for top in places[int(str(organization["id"]))]
        )
    ]


def _status(verified: bool, dice: random.Random) -> OfferStatus:
    if not verified:
        return OfferStatus.DRAFT
    states = (OfferStatus.OPEN, OfferStatus.PAUSED, OfferStatus.CLOSED)
    return dice.choices(states, weights=(94, 4, 2))[0]
