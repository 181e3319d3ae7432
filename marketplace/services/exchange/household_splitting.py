"""Splitting a household: some of its members are a household of their own from now on."""

from __future__ import annotations

from collections.abc import Mapping

from marketplace.domain.errors import Conflict, InvalidInput
from marketplace.domain.exchange.needs import NeedStatus
from marketplace.domain.registry.household_changes import (
    DuplicateStatus,
    MemberEventKind,
    SplitHousehold,
    check_split,
    groups_after,
)
from marketplace.domain.registry.households import (
    MonitoringCategory,
    RegisterHousehold,
    Relation,
)
from marketplace.persistence.crypto import Sealer
from marketplace.persistence.database import Database, Row
from marketplace.persistence.exchange import household_needs
from marketplace.persistence.registry import duplicates, household_changes, households
from marketplace.services.acting import Act, Turn, once, record
from marketplace.services.exchange.household_changes import (
    check_names_nobody,
    opened,
    under_restriction,
)
from marketplace.services.exchange.household_members import follow_head
from marketplace.services.registry.households import home_region


async def split(database: Database, act: Act, sealer: Sealer, command: SplitHousehold) -> int:
    """Make a household of some members of another one; the new household's key.

    It starts without assessment and without consent. Drafts may go with it; what was referred
    stays. Raises NotFound, Conflict, InvalidInput.
    """
    async with once(database, act, "householdSplit") as turn:
        if turn.replay is not None:
            return int(str(turn.replay["household"]))
        db, now = turn.db, database.now()
        row = await opened(turn, command.household_id, command.expected_version)
        if await household_needs.has_open_case(db, row["id"]):
            raise under_restriction()
        await home_region(db, act.viewer, command.region_id)
        named = {m["id"]: m for m in await households.members_of(db, row["id"])}
        check_split(command, members=tuple(named), today=now.date())
        await check_names_nobody(turn, sealer, [row["id"]], command.reason)
        going = {each: named.pop(each) for each in command.member_ids}
        _check_heads(command, row, going, named)
        new_id = await _new(turn, database, sealer, command, row, going)
        await _leave(turn, database, command, new_id, going)
        if any(member["is_head"] for member in going.values()):
            assert command.new_head_id is not None, "checked above"
            await follow_head(turn, named, command.new_head_id)
        before = [m["target_groups"] for m in (*named.values(), *going.values())]
        after = [m["target_groups"] for m in named.values()]
        groups = groups_after(row["target_groups"], before, after)
        values = {"member_count": row["member_count"] - len(going), "target_groups": groups}
        await household_changes.change(db, row["id"], values)
        await _needs(turn, command, new_id)
        await household_needs.follow_groups(db, row["id"], groups)
        await _not_duplicates(turn, database, row["id"], new_id)
        await _record(turn, database, command, new_id)
        turn.outcome = {"household": new_id}
        return new_id


def _check_heads(
    command: SplitHousehold, row: Row, going: Mapping[int, Row], staying: Mapping[int, Row]
) -> None:
    if any(m["is_head"] for m in going.values()) and command.new_head_id not in staying:
        raise InvalidInput.of(
            "new_head_id",
            "The head goes. Say which of those who stay heads the household from now on.",
            "户主已分出，请指定留下成员中的新户主。",
            code="REQUIRED",
        )
    assert row["member_count"] > len(going), "those who stay are counted"


async def _new(
    turn: Turn,
    database: Database,
    sealer: Sealer,
    command: SplitHousehold,
    row: Row,
    going: Mapping[int, Row],
) -> int:
    category = row["monitoring_category"]
    mask = 0
    for member in going.values():
        mask |= member["target_groups"]
    made = RegisterHousehold(
        region_id=command.region_id,
        members=(),
        address=command.address.strip(),
        phone=command.phone,
        target_groups=mask,
        monitoring_category=MonitoringCategory(category) if category else None,
        member_count=len(going),
    )
    return await household_changes.add_household(
        turn.db, households.household_row(sealer, made, database.now())
    )


async def _leave(
    turn: Turn,
    database: Database,
    command: SplitHousehold,
    new_id: int,
    going: Mapping[int, Row],
) -> None:
    for member_id in going:
        is_head = member_id == command.head_id
        values = {
            "household_id": new_id,
            "is_head": is_head,
            "relation": Relation.SELF if is_head else Relation.OTHER,
        }
        await household_changes.change_members(turn.db, [member_id], values)
        for household_id, kind in (
            (command.household_id, MemberEventKind.LEFT),
            (new_id, MemberEventKind.ADDED),
        ):
            await household_changes.add_member_event(
                turn.db,
                household_id=household_id,
                member_id=member_id,
                kind=kind,
                on=command.split_on,
                reason=command.reason,
                by=turn.act.viewer.account_id,
                now=database.now(),
            )


async def _needs(turn: Turn, command: SplitHousehold, new_id: int) -> None:
    rows = await household_needs.lock_of(turn.db, [command.household_id])
    drafts = {row["id"] for row in rows if row["status"] == NeedStatus.DRAFT}
    wanted = set(command.need_ids)
    if not wanted <= drafts:
        raise Conflict.of(
            "need_ids",
            "Only drafts of this household can go: what was referred rests on its consent.",
            "仅可分出该家庭的草稿需求；已转介的需求以原家庭授权为准。",
        )
    values = {"household_id": new_id}
    await household_needs.rehome(turn.db, sorted(wanted), values, command.region_id)


async def _not_duplicates(turn: Turn, database: Database, one: int, other: int) -> None:
    now = database.now()
    await duplicates.note_households(turn.db, [one, other], now)
    values = {
        "decided_by": turn.act.viewer.account_id,
        "decided_at": now,
        "reason": "SPLIT",
    }
    await duplicates.decide(
        turn.db, duplicates.of_pair(one, other), DuplicateStatus.DISMISSED, values
    )


async def _record(turn: Turn, database: Database, command: SplitHousehold, new_id: int) -> None:
    await household_changes.add_split(
        turn.db,
        {
            "household_id": command.household_id,
            "new_id": new_id,
            "split_on": command.split_on,
            "reason": command.reason.strip(),
            "moved": {"members": sorted(command.member_ids), "needs": sorted(command.need_ids)},
            "recorded_by": turn.act.viewer.account_id,
            "recorded_at": database.now(),
        },
    )
    old, count = command.household_id, len(command.member_ids)
    told = {"members": count, "region": command.region_id, "from": old}
    await record(turn, database, "household.split", "Household", old, into=new_id, members=count)
    await record(turn, database, "household.registered", "Household", new_id, **told)
