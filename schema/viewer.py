"""The viewer: who the caller is, and what the caller may do."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
import strawberry
from strawberry.types.nodes import SelectedField, Selection

from marketplace.domain.ids import opaque_id
from marketplace.domain.permissions import MUTATIONS, Role
from marketplace.persistence.tables.house import accounts
from schema.enums import described
from schema.payloads import Info
from schema.readgraph.read import read_one
from schema.registry.organizations import Organization
from schema.registry.regions import Region

ROLE_MEANINGS: dict[Role, str] = {
    Role.PUBLIC: "Anyone, without a key: sees the redacted market, open offers and statistics.",
    Role.APPLICANT: "A household member: sees and follows the own household.",
    Role.PROVIDER: "Staff of a charity, enterprise or volunteer group: the own organization's.",
    Role.FEDERATION: "The county charity federation: campaigns, pooled funds, deliveries.",
    Role.GRID_WORKER: "A grid worker: households of the own grid cell.",
    Role.SOCIAL_WORKER: "A professional social worker: own cases and their service plans.",
    Role.TOWNSHIP_OFFICER: "The township's civil affairs office: households of the township.",
    Role.ASSISTANCE_OFFICER: "The county bureau's assistance desk: aid, needs, referrals.",
    Role.CHARITY_OFFICER: "The county bureau's charity desk: review, offers, plans.",
    Role.AUDITOR: "Supervision: reads everything, with every read recorded, and writes nothing.",
    Role.ADMIN: "The operator: accounts, regions, categories, policies.",
}

described(
    Role,
    "What a caller is; together with organization and region it decides what is seen.",
    ROLE_MEANINGS,
)


@strawberry.type(description="The caller, as the API sees it.")
class Viewer:
    role: Role = strawberry.field(description="What the caller is.")
    account_name: str | None = strawberry.field(
        description="The name of the account behind the key; null without a key."
    )
    organization_id: strawberry.ID | None = strawberry.field(
        description="The organization that the caller acts for, if any."
    )
    region_id: strawberry.ID | None = strawberry.field(
        description="The region whose subtree bounds what the caller sees, if any."
    )
    organization: Organization | None = strawberry.field(
        description="The same organization, whole."
    )
    region: Region | None = strawberry.field(description="The same region, whole.")
    allowed_mutations: list[str] = strawberry.field(
        description="Mutations that the role may call at all; each entity's `allowedMoves` narrows."
    )
    language: str = strawberry.field(
        description="The language of messages, chosen by Accept-Language: en or zh-CN."
    )


@strawberry.type
class ViewerQuery:
    @strawberry.field(description="Who the caller is and what the caller may do.")
    async def viewer(self, info: Info) -> Viewer:
        asking = info.context.viewer
        return Viewer(
            role=asking.role,
            account_name=await _account_name(info),
            organization_id=_id("Organization", asking.organization_id),
            region_id=_id("Region", asking.region_id),
            organization=await _entity(info, "Organization", asking.organization_id),
            region=await _entity(info, "Region", asking.region_id),
            allowed_mutations=sorted(m for m in MUTATIONS if asking.role in MUTATIONS[m]),
            language=info.context.language,
        )


async def _account_name(info: Info) -> str | None:
    context = info.context
    if context.viewer.account_id is None or not _is_asked(info, "accountName"):
        return None
    name = sa.select(accounts.c.name).where(accounts.c.id == context.viewer.account_id)
    async with context.database.read() as db:
        return str(await db.scalar(name))


async def _entity(info: Info, kind: str, key: int | None) -> Any:
    field = kind.lower()
    if key is None or not _is_asked(info, field):
        return None
    return await read_one(info, kind, key, field=field)


def _is_asked(info: Info, field: str) -> bool:
    return any(_has(selected.selections, field) for selected in info.selected_fields)


def _has(selections: Iterable[Selection], field: str) -> bool:
    return any(
        each.name == field if isinstance(each, SelectedField) else _has(each.selections, field)
        for each in selections
    )


def _id(kind: str, key: int | None) -> strawberry.ID | None:
    return None if key is None else strawberry.ID(opaque_id(kind, key))
