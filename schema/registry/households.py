"""Households in the graph: restricted by role and region, and without any personal data."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
import strawberry

from marketplace.domain.permissions import STAFF, Role
from marketplace.domain.registry.assessments import EligibilityClass
from marketplace.domain.registry.households import (
    HouseholdStatus,
    MonitoringCategory,
    TargetGroup,
    groups_of,
)
from marketplace.persistence.tables.exchange import needs
from marketplace.persistence.tables.registry import households
from schema.enums import described
from schema.readgraph.declare import (
    Columns,
    Condition,
    Descending,
    Edge,
    Entity,
    Has,
    Scope,
    column,
    computed,
    for_viewer,
    many,
    node,
    one,
    root,
)
from schema.readgraph.references import referenced
from schema.registry.consent import in_force
from schema.registry.received import (
    SPAN,
    Received,
    aid_cell,
    charity_cell,
    received_in,
    received_since,
)
from schema.registry.standing import day_of, due, of_latest, standing_class
from schema.registry.trees import in_region_of, of_household

# Whoever uses the enum takes it from here, so that it is described before it is used.
__all__ = [
    "EligibilityClass",
    "Household",
    "HouseholdQuery",
    "HouseholdStatus",
    "MonitoringCategory",
    "TargetGroup",
    "groups_in",
]

# Who learns what a household was assessed as; a grid worker sees the household, not its class.
MAY_SEE_ASSESSMENT = frozenset(
    {
        Role.APPLICANT,
        Role.SOCIAL_WORKER,
        Role.TOWNSHIP_OFFICER,
        Role.ASSISTANCE_OFFICER,
        Role.AUDITOR,
    }
)

described(
    TargetGroup,
    "Groups of people that help may be meant for.",
    {
        TargetGroup.ELDERLY_ALONE: "独居老人, elderly people who live alone.",
        TargetGroup.ELDERLY_LEFT_BEHIND: "留守老人, elderly people whose children work elsewhere.",
        TargetGroup.CHILD_LEFT_BEHIND: "留守儿童, children whose parents work elsewhere.",
        TargetGroup.CHILD_WITHOUT_SUPPORT: "困境儿童, children whom nobody supports.",
        TargetGroup.STUDENT: "困难学生, students.",
        TargetGroup.DISABLED: "残疾人, people with a disability.",
        TargetGroup.SEVERELY_ILL: "重病患者, the severely ill.",
        TargetGroup.SINGLE_PARENT: "单亲家庭, single parents.",
        TargetGroup.DISASTER_AFFECTED: "受灾群众, those hit by a disaster.",
        TargetGroup.UNEMPLOYED: "失业人员, the unemployed.",
    },
)
described(
    MonitoringCategory,
    "三类对象: watched against a return to poverty.",
    {
        MonitoringCategory.UNSTABLY_OUT_OF_POVERTY: "脱贫不稳定户, out of poverty, not firmly.",
        MonitoringCategory.MARGINAL: "边缘易致贫户, at risk of poverty.",
        MonitoringCategory.SUDDEN_SEVERE_HARDSHIP: "突发严重困难户, in sudden severe hardship.",
    },
)
described(
    HouseholdStatus,
    "Whether a household is one still.",
    {
        HouseholdStatus.ACTIVE: "it is.",
        HouseholdStatus.MERGED: "it lives on in another one.",
        HouseholdStatus.CLOSED: "nobody of it is left.",
    },
)
described(
    EligibilityClass,
    "救助类别: which lane of government assistance a household may take.",
    {
        EligibilityClass.SUBSISTENCE_ALLOWANCE: "低保, subsistence allowance.",
        EligibilityClass.EXTREME_POVERTY: "特困, extreme poverty.",
        EligibilityClass.LOW_INCOME_EDGE: "低保边缘, just above the allowance.",
        EligibilityClass.RIGID_EXPENDITURE: "刚性支出困难, poor by unavoidable expenditure.",
        EligibilityClass.NONE: "None of them.",
    },
)


def groups_in(mask: int) -> list[str]:
    """The groups in a mask, by name."""
    return [group.value for group in groups_of(mask)]


def _visible(row: Columns, scope: Scope) -> Condition:
    if scope.role is Role.CHARITY_OFFICER:
        referred = sa.select(needs.c.id).where(
            needs.c.household_id == row["id"], needs.c.referral_id.is_not(None)
        )
        return sa.and_(
            in_region_of(scope, row["region_id"]), referred.exists(), in_force(row["id"], scope)
        )
    return of_household(scope, row["id"], row["region_id"])


def _latest(name: str) -> Any:
    return of_latest(lambda row: row[name])


def _as_it_is(value: object) -> object:
    return value


@node(
    table=households,
    visible=_visible,
    order=(Descending("createdAt"),),
    description="The unit of assistance, without anything that names its people.",
)
class Household(Entity):
    reference: str = referenced("H")
    status: HouseholdStatus = column("status", "Whether it is one still.", filter=HouseholdStatus)
    member_count: int = column(
        "member_count",
        "How many people; of a household that has ended, how many at last.",
        filter=True,
        order=True,
    )
    target_groups: list[TargetGroup] = computed(
        ("target_groups",), groups_in, "Groups it belongs to.", filter=Has(TargetGroup)
    )
    monitoring_category: MonitoringCategory | None = column(
        "monitoring_category", "Whether and how it is watched.", filter=MonitoringCategory
    )
    eligibility_class: EligibilityClass | None = computed(
        (of_latest(standing_class),),
        _as_it_is,
        "What stands by the latest assessment, NONE where that has run out; null without one, or "
        "where your role may not see it.",
        roles=MAY_SEE_ASSESSMENT,
    )
    severity: int | None = computed(
        (_latest("severity"),),
        _as_it_is,
        "1 to 100, by the latest assessment; null without one, or for roles that may not see it.",
        roles=MAY_SEE_ASSESSMENT,
    )
    assessed_at: datetime | None = computed(
        (_latest("assessed_at"),),
        _as_it_is,
        "When it was last assessed; null if never, or for roles that may not see it.",
        roles=MAY_SEE_ASSESSMENT,
    )
    reassessment_due_on: date | None = computed(
        (of_latest(due),),
        day_of,
        "When it is to be assessed again; null: not by itself, or for roles that may not see it.",
        roles=MAY_SEE_ASSESSMENT,
    )
    external_reference: str | None = column(
        "external_reference", "The number it goes by elsewhere.", roles=STAFF, filter=True
    )
    created_at: datetime = column("created_at", "When it was entered.", filter=True, order=True)
    version: int = column("version", "Goes up with every change; for `expectedVersion`.")
    received: Received | None = for_viewer(
        (aid_cell, charity_cell),
        received_in,
        "What it received from government and charity up to today; null for roles that may not "
        "see it.",
        roles=MAY_SEE_ASSESSMENT,
        arguments=SPAN,
    )
    received_since_last_assessment: Received | None = for_viewer(
        (aid_cell, charity_cell, _latest("assessed_at")),
        received_since,
        "What came after its latest assessment, which the next one starts from; all of it where "
        "there was none.",
        roles=MAY_SEE_ASSESSMENT,
    )
    ended_at: datetime | None = column("ended_at", "When it was merged or closed.")
    region: Edge = one("Region", "region_id", "Village or grid cell.", filter=True)
    merged_into: Edge = one("Household", "merged_into", "The one that it lives on in.")
    absorbed: Edge = many("Household", "merged_into", "Entries that were merged into it.")
    possible_duplicates: Edge = many(
        "PossibleDuplicate", "household_id", "Others that may be the same; look before you merge."
    )
    moves: Edge = many("HouseholdMove", "household_id", "Where it lived before.")
    splits: Edge = many("HouseholdSplit", "household_id", "Households that came of it.")
    member_events: Edge = many("MemberEvent", "household_id", "Who came and who left.")
    tellings: Edge = many("HouseholdTelling", "household_id", "When it was told what it may get.")
    applications: Edge = many("Application", "household_id", "How it came forward.")
    needs: Edge = many("Need", "household_id", "What it needs.")
    assessments: Edge = many(
        "Assessment",
        "household_id",
        "What it was assessed as, the latest first.",
        roles=MAY_SEE_ASSESSMENT,
    )
    appeals: Edge = many(
        "Appeal", "household_id", "Its objections to that.", roles=MAY_SEE_ASSESSMENT
    )
    government_aids: Edge = many(
        "GovernmentAid",
        "household_id",
        "What government decided on it, the latest first.",
        roles=MAY_SEE_ASSESSMENT,
    )
    consents: Edge = many(
        "Consent", "household_id", "What it agreed to, and whether it still does."
    )
    visits: Edge = many("Visit", "household_id", "Visits to it.")
    monitoring_checks: Edge = many(
        "MonitoringCheck", "household_id", "When it was checked, and what was found."
    )
    integrity_cases: Edge = many(
        "IntegrityCase", "household_id", "Cases of integrity about it that the viewer may know of."
    )
    integrity_entries: Edge = many(
        "IntegrityEntry", "household_id", "Its integrity file, the latest line first."
    )


@strawberry.type
class HouseholdQuery:
    households: Edge = root("Household", "Households that the viewer may see, newest first.")
