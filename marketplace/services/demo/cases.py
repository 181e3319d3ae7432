"""The cases of the demo's families: assessed, aided, with consent or without, and their needs."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from marketplace.domain.exchange.government_aid import (
    AidGranted,
    Counted,
    DecideAid,
    GovernmentAidKind,
    covered_by_government,
)
from marketplace.domain.exchange.needs import NeedStatus
from marketplace.domain.registry.assessments import (
    Assessed,
    EligibilityClass,
    area_of,
    assess,
)
from marketplace.persistence.crypto import new_seal_id
from marketplace.persistence.database import Row
from marketplace.services.demo.families import Home
from marketplace.services.demo.ground import COUNTY, Ground
from marketplace.services.demo.size import DemoSize
from marketplace.services.demo.wants import Want, wanted
from marketplace.services.registry.lines import lines_of

ConsentState = Literal["GIVEN", "WITHDRAWN", "NONE"]

# What becomes of a need of a household whose consent stands, in percent.
FATES = {
    NeedStatus.PUBLISHED: 80,
    NeedStatus.DRAFT: 6,
    NeedStatus.REFERRED: 6,
    NeedStatus.RETURNED: 4,
    NeedStatus.REJECTED: 2,
    NeedStatus.WITHDRAWN: 2,
}
AID_KINDS = {
    "critical_illness_relief": GovernmentAidKind.MEDICAL,
    "rehabilitation_relief": GovernmentAidKind.MEDICAL,
    "chronic_medicine": GovernmentAidKind.MEDICAL,
    "tuition_aid": GovernmentAidKind.EDUCATION,
    "university_entry_aid": GovernmentAidKind.EDUCATION,
    "housing_relief": GovernmentAidKind.HOUSING,
    "disaster_relief": GovernmentAidKind.DISASTER,
}
REGULAR = {
    EligibilityClass.SUBSISTENCE_ALLOWANCE: GovernmentAidKind.SUBSISTENCE_ALLOWANCE,
    EligibilityClass.EXTREME_POVERTY: GovernmentAidKind.EXTREME_POVERTY_SUPPORT,
}


@dataclass(slots=True, kw_only=True)
class Case:
    """One family's: its place in the list of homes stands for its key until that is known."""

    home: Home
    assessed: Assessed
    since: datetime
    consent: ConsentState
    wants: list[tuple[Want, int]]
    aids: list[tuple[GovernmentAidKind, str | None, int, int]] = field(default_factory=list)


def cases(homes: Sequence[Home], ground: Ground, dice: random.Random) -> list[Case]:
    """Every family's assessment, aid and consent, and what it is short of."""
    codes = {place.region_id: place.code for place in ground.places}
    return [_case(home, codes[home.household.region_id], ground, dice) for home in homes]


def _case(home: Home, code: str, ground: Ground, dice: random.Random) -> Case:
    lines = lines_of(COUNTY, area_of(code), ground.now.date())
    result = assess(home.found, lines)
    count = dice.choices((1, 2, 3), weights=(50, 34, 16))[0]
    states: tuple[ConsentState, ...] = ("GIVEN", "WITHDRAWN", "NONE")
    case = Case(
        home=home,
        assessed=result,
        since=ground.now - timedelta(days=dice.uniform(160, 400)),
        consent=dice.choices(states, weights=(90, 3, 7))[0],
        wants=wanted(home.kind, home.household.heads, count, dice),
    )
    case.aids.extend(_aids(case, lines.subsistence_fen_month, ground.categories, dice))
    if not case.aids:  # government looks at everyone first, and some it gives nothing
        case.aids.append((GovernmentAidKind.TEMPORARY_ASSISTANCE, None, 0, 0))
    return case


def _aids(
    case: Case, line_fen: int, categories: Mapping[str, Row], dice: random.Random
) -> Iterator[tuple[GovernmentAidKind, str | None, int, int]]:
    """Kind, category that it covers, units of it, and fen: what government gives first."""
    eligible, found = case.assessed.eligibility_class, case.home.found
    if eligible in REGULAR:
        gap = max(5_000, line_fen * found.member_count - found.income_fen_month)
        yield REGULAR[eligible], None, 0, gap
    elif eligible is EligibilityClass.NONE and dice.random() < 0.5:
        yield GovernmentAidKind.TEMPORARY_ASSISTANCE, None, 0, 0  # asked, and not entitled
    for want, quantity in case.wants:
        if dice.random() >= 0.14:
            continue
        share = 1.0 if dice.random() < 0.2 else dice.uniform(0.2, 0.6)
        units = max(1, int(quantity * share) // want.step * want.step)
        price = categories[want.category]["reference_price_fen"]
        kind = AID_KINDS.get(want.category, GovernmentAidKind.TEMPORARY_ASSISTANCE)
        yield kind, want.category, units, units * price


def aid_commands(case: Case, household_id: int, ground: Ground) -> list[DecideAid]:
    """The decisions on one household, as the assistance desk records them."""
    starts_on = case.since.date()
    return [
        DecideAid(
            household_id=household_id,
            kind=kind,
            amount_fen=amount,
            starts_on=starts_on,
            granted=amount > 0,
            covers_category_id=ground.categories[category]["id"] if category else None,
            covers_quantity=units,
            reason=None if amount else "经核对，不符合救助条件",
        )
        for kind, category, units, amount in case.aids
    ]


def consent_row(
    case: Case, number: int, household_id: int, recorded_by: int, now: datetime
) -> dict[str, object] | None:
    """The household's consent, given after it was registered; None where it gave none."""
    if case.consent == "NONE":
        return None
    given_at = case.since + timedelta(days=1)
    ended = case.consent == "WITHDRAWN"
    return {
        "household_id": household_id,
        "status": case.consent,
        "purpose": "CHARITABLE_ASSISTANCE",
        "recipient_class": "VERIFIED_PROVIDERS",
        "text_version": "2025-01",
        "how_given": "SIGNED" if number % 4 else "VERBAL_WITNESSED",
        "evidence_reference": f"金溪授权-{number:05d}",
        "recorded_by": recorded_by,
        "given_at": given_at,
        "expires_at": None,
        "ended_at": now - timedelta(days=3) if ended else None,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedDraft:
    """A need before it has keys; `case` is the place in the list of cases."""

    case: int
    want: Want
    asked: int
    by_government: int
    status: NeedStatus
    was_published: bool
    created_at: datetime
    deadline: datetime | None

    @property
    def quantity(self) -> int:
        return self.asked - self.by_government

    def row(
        self,
        case: Case,
        household_id: int,
        region_id: int,
        created_by: int,
        category_id: int,
        number: int,
    ) -> dict[str, object]:
        return {
            "household_id": household_id,
            "category_id": category_id,
            "region_id": region_id,
            "status": self.status,
            "quantity_asked": self.asked,
            "quantity_by_government": self.by_government,
            "quantity": self.quantity,
            "quantity_min": self.quantity if self.want.whole else 1,
            "severity": case.assessed.severity,
            "visit_minutes": self.want.minutes,
            "every_days": self.want.every_days,
            "deadline": self.deadline,
            "seal_id": new_seal_id(),
            "external_reference": f"DEMO-N{number:05d}",
            "created_by": created_by,
            "created_at": self.created_at,
        }


def need_drafts(
    all_cases: Sequence[Case], size: DemoSize, ground: Ground, dice: random.Random
) -> list[NeedDraft]:
    """What government leaves open, over all families, at most as many as asked for."""
    drafts = [
        draft
        for place, case in enumerate(all_cases)
        for draft in _of_case(place, case, ground, dice)
    ]
    return drafts[: size.needs]


def _of_case(place: int, case: Case, ground: Ground, dice: random.Random) -> Iterator[NeedDraft]:
    aids = [_granted(aid, case, ground) for aid in case.aids if aid[1] is not None]
    counted: list[Counted] = []
    for want, asked in case.wants:
        row = ground.categories[want.category]
        low, high = row["tree_low"], row["tree_high"]
        covered = covered_by_government(
            asked,
            category_low=low,
            category_high=high,
            aids=aids,
            on=ground.now.date(),
            counted=counted,
        )
        if covered == asked:
            continue
        counted.append(Counted(low, high, covered, ground.now.date()))
        status = _fate(case.consent, dice)
        recent = status in (NeedStatus.DRAFT, NeedStatus.REFERRED)
        age_days = dice.uniform(6, 15) if recent else dice.uniform(24, 150)
        yield NeedDraft(
            case=place,
            want=want,
            asked=asked,
            by_government=covered,
            status=status,
            was_published=status is NeedStatus.PUBLISHED
            or (case.consent == "WITHDRAWN" and dice.random() < 0.7),
            created_at=ground.now - timedelta(days=age_days),
            deadline=ground.now + timedelta(days=dice.randrange(20, 200) + want.days_of(asked))
            if dice.random() < 0.7
            else None,
        )


def _fate(consent: ConsentState, dice: random.Random) -> NeedStatus:
    if consent == "WITHDRAWN":
        return NeedStatus.WITHDRAWN
    if consent == "NONE":
        return NeedStatus.DRAFT
    return dice.choices(list(FATES), weights=list(FATES.values()))[0]


def _granted(
    aid: tuple[GovernmentAidKind, str | None, int, int], case: Case, ground: Ground
) -> AidGranted:
    row = ground.categories[aid[1] or ""]
    return AidGranted(
        category_low=row["tree_low"],
        category_high=row["tree_high"],
        covers_quantity=aid[2],
        starts_on=case.since.date(),
    )
