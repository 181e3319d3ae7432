"""Joining: organizations apply, are verified under an agreement, suspended and resumed."""

from __future__ import annotations

from dataclasses import dataclass

from marketplace.domain.checks import text
from marketplace.domain.days import county_day
from marketplace.domain.errors import Conflict, InvalidInput, NotFound
from marketplace.domain.ids import reference
from marketplace.domain.moves import check_version
from marketplace.domain.permissions import Role, require
from marketplace.domain.registry.applications import TriesOf
from marketplace.domain.registry.households import plain_phone
from marketplace.domain.registry.organizations import (
    NOUN,
    REASON_LENGTH_MAX,
    ApplyOrganization,
    OrganizationStatus,
    RegisterOrganization,
    check_application,
    moved,
    plain_code,
)
from marketplace.persistence import restrictions
from marketplace.persistence.crypto import Sealer, new_seal_id
from marketplace.persistence.database import Database, Row
from marketplace.persistence.registry import agreements, organizations, regions
from marketplace.services.acting import Act, Turn, once, record
from marketplace.services.registry.applications import spend

OFFICERS = frozenset({Role.CHARITY_OFFICER, Role.ADMIN})
EVENTS = {
    "organizationVerify": "organization.verified",
    "organizationReject": "organization.rejected",
    "organizationSuspend": "organization.suspended",
    "organizationResume": "organization.resumed",
}
NEEDS_REASON = frozenset({"organizationReject", "organizationSuspend"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    organization_id: int
    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveOrganization:
    """reason: kept with the organization; needed to reject and to suspend."""

    organization_id: int
    reason: str = ""
    expected_version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """Whom to call."""

    name: str
    phone: str


async def apply(
    database: Database, act: Act, sealer: Sealer, command: ApplyOrganization, *, address: str
) -> Applied:
    """Write an organization down as it applies; its offers wait until it is verified.

    address   where the caller's packets come from: whoever is no officer may try so often only
    Raises RateLimited, InvalidInput, Conflict where its credit code is here already.
    """
    require(act.viewer, "organizationApply")
    is_officer = act.viewer.is_one_of(OFFICERS)
    if not is_officer:
        await spend(database, sealer, TriesOf.ORGANIZATION_ADDRESS, address)
    check_application(command)
    if not is_officer:
        phone = plain_phone(command.contact_phone)
        await spend(database, sealer, TriesOf.ORGANIZATION_PHONE, phone)
    async with once(database, act, "organizationApply") as turn:
        if turn.replay is not None:
            return _applied(int(str(turn.replay["organization"])), database)
        organization_id = await _written(turn, database, sealer, command, is_officer)
        told = {"organizationKind": command.kind, "status": OrganizationStatus.APPLIED}
        await record(
            turn, database, "organization.applied", "Organization", organization_id, **told
        )
        turn.outcome = {"organization": organization_id}
        return _applied(organization_id, database)


async def move(database: Database, act: Act, name: str, command: MoveOrganization) -> int:
    """Verify, reject, suspend or resume (`name` is the mutation); the organization's key.

    To be verified or resumed it needs an agreement that is in force (NO_AGREEMENT), and no
    restriction (UNDER_RESTRICTION). While it is suspended all its offers are out of the market;
    what is reserved stays reserved. Raises NotFound, Conflict, InvalidInput.
    """
    async with once(database, act, name) as turn:
        if turn.replay is not None:
            return int(str(turn.replay["organization"]))
        row = await _locked(turn, command)
        after = moved(name, OrganizationStatus(row["status"]))
        reason = _reason(name, command.reason)
        if after is OrganizationStatus.VERIFIED:
            await _may_offer(turn, database, row["id"])
        values = {"status": after, "status_reason": reason}
        await agreements.change_organization(turn.db, row["id"], values)
        decided = {"decided_by": act.viewer.account_id, "decided_at": database.now()}
        await agreements.decide_application(turn.db, row["id"], decided)
        told = {"from": row["status"], "to": after}
        await record(turn, database, EVENTS[name], "Organization", row["id"], **told)
        turn.outcome = {"organization": row["id"]}
        return command.organization_id


async def contact(
    database: Database, act: Act, sealer: Sealer, organization_id: int, purpose: str
) -> Contact:
    """Whom to call at an organization; that it was read, and what for, is recorded."""
    async with once(database, act, "organizationContact") as turn:
        if faults := list(text("purpose", purpose.strip(), 4, REASON_LENGTH_MAX)):
            raise InvalidInput(*faults)
        row = await agreements.application(turn.db, organization_id)
        if row is None:
            raise NotFound
        await record(
            turn,
            database,
            "organization.contact_read",
            "Organization",
            organization_id,
            purpose=purpose.strip(),
        )
        seal_id = row["seal_id"]
        return Contact(
            name=sealer.open(row["contact_name_sealed"], place=agreements.NAME, seal_id=seal_id),
            phone=sealer.open(row["contact_phone_sealed"], place=agreements.PHONE, seal_id=seal_id),
        )


async def _written(
    turn: Turn, database: Database, sealer: Sealer, command: ApplyOrganization, is_officer: bool
) -> int:
    if await regions.by_id(turn.db, command.region_id) is None:
        raise InvalidInput.of(
            "region_id", "There is no such region.", "没有此区划。", code="NOT_FOUND"
        )
    code = None if command.credit_code is None else plain_code(command.credit_code)
    if code is not None and await agreements.code_taken(turn.db, code):
        raise Conflict.of(
            "credit_code",
            "An organization with this code is here already.",
            "该统一社会信用代码的单位已登记。",
            code="ALREADY_REGISTERED",
        )
    plain = RegisterOrganization(
        kind=command.kind, name=command.name.strip(), region_id=command.region_id
    )
    row = organizations.organization_row(plain, OrganizationStatus.APPLIED, database.now())
    (organization_id,) = await organizations.add_many(turn.db, [row | {"credit_code": code}])
    seal_id = new_seal_id()
    sealed = {
        "contact_name_sealed": sealer.seal(
            command.contact_name.strip(), place=agreements.NAME, seal_id=seal_id
        ),
        "contact_phone_sealed": sealer.seal(
            command.contact_phone.strip(), place=agreements.PHONE, seal_id=seal_id
        ),
    }
    values = {
        "organization_id": organization_id,
        "description": command.description.strip(),
        "seal_id": seal_id,
        "submitted_by": turn.act.viewer.account_id if is_officer else None,
        "submitted_at": database.now(),
    }
    await agreements.add_application(turn.db, values | sealed)
    return organization_id


async def _locked(turn: Turn, command: MoveOrganization) -> Row:
    row = await organizations.lock(turn.db, command.organization_id)
    if row is None:
        raise NotFound
    check_version(NOUN, command.expected_version, row["version"])
    return row


async def _may_offer(turn: Turn, database: Database, organization_id: int) -> None:
    today = county_day(database.now())
    if await agreements.in_force(turn.db, organization_id, today=today) is None:
        raise Conflict.of(
            "id",
            "It has no agreement that is in force. Sign one with agreementSign first.",
            "该单位没有生效的合作协议，请先用 agreementSign 签订。",
            code="NO_AGREEMENT",
        )
    if await restrictions.organization_is_under(turn.db, organization_id, now=database.now()):
        raise Conflict.of(
            "id",
            "The organization is under a restriction. It is verified again at its end.",
            "该单位处于限制期内，期满后自动恢复。",
            code="UNDER_RESTRICTION",
        )


def _reason(name: str, reason: str) -> str | None:
    said = reason.strip()
    least = 4 if name in NEEDS_REASON else 0
    if faults := list(text("reason", said, least, REASON_LENGTH_MAX)):
        raise InvalidInput(*faults)
    return said or None


def _applied(organization_id: int, database: Database) -> Applied:
    return Applied(
        organization_id=organization_id,
        reference=reference("G", database.now().year, organization_id),
    )
