"""What becomes of a household and its members: births, deaths, moves, mergers and splits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from marketplace.domain.checks import fault, text
from marketplace.domain.errors import Conflict, Fault, InvalidInput, Text
from marketplace.domain.registry.applications import reason_faults
from marketplace.domain.registry.households import (
    ADDRESS_LENGTH_MAX,
    HouseholdStatus,
    NewMember,
    Relation,
    phone_faults,
    place_faults,
)
from marketplace.domain.states import in_chinese

NOUN = Text("household", "家庭")
EARLIEST = date(1900, 1, 1)


class MemberEventKind(StrEnum):
    BORN = "BORN"
    ADDED = "ADDED"
    DECEASED = "DECEASED"
    LEFT = "LEFT"


class Ground(StrEnum):
    """What makes two entries look like one household."""

    MEMBER = "MEMBER"
    PHONE = "PHONE"
    NAME = "NAME"


class DuplicateStatus(StrEnum):
    OPEN = "OPEN"
    DISMISSED = "DISMISSED"
    MERGED = "MERGED"


class HowTold(StrEnum):
    """How a household learned what it may be entitled to."""

    VISIT = "VISIT"
    PHONE = "PHONE"
    LETTER = "LETTER"
    MESSAGE = "MESSAGE"
    ONSITE = "ONSITE"


@dataclass(frozen=True, slots=True, kw_only=True)
class AddMember:
    """A person who comes to a household, by birth or otherwise.

    already_counted   whether the household's head count has this person in it already
    """

    household_id: int
    member: NewMember
    on: date
    reason: str = ""
    already_counted: bool = False
    expected_version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndMember:
    """A person who is no member any more, by death or otherwise.

    new_head_id   who heads the household from now on, where it was the head
    """

    member_id: int
    on: date
    reason: str = ""
    new_head_id: int | None = None
    expected_version: int | None = None


def check_active(status: HouseholdStatus) -> None:
    """Raise Conflict for a household that lives on in another one or has nobody left."""
    if status is not HouseholdStatus.ACTIVE:
        raise Conflict.of(
            "household_id",
            f"This household is {status}; what is past cannot be changed.",
            f"该家庭当前状态为{in_chinese(status)}，不可再变更。",
        )


def day_faults(name: str, on: date, *, today: date, since: date | None = None) -> Iterator[Fault]:
    """A day that has come, not before 1900 nor before `since`."""
    if not max(EARLIEST, since or EARLIEST) <= on <= today:
        yield fault(
            name,
            "INVALID",
            "This day lies in the future, before 1900, or before the birth. Check the year.",
            "该日期晚于今天、早于 1900 年或早于出生日期，请核对年份。",
        )


def check_reason(reason: str, *, faults: Sequence[Fault] = ()) -> None:
    """Raise InvalidInput where a reason says nothing, together with other faults."""
    if found := [*faults, *reason_faults("reason", reason)]:
        raise InvalidInput(*found)


def check_relation(relation: Relation) -> None:
    """Raise InvalidInput for another head: a household has one."""
    if relation is Relation.SELF:
        raise InvalidInput.of(
            "member.relation",
            "The household has a head. Say what this person is to the head.",
            "该家庭已有户主，请填写与户主关系。",
        )


def groups_after(household: int, before: Sequence[int], after: Sequence[int]) -> int:
    """The groups of a household when its members change, as masks.

    What no member brought is the household's own and stays.

    >>> groups_after(0b111, [0b001, 0b010], [0b001])
    5
    """
    brought = 0
    for mask in before:
        brought |= mask
    mask = household & ~brought
    for each in after:
        mask |= each
    return mask


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveHousehold:
    """A household that lives elsewhere now; in the same region where only the address changes."""

    household_id: int
    region_id: int
    moved_on: date
    reason: str
    address: str = ""
    latitude: float | None = None
    longitude: float | None = None
    expected_version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeHouseholds:
    """Two entries that are one household: `merged_id` lives on in `household_id`."""

    household_id: int
    merged_id: int
    reason: str
    expected_version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitHousehold:
    """Members who are a household of their own from now on.

    member_ids   who goes, not all of them
    head_id      who of them heads the new household; the old head stays, or `new_head_id` follows
    need_ids     drafts that go with them
    """

    household_id: int
    member_ids: tuple[int, ...]
    head_id: int
    region_id: int
    split_on: date
    reason: str
    new_head_id: int | None = None
    need_ids: tuple[int, ...] = ()
    address: str = ""
    phone: str | None = None
    expected_version: int | None = None


def check_move_of(command: MoveHousehold, *, today: date) -> None:
    """Raise InvalidInput with everything that keeps this from being a move."""
    faults = [
        *day_faults("moved_on", command.moved_on, today=today),
        *text("address", command.address, 0, ADDRESS_LENGTH_MAX),
        *place_faults(command.latitude, command.longitude),
    ]
    check_reason(command.reason, faults=faults)


def check_split(command: SplitHousehold, *, members: Sequence[int], today: date) -> None:
    """Raise InvalidInput with everything that keeps this from being a split.

    members   who belongs to the household now
    """
    faults = [
        *day_faults("split_on", command.split_on, today=today),
        *text("address", command.address, 0, ADDRESS_LENGTH_MAX),
    ]
    if command.phone is not None:
        faults += phone_faults("phone", command.phone)
    going = set(command.member_ids)
    if not going or not going < set(members) or len(going) < len(command.member_ids):
        faults.append(
            fault(
                "member_ids",
                "INVALID",
                "Name some of the members, each once, and not all of them.",
                "请选择部分成员，不可重复，也不可为全部成员。",
            )
        )
    if command.head_id not in going:
        faults.append(
            fault(
                "head_id",
                "INVALID",
                "The new household's head must be one of those who go.",
                "新家庭户主须为分出的成员之一。",
            )
        )
    check_reason(command.reason, faults=faults)


def relation_after(relation: Relation, head_was: Relation) -> Relation:
    """What a member is to a new head, who was `head_was` to the one before.

    Of a couple's children and grandchildren it is known; of others it is not.

    >>> relation_after(Relation.CHILD, Relation.SPOUSE)
    <Relation.CHILD: 'CHILD'>
    """
    if head_was is Relation.SPOUSE and relation in {Relation.CHILD, Relation.GRANDCHILD}:
        return relation
    if head_was is Relation.CHILD and relation is Relation.SPOUSE:
        return Relation.PARENT
    return Relation.OTHER
