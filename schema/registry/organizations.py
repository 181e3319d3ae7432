"""Organizations in the graph: providers of help; the public sees those that are verified."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
import strawberry

from marketplace.domain.moves import moves_from
from marketplace.domain.permissions import PROVIDERS, STAFF
from marketplace.domain.registry.organizations import MOVES, OrganizationKind, OrganizationStatus
from marketplace.persistence.tables.registry import organizations
from schema.context import Context
from schema.enums import described
from schema.readgraph.declare import (
    Ascending,
    Columns,
    Condition,
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

described(
    OrganizationKind,
    "What kind of provider.",
    {
        OrganizationKind.CHARITY: "慈善组织, a charity.",
        OrganizationKind.ENTERPRISE: "爱心企业, an enterprise.",
        OrganizationKind.VOLUNTEER_GROUP: "志愿服务队, a volunteer group.",
        OrganizationKind.SOCIAL_ORGANIZATION: "社会组织, a social organization.",
        OrganizationKind.FEDERATION: "慈善总会, the county's charity federation.",
    },
)
described(
    OrganizationStatus,
    "Whether its offers may be open.",
    {
        OrganizationStatus.APPLIED: "has applied; its offers wait as drafts.",
        OrganizationStatus.VERIFIED: "verified by the charity desk.",
        OrganizationStatus.SUSPENDED: "its offers are out of the market for now.",
        OrganizationStatus.REJECTED: "was refused.",
    },
)


def _visible(row: Columns, scope: Scope) -> Condition:
    if scope.is_one_of(STAFF):
        return sa.true()
    return sa.or_(row["status"] == OrganizationStatus.VERIFIED, row["id"] == scope.organization_id)


def _own_or_staff(row: Columns, scope: Scope) -> Condition:
    return sa.true() if scope.is_one_of(STAFF) else row["id"] == scope.organization_id


def _moves(context: Context, status: str) -> list[str]:
    return list(moves_from(MOVES, context.viewer, OrganizationStatus(status)))


@node(
    table=organizations,
    visible=_visible,
    order=(Ascending("name"),),
    description="A provider of help: a charity, an enterprise, a volunteer group.",
)
class Organization(Entity):
    reference: str = referenced("G")
    name: str = column("name", "Its name.", filter=True, order=True)
    kind: OrganizationKind = column("kind", "What it is.", filter=OrganizationKind, order=True)
    status: OrganizationStatus = column(
        "status", "Whether it is verified.", filter=OrganizationStatus, order=True
    )
    credit_code: str | None = column("credit_code", "统一社会信用代码.", roles=STAFF, filter=True)
    status_reason: str | None = column(
        "status_reason",
        "Why it was rejected or suspended; for itself and officers.",
        roles=STAFF | PROVIDERS,
        only=_own_or_staff,
    )
    external_reference: str | None = column(
        "external_reference", "The number it goes by elsewhere.", roles=STAFF, filter=True
    )
    created_at: datetime = column("created_at", "When it was entered.", filter=True, order=True)
    version: int = column("version", "Goes up with every change; for `expectedVersion`.")
    allowed_moves: list[str] = for_viewer(
        ("status",), _moves, "Mutations that the viewer may ask for now."
    )
    region: Edge = one("Region", "region_id", "Where it is seated.", filter=True)
    offers: Edge = many("Offer", "organization_id", "What it offers.")
    campaigns: Edge = many("Campaign", "organization_id", "Its campaigns.")
    agreements: Edge = many("Agreement", "organization_id", "Its agreements, for itself.")
    integrity_cases: Edge = many(
        "IntegrityCase", "organization_id", "Cases about it: for itself and the charity desk."
    )
    integrity_entries: Edge = many(
        "IntegrityEntry", "organization_id", "Its integrity file, the latest line first."
    )


@strawberry.type
class OrganizationQuery:
    organizations: Edge = root("Organization", "Organizations, by default by name.")
