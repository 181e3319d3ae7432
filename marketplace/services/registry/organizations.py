"""Organizations: registering those who want to help, and verifying them."""

from __future__ import annotations

from marketplace.domain.errors import Conflict, InvalidInput, NotFound
from marketplace.domain.registry.organizations import (
    OrganizationStatus,
    RegisterOrganization,
    check_organization,
    moved,
)
from marketplace.persistence import restrictions
from marketplace.persistence.database import Database
from marketplace.persistence.registry import organizations, regions
from marketplace.services.acting import Act, once, record


async def register(database: Database, act: Act, command: RegisterOrganization) -> int:
    """Write an organization down as an applicant; its key.

    Raises InvalidInput, Conflict where the external reference is taken.
    """
    async with once(database, act, "organizationRegister") as turn:
        if turn.replay is not None:
            return int(str(turn.replay["organization"]))
        check_organization(command)
        if await regions.by_id(turn.db, command.region_id) is None:
            raise InvalidInput.of(
                "region_id", "There is no such region.", "没有此区划。", code="NOT_FOUND"
            )
        reference = command.external_reference
        if reference is not None and await organizations.reference_taken(turn.db, reference):
            raise Conflict.of(
                "external_reference",
                "Another organization has this external reference.",
                "该外部编号已被其他单位使用。",
                code="ALREADY_REGISTERED",
            )
        applied = OrganizationStatus.APPLIED
        row = organizations.organization_row(command, applied, database.now())
        (organization_id,) = await organizations.add_many(turn.db, [row])
        told = {"organizationKind": command.kind, "status": applied}
        await record(
            turn, database, "organization.registered", "Organization", organization_id, **told
        )
        turn.outcome = {"organization": organization_id}
        return organization_id


async def verify(database: Database, act: Act, organization_id: int) -> int:
    """Let an organization's offers open; its key.

    Raises NotFound, Conflict from other states and (UNDER_RESTRICTION) while one stands.
    """
    async with once(database, act, "organizationVerify") as turn:
        if turn.replay is not None:
            return int(str(turn.replay["organization"]))
        row = await organizations.lock(turn.db, organization_id)
        if row is None:
            raise NotFound
        after = moved("organizationVerify", OrganizationStatus(row["status"]))
        if await restrictions.organization_is_under(turn.db, organization_id, now=database.now()):
            raise Conflict.of(
                "id",
                "The organization is under a restriction. It is verified again at its end.",
                "该单位处于限制期内，期满后自动恢复。",
                code="UNDER_RESTRICTION",
            )
        await organizations.set_status(turn.db, organization_id, after)
        told = {"from": row["status"], "to": after}
        await record(
            turn, database, "organization.verified", "Organization", organization_id, **told
        )
        turn.outcome = {"organization": organization_id}
        return organization_id
