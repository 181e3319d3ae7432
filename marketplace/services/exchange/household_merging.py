"""Merging two entries that are one household: nothing is lost, and nothing counts twice."""

from __future__ import annotations

from dataclasses import dataclass

from marketplace.domain.errors import Conflict, InvalidInput
from marketplace.domain.exchange.allocations import CancelReason
from marketplace.domain.exchange.consents import ConsentStatus
from marketplace.domain.exchange.merging import (
    OPEN,
    ConsentWord,
    OpenNeed,
    consents_to_end,
    settle_needs,
)
from marketplace.domain.exchange.needs import NeedStatus
from marketplace.domain.moves import check_version
from marketplace.domain.registry.household_changes import (
    NOUN,
    DuplicateStatus,
    MemberEventKind,
    MergeHouseholds,
    check_reason,
)
from marketplace.domain.registry.households import MEMBERS_MAX, HouseholdStatus, Relation
from marketplace.domain.restrictions import RestrictionScope
from marketplace.persistence import restrictions
from marketplace.persistence.crypto import Sealer
from marketplace.persistence.database import Database, Row
from marketplace.persistence.exchange import consents, feedback, household_needs, withdrawals
from marketplace.persistence.registry import duplicates, household_changes, households
from marketplace.services.acting import Act, Turn, once, record, record_many
from marketplace.services.exchange.household_changes import (
    check_names_nobody,
    opened,
    tell_withdrawn,
    under_restriction,
)
from marketplace.services.exchange.residuals import settle


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """`doubled` are needs, by id, that stand twice since both are being served."""

    household_id: int
    doubled: tuple[int, ...]


async def merge(database: Database, act: Act, sealer: Sealer, command: MergeHouseholds) -> Merged:
    """Let one household live on in another, with its members, needs, consents and aid.

    Assessments stay where they were made, and are found through `mergedInto`. The last word about
    consent of either household stands. Raises NotFound, Conflict, InvalidInput.
    """
    async with once(database, act, "householdMerge") as turn:
        if turn.replay is not None:
            doubled = turn.replay["doubled"]
            assert isinstance(doubled, list)
            return Merged(household_id=command.household_id, doubled=tuple(doubled))
        kept, merged = await _both(turn, database, command)
        both = (kept["id"], merged["id"])
        await check_names_nobody(turn, sealer, both, command.reason)
        moved: dict[str, object] = {}
        moved["members"] = await _members(turn, database, kept, merged, command)
        moved["consents"] = await _consents(turn, database, kept, merged)
        doubled_ids = await _needs(turn, database, kept, merged, moved)
        moved["governmentAids"] = await household_needs.hand_over_aid(
            turn.db, merged["id"], kept["id"]
        )
        await settle(turn, database, kept["id"])
        moved["feedback"] = await feedback.hand_over(turn.db, merged["id"], kept["id"])
        await household_changes.hand_over_accounts(turn.db, merged["id"], kept["id"])
        await _end(turn, database, sealer, kept, merged)
        await _record(turn, database, command, moved)
        turn.outcome = {"household": kept["id"], "doubled": doubled_ids}
        return Merged(household_id=kept["id"], doubled=tuple(doubled_ids))


async def _both(turn: Turn, database: Database, command: MergeHouseholds) -> tuple[Row, Row]:
    """The two households, locked in the order of their ids, once everything allows it."""
    if command.household_id == command.merged_id:
        raise InvalidInput.of(
            "merged_id", "A household cannot be merged with itself.", "不能与自身合并。"
        )
    check_reason(command.reason)
    ids = sorted((command.household_id, command.merged_id))
    rows = {each: await opened(turn, each, None) for each in ids}
    kept, merged = rows[command.household_id], rows[command.merged_id]
    check_version(NOUN, command.expected_version, kept["version"])
    scopes = frozenset(RestrictionScope)
    for each in ids:
        if await restrictions.household_is_under(turn.db, each, scopes, now=database.now()):
            raise under_restriction()
        if await household_needs.has_open_case(turn.db, each):
            raise under_restriction()
    return kept, merged


async def _members(
    turn: Turn, database: Database, kept: Row, merged: Row, command: MergeHouseholds
) -> list[int]:
    db = turn.db
    staying = await households.members_of(db, kept["id"])
    coming = await households.members_of(db, merged["id"])
    named = len(staying) + len(coming)
    if named > MEMBERS_MAX:
        raise Conflict.of(
            "merged_id",
            f"Together they name more than {MEMBERS_MAX} members.",
            f"合并后成员超过 {MEMBERS_MAX} 人。",
        )
    ids = [member["id"] for member in coming]
    values = {"household_id": kept["id"], "is_head": False}
    await household_changes.change_members(db, ids, values)
    heads = [member["id"] for member in coming if member["is_head"]]
    await household_changes.change_members(db, heads, {"relation": Relation.OTHER})
    for each in ids:
        await household_changes.add_member_event(
            db,
            household_id=kept["id"],
            member_id=each,
            kind=MemberEventKind.ADDED,
            on=database.now().date(),
            reason=command.reason,
            by=turn.act.viewer.account_id,
            now=database.now(),
        )
    # Entries of one household count the same heads; who stands twice by name is taken out by hand.
    count = max(named, kept["member_count"], merged["member_count"])
    groups = kept["target_groups"] | merged["target_groups"]
    values = {"member_count": count, "target_groups": groups}
    await household_changes.change(db, kept["id"], values)
    return ids


async def _consents(turn: Turn, database: Database, kept: Row, merged: Row) -> list[int]:
    """Hand consents over, and end those that do not outlive the merger with what hangs on them."""
    db, now = turn.db, database.now()
    rows = await household_needs.consents_of(db, [kept["id"], merged["id"]])
    words = [
        ConsentWord(
            id=row["id"],
            household_id=row["household_id"],
            status=ConsentStatus(row["status"]),
            recipient_class=row["recipient_class"],
            given_at=row["given_at"],
            ended_at=row["ended_at"],
        )
        for row in rows
    ]
    ending = consents_to_end(words, kept_id=kept["id"])
    ended = await consents.end(db, ending, ConsentStatus.LAPSED, now=now)
    lapsed = [row["id"] for row in ended]
    await record_many(turn, database, "consent.lapsed", "Consent", lapsed)
    standing = [w for w in words if w.status is ConsentStatus.GIVEN and w.id not in ending]
    if ending and not standing:
        both = [kept["id"], merged["id"]]
        gone = await withdrawals.withdraw_needs_of(db, both, CancelReason.CONSENT, now=now)
        await tell_withdrawn(turn, database, gone, CancelReason.CONSENT)
    return await household_needs.hand_over_consents(db, merged["id"], kept["id"])


async def _needs(
    turn: Turn, database: Database, kept: Row, merged: Row, moved: dict[str, object]
) -> list[int]:
    """Hand needs over; of two for the same thing one is withdrawn, or both are told."""
    db = turn.db
    rows = await household_needs.lock_of(db, [kept["id"], merged["id"]])
    served = await household_needs.with_open_allocations(db, [row["id"] for row in rows])
    open_needs = [
        OpenNeed(
            id=row["id"],
            household_id=row["household_id"],
            status=NeedStatus(row["status"]),
            low=row["tree_low"],
            high=row["tree_high"],
            is_served=row["covered"] > 0 or row["id"] in served,
        )
        for row in rows
        if row["status"] in OPEN
    ]
    settled = settle_needs(
        [need for need in open_needs if need.household_id == kept["id"]],
        [need for need in open_needs if need.household_id == merged["id"]],
    )
    gone = await household_needs.withdraw(db, settled.withdrawn)
    await record_many(turn, database, "need.withdrawn", "Need", gone, reason="MERGED")
    ids = [row["id"] for row in rows if row["household_id"] == merged["id"]]
    await household_needs.rehome(db, ids, {"household_id": kept["id"]}, kept["region_id"])
    groups = kept["target_groups"] | merged["target_groups"]
    await household_needs.follow_groups(db, kept["id"], groups)
    moved["needs"], moved["withdrawn"] = ids, gone
    return sorted({each for pair in settled.doubled for each in pair})


async def _end(turn: Turn, database: Database, sealer: Sealer, kept: Row, merged: Row) -> None:
    """End the merged household; what only it knew of phone and address the other one keeps."""
    db, now = turn.db, database.now()
    values: dict[str, object] = {}
    for column, place in (
        ("address_sealed", households.ADDRESS),
        ("phone_sealed", households.PHONE),
    ):
        if kept[column] is None and merged[column] is not None:
            clear = sealer.open(merged[column], place=place, seal_id=merged["seal_id"])
            values[column] = sealer.seal(clear, place=place, seal_id=kept["seal_id"])
            if place == households.PHONE:
                values["phone_index"] = merged["phone_index"]
    if values:
        await household_changes.change(db, kept["id"], values)
    ended = {"status": HouseholdStatus.MERGED, "merged_into": kept["id"], "ended_at": now}
    await household_changes.change(db, merged["id"], ended)
    by = {"decided_by": turn.act.viewer.account_id, "decided_at": now}
    await duplicates.decide(db, duplicates.of_one(merged["id"]), DuplicateStatus.MERGED, by)
    await duplicates.note_households(db, [kept["id"]], now)


async def _record(
    turn: Turn, database: Database, command: MergeHouseholds, moved: dict[str, object]
) -> None:
    await household_changes.add_merge(
        turn.db,
        {
            "household_id": command.household_id,
            "merged_id": command.merged_id,
            "reason": command.reason.strip(),
            "moved": moved,
            "recorded_by": turn.act.viewer.account_id,
            "recorded_at": database.now(),
        },
    )
    kept, merged = command.household_id, command.merged_id
    await record(turn, database, "household.absorbed", "Household", kept, merged=merged)
    await record(turn, database, "household.merged", "Household", merged, into=kept)
