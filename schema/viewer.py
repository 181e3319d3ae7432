"""The viewer: who the caller is, and what the caller may do."""

from __future__ import annotations

import sqlalchemy as sa
import strawberry

from marketplace.domain.ids import opaque_id
from marketplace.domain.permissions import MUTATIONS, Role
from marketplace.persistence.tables.house import accounts
from schema.context import Context
from schema.enums import described
from schema.payloads import Info

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
        return await _viewer(info.context)


async def _viewer(context: Context) -> Viewer:
    asking = context.viewer
    name = None
    if asking.account_id is not None:
        async with context.database.read() as db:
            name = await db.scalar(
                sa.select(accounts.c.name).where(accounts.c.id == asking.account_id)
            )
    return Viewer(
        role=asking.role,
        account_name=None if name is None else str(name),
        organization_id=_id("Organization", asking.organization_id),
        region_id=_id("Region", asking.region_id),
        allowed_mutations=sorted(m for m in MUTATIONS if asking.role in MUTATIONS[m]),
        language=context.language,
    )


def _id(kind: str, key: int | None) -> strawberry.ID | None:
    return None if key is None else strawberry.ID(opaque_id(kind, key))
