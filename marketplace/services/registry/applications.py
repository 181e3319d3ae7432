"""Applications: taken in from anyone, and registered or rejected by who is in charge."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TypeGuard

from marketplace.domain.checks import fault
from marketplace.domain.errors import (
    Conflict,
    DomainError,
    Fault,
    IdempotencyKeyReused,
    InvalidInput,
    NotFound,
    RateLimited,
    Text,
)
from marketplace.domain.ids import reference
from marketplace.domain.moves import check_move, check_version
from marketplace.domain.permissions import OFFICERS, Viewer, require
from marketplace.domain.registry.applications import (
    LETTER,
    LIMITS,
    MOVES,
    NOUN,
    ApplicationStatus,
    RejectReason,
    SubmitApplication,
    TriesOf,
    check_application,
    check_rejection,
)
from marketplace.domain.registry.households import (
    HouseholdStatus,
    NewMember,
    RegisterHousehold,
    Relation,
    plain_phone,
)
from marketplace.domain.registry.regions import RegionLevel
from marketplace.domain.states import in_chinese
from marketplace.persistence.crypto import Sealer
from marketplace.persistence.database import Database, Row
from marketplace.persistence.registry import applications, duplicates, households, regions
from marketplace.services import messages
from marketplace.services.acting import KEY_LENGTH_MAX, Act, Turn, once, record
from marketplace.services.registry.households import HOME_LEVELS, enter, not_ones_own, within
from marketplace.services.registry.lookups import region_of_code

APPLY_LEVELS = HOME_LEVELS | {RegionLevel.TOWNSHIP}
CODE_LENGTH_MAX = 40
NO_REGION = fault(
    "region_id",
    "REQUIRED",
    "Say where the household lives: by region or by the code of a link.",
    "请说明家庭所在区划或扫码链接中的代码。",
)
TOO_WIDE = fault(
    "region_id",
    "INVALID",
    "Choose the township, village or community where the household lives.",
    "请选择家庭所在的乡镇、村（社区）或网格。",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterApplication:
    """Make a household of an application, or say which one it is.

    household_id   it is there already
    household      as the officer writes it down; with neither, it is made of what was submitted
    region_id      then: where it lives, where the application names a township only
    """

    application_id: int
    household_id: int | None = None
    household: RegisterHousehold | None = None
    region_id: int | None = None
    expected_version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectApplication:
    application_id: int
    why: RejectReason
    reason: str
    expected_version: int | None = None


async def submit(
    database: Database, act: Act, sealer: Sealer, command: SubmitApplication, *, address: str
) -> str:
    """Take an application in; the reference by which it is followed.

    address   where the caller's packets come from: whoever is no officer may try so often only
    Raises RateLimited, InvalidInput, IdempotencyKeyReused, NotFound for an unknown region.
    """
    require(act.viewer, "applicationSubmit")
    is_officer = act.viewer.is_one_of(OFFICERS)
    if not is_officer:
        await spend(database, sealer, TriesOf.SUBMIT_ADDRESS, address)
    command, region = await _with_region(database, act.viewer, command)
    check_application(command, act.viewer, today=database.now().date(), region=region)
    client = None if act.viewer.account_id is not None else _client_key(act, sealer, command)
    if client is not None and (before := await _replayed(database, client)):
        return before
    if not is_officer:
        await spend(database, sealer, TriesOf.SUBMIT_PHONE, plain_phone(command.phone))
    async with once(database, act, "applicationSubmit") as turn:
        if turn.replay is not None:
            return str(turn.replay["reference"])
        await _check_region(turn, command.region_id)
        values = applications.row(sealer, command, database.now()) | {
            "submitted_by": act.viewer.account_id if is_officer else None,
            **(client or {}),
        }
        application_id = await applications.add(turn.db, values)
        if application_id is None:
            assert client is not None, "only a client's key meets another"
            return _same(await applications.by_client_key(turn.db, client["key_index"]), client)
        await duplicates.note_applications(turn.db, [application_id], database.now())
        told = {"channel": command.channel, "region": command.region_id}
        await record(turn, database, "application.submitted", "Application", application_id, **told)
        made = reference(LETTER, database.now().year, application_id)
        turn.outcome = {"reference": made}
        return made


async def register(
    database: Database, act: Act, sealer: Sealer, command: RegisterApplication
) -> int:
    """Make a household of an application, or find it; the application's key.

    Raises NotFound outside the viewer's scope, Conflict where it was handled already, where a
    member belongs to a household (ALREADY_REGISTERED), or for one's own household, InvalidInput.
    """
    async with once(database, act, "applicationRegister") as turn:
        if turn.replay is not None:
            return int(str(turn.replay["application"]))
        row = await _locked(turn, "applicationRegister", command.application_id, command)
        if command.household_id is None:
            household_id = await _made(turn, database, sealer, command, row)
        else:
            household_id = await _found(turn, command.household_id)
        made = command.household_id is None
        values = {
            "status": ApplicationStatus.REGISTERED,
            "household_id": household_id,
            "made_household": made,
        }
        await _handled(turn, database, row, values)
        told = {"household": household_id, "made": made}
        await record(turn, database, "application.registered", "Application", row["id"], **told)
        text = Text(
            "Your application was accepted. A worker will visit you.",
            "您的申请已受理登记，工作人员将与您联系并入户核实。",
        )
        await _tell(turn, database, sealer, row, text, "application.registered")
        return command.application_id


async def reject(database: Database, act: Act, sealer: Sealer, command: RejectApplication) -> int:
    """End an application with a reason that its applicant is told; its key."""
    async with once(database, act, "applicationReject") as turn:
        if turn.replay is not None:
            return int(str(turn.replay["application"]))
        row = await _locked(turn, "applicationReject", command.application_id, command)
        check_rejection(command.why, command.reason)
        sealed = sealer.seal(
            command.reason.strip(), place=applications.REASON, seal_id=row["seal_id"]
        )
        values: dict[str, object] = {"reject_reason": command.why, "reason_sealed": sealed}
        await _handled(turn, database, row, values | {"status": ApplicationStatus.REJECTED})
        await record(
            turn, database, "application.rejected", "Application", row["id"], why=command.why
        )
        text = Text(
            "Your application could not be accepted. Ask by its reference why, or call your "
            "township office.",
            "您的申请未予受理，可凭申请编号查询原因，或咨询乡镇民政所。",
        )
        await _tell(turn, database, sealer, row, text, "application.rejected")
        return command.application_id


async def spend(database: Database, sealer: Sealer, kind: TriesOf, subject: str) -> None:
    """Count a try of whoever has no account, in a transaction of its own. Raises RateLimited."""
    digest = sealer.blind_index(subject, place=f"application_tries.{kind}")
    async with database.write() as db:
        wait_s = await applications.try_once(db, kind, digest, database.now())
    if wait_s:
        raise RateLimited(math.ceil(wait_s))


async def forget_tries(database: Database) -> int:
    """Drop what was counted in windows that are over; how many. A chore, not a request."""
    longest = max(limit.window for limit in LIMITS.values())
    async with database.write() as db:
        return await applications.forget_tries_before(db, database.now() - longest)


def _client_key(act: Act, sealer: Sealer, command: SubmitApplication) -> dict[str, str] | None:
    """What tells a repetition by a client without an account: its key belongs to its phone."""
    key = act.idempotency_key
    if key is None:
        return None
    if not 0 < len(key) <= KEY_LENGTH_MAX:
        raise InvalidInput.of(
            "idempotencyKey",
            f"An idempotency key has 1 to {KEY_LENGTH_MAX} characters.",
            f"幂等键长度应为 1 至 {KEY_LENGTH_MAX} 个字符。",
        )
    whose = f"{plain_phone(command.phone)}\0{key}"
    return {
        "key_index": sealer.blind_index(whose, place="applications.key"),
        "input_index": sealer.blind_index(act.input_digest, place="applications.input"),
    }


async def _replayed(database: Database, client: dict[str, str]) -> str | None:
    async with database.read() as db:
        row = await applications.by_client_key(db, client["key_index"])
    return None if row is None else _same(row, client)


def _same(row: Row | None, client: dict[str, str]) -> str:
    """The reference of what this key was used for. Raises IdempotencyKeyReused."""
    assert row is not None, "it was met a moment ago, and is never deleted"
    if row["input_index"] != client["input_index"]:
        raise IdempotencyKeyReused.of(
            "idempotencyKey",
            "This idempotency key was already used with another input. Use a new key.",
            "该幂等键已用于其他内容的请求，请更换新的幂等键。",
        )
    return reference(LETTER, row["created_at"].year, row["id"])


async def _with_region(
    database: Database, viewer: Viewer, command: SubmitApplication
) -> tuple[SubmitApplication, tuple[Fault, ...]]:
    """The command with its region's key, and what is wrong with how the region was said."""
    if command.region_id is None and command.region_code is None:
        return command, (NO_REGION,)
    try:
        region_id = command.region_id or await region_of_code(
            database, (command.region_code or "")[:CODE_LENGTH_MAX]
        )
    except InvalidInput as refusal:
        return command, refusal.faults
    async with database.read() as db:
        region = await regions.by_id(db, region_id)
    wide = _may_apply_in(region, viewer) and region["level"] not in APPLY_LEVELS
    return replace(command, region_id=region_id), (TOO_WIDE,) if wide else ()


async def _check_region(turn: Turn, region_id: int | None) -> None:
    region = None if region_id is None else await regions.by_id(turn.db, region_id)
    if not _may_apply_in(region, turn.act.viewer):
        raise NotFound
    if region["level"] not in APPLY_LEVELS:
        raise InvalidInput(TOO_WIDE)


def _may_apply_in(region: Row | None, viewer: Viewer) -> TypeGuard[Row]:
    if region is None:
        return False
    return not viewer.is_one_of(OFFICERS) or within(viewer, region["tree_low"])


async def _locked(
    turn: Turn, move: str, application_id: int, command: RegisterApplication | RejectApplication
) -> Row:
    row = await applications.lock(turn.db, application_id)
    if row is None or not within(turn.act.viewer, row["region_low"]):
        raise NotFound
    check_move(MOVES, move, ApplicationStatus(row["status"]), NOUN)
    check_version(NOUN, command.expected_version, row["version"])
    return row


async def _made(
    turn: Turn, database: Database, sealer: Sealer, command: RegisterApplication, row: Row
) -> int:
    if command.household is not None:
        try:
            return await enter(turn, database, sealer, command.household)
        except DomainError as refusal:
            raise type(refusal)(*(_inside(fault) for fault in refusal.faults)) from None
    region_id = command.region_id or row["region_id"]
    if command.region_id is None and row["region_level"] not in HOME_LEVELS:
        raise InvalidInput.of(
            "region_id",
            "The application names a township. Say in which village or grid cell it lives.",
            "该申请仅填写了乡镇，请指定所在的村（社区）或网格。",
            code="REQUIRED",
        )
    clear = opened(sealer, row)
    made = RegisterHousehold(
        region_id=region_id,
        members=(
            NewMember(
                name=clear.name, relation=Relation.SELF, identity_number=clear.identity_number
            ),
        ),
        address=clear.address,
        phone=clear.phone or None,
    )
    return await enter(turn, database, sealer, made)


def _inside(fault: Fault) -> Fault:
    return replace(fault, field=("household", *fault.field))


async def _found(turn: Turn, household_id: int) -> int:
    household = await households.located(turn.db, household_id)
    if household is None or not within(turn.act.viewer, household["region_low"]):
        raise NotFound
    await not_ones_own(turn.db, turn.act.viewer, household_id)
    if household["status"] != HouseholdStatus.ACTIVE:
        raise Conflict.of(
            "household_id",
            f"This household is {household['status']}. Choose the one that stands.",
            f"该家庭当前状态为{in_chinese(HouseholdStatus(household['status']))}，请选择有效的家庭。",
        )
    return household_id


async def _handled(turn: Turn, database: Database, row: Row, values: dict[str, object]) -> None:
    by = {"handled_by": turn.act.viewer.account_id, "handled_at": database.now()}
    await applications.change(turn.db, row["id"], values | by)
    turn.outcome = {"application": row["id"]}


async def _tell(
    turn: Turn, database: Database, sealer: Sealer, row: Row, text: Text, kind: str
) -> None:
    phone = opened(sealer, row).phone
    if phone:
        await messages.to_phone(
            turn.db, sealer, phone=phone, text=text, kind=kind, now=database.now()
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """What was submitted, in the clear; never kept, logged or cached."""

    name: str
    phone: str
    identity_number: str | None
    address: str
    words: str
    reason: str


def opened(sealer: Sealer, row: Row) -> Submitted:
    """The sealed values of an application's row."""

    def text(place: str) -> str:
        sealed = row[f"{place.partition('.')[2]}_sealed"]
        return sealer.open(sealed, place=place, seal_id=row["seal_id"]) if sealed else ""

    return Submitted(
        name=text(applications.NAME),
        phone=text(applications.PHONE),
        identity_number=text(applications.IDENTITY_NUMBER) or None,
        address=text(applications.ADDRESS),
        words=text(applications.WORDS),
        reason=text(applications.REASON),
    )
