"""Members who come to a household or leave it, by birth, death or otherwise."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa

from marketplace.domain.checks import fault
from marketplace.domain.errors import Conflict, Fault, InvalidInput, NotFound
from marketplace.domain.registry.applications import REASON_LENGTH_MAX, reason_faults
from marketplace.domain.registry.household_changes import (
    AddMember,
    EndMember,
    MemberEventKind,
    check_relation,
    day_faults,
    groups_after,
    relation_after,
)
from marketplace.domain.registry.households import MEMBERS_MAX, Relation, member_faults
from marketplace.domain.registry.identity import born_on, compact
from marketplace.persistence.crypto import Sealer
from marketplace.persistence.database import Database, Row
from marketplace.persistence.exchange import household_needs
from marketplace.persistence.registry import duplicates, household_changes, households
from marketplace.services.acting import Act, Turn, once, record
from marketplace.services.exchange.household_changes import (
    check_names_nobody,
    close,
    opened,
)
from marketplace.services.registry.households import someone_is_known

ACTION_OF = {
    MemberEventKind.BORN: "memberBorn",
    MemberEventKind.ADDED: "memberAdd",
    MemberEventKind.DECEASED: "memberDeceased",
    MemberEventKind.LEFT: "memberRemove",
}


async def add(
    database: Database, act: Act, sealer: Sealer, command: AddMember, kind: MemberEventKind
) -> int:
    """Add a person to a household, BORN or ADDED; the household's key.

    Raises NotFound outside the viewer's scope, Conflict (ALREADY_REGISTERED, closed, stale, one's
    own household), InvalidInput.
    """
    async with once(database, act, ACTION_OF[kind]) as turn:
        if turn.replay is not None:
            return int(str(turn.replay["household"]))
        db, now = turn.db, database.now()
        row = await opened(turn, command.household_id, command.expected_version)
        named = await households.members_of(db, row["id"])
        _check_added(command, kind, row, len(named), now.date())
        await check_names_nobody(turn, sealer, [row["id"]], command.reason)
        member = command.member
        number = member.identity_number
        if number and await households.known_numbers(
            db, [households.identity_index(sealer, number)]
        ):
            raise someone_is_known()
        try:
            member_id = await household_changes.add_member(
                db, households.member_row(sealer, row["id"], member, now)
            )
        except sa.exc.IntegrityError as error:
            raise someone_is_known() from error
        groups = row["target_groups"] | member.target_groups
        count = row["member_count"] + (0 if command.already_counted else 1)
        await _count(turn, row["id"], count, groups)
        await duplicates.note_households(db, [row["id"]], now)
        await _record(turn, database, row["id"], member_id, kind, command.on, command.reason)
        turn.outcome = {"household": row["id"]}
        return command.household_id


async def end(
    database: Database, act: Act, sealer: Sealer, command: EndMember, kind: MemberEventKind
) -> int:
    """End a membership, DECEASED or LEFT; the household's key.

    With its last member a household is closed, and its needs are withdrawn in the same
    transaction. Raises as `add` does, InvalidInput where a new head has to be named.
    """
    async with once(database, act, ACTION_OF[kind]) as turn:
        if turn.replay is not None:
            return int(str(turn.replay["household"]))
        db = turn.db
        household_id = await household_changes.household_of_member(db, command.member_id)
        if household_id is None:
            raise NotFound
        row = await opened(turn, household_id, command.expected_version)
        named = {m["id"]: m for m in await households.members_of(db, household_id)}
        gone = named.pop(command.member_id, None)
        if gone is None:
            raise NotFound
        _check_ended(command, kind, sealer, gone, database.now().date())
        _check_rest(command, row, gone, named)
        await check_names_nobody(turn, sealer, [household_id], command.reason)
        ended = {"ended_at": database.now(), "ended_why": kind.value, "is_head": False}
        await household_changes.change_members(db, [gone["id"]], ended)
        await _record(turn, database, household_id, gone["id"], kind, command.on, command.reason)
        if named:
            if gone["is_head"]:
                assert command.new_head_id is not None, "checked above"
                await follow_head(turn, named, command.new_head_id)
            masks = [m["target_groups"] for m in named.values()]
            before = [*masks, gone["target_groups"]]
            groups = groups_after(row["target_groups"], before, masks)
            await _count(turn, household_id, row["member_count"] - 1, groups)
        else:
            await close(turn, database, household_id)
        turn.outcome = {"household": household_id}
        return household_id


async def follow_head(turn: Turn, rest: dict[int, Row], new_head_id: int) -> None:
    """Let another member head the household; the others are to the new head what is known."""
    was = Relation(rest[new_head_id]["relation"])
    for member in rest.values():
        values: dict[str, object] = {
            "relation": relation_after(Relation(member["relation"]), was),
            "is_head": False,
        }
        if member["id"] == new_head_id:
            values = {"relation": Relation.SELF, "is_head": True}
        await household_changes.change_members(turn.db, [member["id"]], values)


async def _count(turn: Turn, household_id: int, member_count: int, target_groups: int) -> None:
    values = {"member_count": member_count, "target_groups": target_groups}
    await household_changes.change(turn.db, household_id, values)
    await household_needs.follow_groups(turn.db, household_id, target_groups)


async def _record(
    turn: Turn,
    database: Database,
    household_id: int,
    member_id: int,
    kind: MemberEventKind,
    on: date,
    reason: str,
) -> None:
    await household_changes.add_member_event(
        turn.db,
        household_id=household_id,
        member_id=member_id,
        kind=kind,
        on=on,
        reason=reason,
        by=turn.act.viewer.account_id,
        now=database.now(),
    )
    event = f"member.{kind.lower()}"
    await record(turn, database, event, "Household", household_id, member=member_id, on=str(on))


def _check_added(
    command: AddMember, kind: MemberEventKind, row: Row, named: int, today: date
) -> None:
    check_relation(command.member.relation)
    member = command.member
    born = member.birth_date or (
        born_on(compact(member.identity_number)) if member.identity_number else None
    )
    faults = [
        Fault(("member", *found.field), found.code, found.text)
        for found in member_faults(member, today)
    ]
    faults += day_faults("on", command.on, today=today, since=born)
    if kind is MemberEventKind.BORN and born not in (None, command.on):
        faults.append(
            fault(
                "on",
                "INVALID",
                "This is not the birthday that is given or in the identity number.",
                "该日期与所填出生日期或身份证号码不符。",
            )
        )
    faults += _counting_faults(command, row["member_count"], named)
    if len(command.reason) > REASON_LENGTH_MAX:
        faults += reason_faults("reason", command.reason)
    if faults:
        raise InvalidInput(*faults)


def _counting_faults(command: AddMember, member_count: int, named: int) -> list[Fault]:
    if command.already_counted and named >= member_count:
        return [
            fault(
                "already_counted",
                "INVALID",
                "Everyone who is counted is named already.",
                "已计入人口的成员均已登记姓名。",
            )
        ]
    if named >= MEMBERS_MAX or (not command.already_counted and member_count >= MEMBERS_MAX):
        return [
            fault(
                "household_id",
                "TOO_LARGE",
                f"A household has at most {MEMBERS_MAX} members.",
                f"一户最多 {MEMBERS_MAX} 人。",
            )
        ]
    return []


def _check_ended(
    command: EndMember, kind: MemberEventKind, sealer: Sealer, gone: Row, today: date
) -> None:
    faults = list(day_faults("on", command.on, today=today, since=_born(sealer, gone)))
    if kind is MemberEventKind.LEFT or command.reason:
        faults += reason_faults("reason", command.reason)
    if faults:
        raise InvalidInput(*faults)


def _check_rest(command: EndMember, row: Row, gone: Row, rest: dict[int, Row]) -> None:
    if not rest:
        if row["member_count"] > 1:
            raise Conflict.of(
                "member_id",
                "Others are counted in this household whose names are not known. Add them first.",
                "该家庭还有已计入但未登记姓名的成员，请先登记。",
                code="MEMBERS_UNNAMED",
            )
        return
    if gone["is_head"] and command.new_head_id not in rest:
        raise InvalidInput.of(
            "new_head_id",
            "This is the head of the household. Say which of the others heads it from now on.",
            "该成员为户主，请指定其余成员中的新户主。",
            code="REQUIRED",
        )


def _born(sealer: Sealer, member: Row) -> date | None:
    for column, place in (
        ("birth_date_sealed", households.BIRTH_DATE),
        ("identity_number_sealed", households.IDENTITY_NUMBER),
    ):
        if member[column] is not None:
            clear = sealer.open(member[column], place=place, seal_id=member["seal_id"])
            if place == households.BIRTH_DATE:
                return date.fromisoformat(clear)
            return born_on(compact(clear))
    return None
