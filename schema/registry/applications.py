"""Applications in the graph: for the officers of their region, and without any personal data."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
import strawberry

from marketplace.domain.permissions import SUPERVISION
from marketplace.domain.registry.applications import (
    LETTER,
    ApplicationChannel,
    ApplicationStatus,
    RejectReason,
    allowed_moves,
)
from marketplace.domain.registry.household_changes import Ground
from marketplace.domain.registry.households import MonitoringCategory
from marketplace.persistence.tables.applications import application_matches, applications
from schema.context import Context
from schema.enums import described
from schema.readgraph.declare import (
    Columns,
    Condition,
    Descending,
    Edge,
    Entity,
    Scope,
    column,
    for_viewer,
    many,
    node,
    one,
    root,
)
from schema.readgraph.references import referenced
from schema.registry.trees import OF_THE_REGION, within_reach

# Whoever uses the enum takes it from here, so that it is described before it is used.
__all__ = [
    "Application",
    "ApplicationMatch",
    "ApplicationQuery",
    "ApplicationStatus",
    "Ground",
    "RejectReason",
]

described(
    ApplicationStatus,
    "Where an application stands.",
    {
        ApplicationStatus.SUBMITTED: "waiting for the township office.",
        ApplicationStatus.REGISTERED: "made into a household, or found to be one.",
        ApplicationStatus.REJECTED: "ended with a reason.",
    },
)
described(
    ApplicationChannel,
    "How an application came.",
    {
        ApplicationChannel.PHONE: "电话, taken down by an officer on the phone.",
        ApplicationChannel.QR: "扫码, by the link of a printed code.",
        ApplicationChannel.WEB: "网页, by the web.",
        ApplicationChannel.ONSITE: "现场, taken down by an officer at the counter or at home.",
        ApplicationChannel.FILE: "核对文件, found by a cross-check.",
    },
)
described(
    RejectReason,
    "Why an application comes to nothing.",
    {
        RejectReason.DUPLICATE: "重复申请, it was made before.",
        RejectReason.OUTSIDE_AREA: "不在辖区, the household lives elsewhere.",
        RejectReason.NOT_REACHED: "无法联系, nobody could be reached.",
        RejectReason.WITHDRAWN: "申请人撤回, the applicant does not want it any more.",
        RejectReason.NO_HARDSHIP: "不属困难情形, nothing that assistance is for.",
        RejectReason.OTHER: "其他, as the words beside it say.",
    },
)
described(
    Ground,
    "What makes two entries look like the same household.",
    {
        Ground.MEMBER: "身份证号相同, somebody has the same identity number.",
        Ground.PHONE: "电话相同, they have the same phone.",
        Ground.NAME: "同村同名, heads (or an applicant) of one region share a name.",
    },
)


def visible(row: Columns, scope: Scope) -> Condition:
    """Officers of the region where the household says it lives; whoever applied asks by code."""
    if scope.is_one_of(OF_THE_REGION | SUPERVISION):
        return within_reach(scope, row["region_id"])
    return sa.false()


def _moves(context: Context, status: str) -> list[str]:
    return list(allowed_moves(context.viewer, status=ApplicationStatus(status)))


@node(
    table=applications,
    visible=visible,
    order=(Descending("createdAt"),),
    description="A household in hardship that came forward, without anything that names it.",
)
class Application(Entity):
    reference: str = referenced(LETTER)
    status: ApplicationStatus = column("status", "Where it stands.", filter=ApplicationStatus)
    channel: ApplicationChannel = column("channel", "How it came.", filter=ApplicationChannel)
    monitoring_category: MonitoringCategory | None = column(
        "monitoring_category", "What a cross-check found; null for what came otherwise."
    )
    reject_reason: RejectReason | None = column("reject_reason", "Why it was rejected.")
    made_household: bool | None = column(
        "made_household", "Whether its household was made of it; false: it was there before."
    )
    created_at: datetime = column("created_at", "When it came.", filter=True, order=True)
    handled_at: datetime | None = column("handled_at", "When it was registered or rejected.")
    version: int = column("version", "Goes up with every change; for `expectedVersion`.")
    allowed_moves: list[str] = for_viewer(
        ("status",), _moves, "Mutations that the viewer may ask for now."
    )
    region: Edge = one("Region", "region_id", "Where the household says it lives.", filter=True)
    household: Edge = one("Household", "household_id", "What it became.")
    duplicates: Edge = many(
        "ApplicationMatch",
        "application_id",
        "What it may be the same as; look first.",
    )


def _match_visible(row: Columns, scope: Scope) -> Condition:
    owner = applications.alias()
    region = sa.select(owner.c.region_id).where(owner.c.id == row["application_id"])
    return visible({"region_id": region.scalar_subquery()}, scope)


@node(
    table=application_matches,
    visible=_match_visible,
    order=(Descending("foundAt"),),
    description="An entry that an application may be the same as; nothing is merged by itself.",
)
class ApplicationMatch(Entity):
    ground: Ground = column("ground", "What they have in common.")
    found_at: datetime = column("found_at", "When it was found.")
    application: Edge = one("Application", "application_id", "The application.")
    household: Edge = one(
        "Household",
        "household_id",
        "The household; null where it is another application, or out of your reach.",
    )
    other: Edge = one(
        "Application",
        "other_id",
        "The other application; null where it is a household, or out of your reach.",
    )


@strawberry.type
class ApplicationQuery:
    applications: Edge = root("Application", "Applications that the viewer may see, newest first.")
