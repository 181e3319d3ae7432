"""A household: the unit of assistance, its members, and the groups it belongs to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from marketplace.domain.checks import REFERENCE_LENGTH_MAX, fault, text
from marketplace.domain.errors import Fault, InvalidInput, Text
from marketplace.domain.registry.identity import born_on, compact

MEMBERS_MAX = 50
NAME_LENGTH_MAX = 100
ADDRESS_LENGTH_MAX = 200
PHONE_LENGTH_MAX = 40  # as it is typed, with spaces


class TargetGroup(StrEnum):
    """Groups that help may be meant for; the order is the bit in a mask and never changes."""

    ELDERLY_ALONE = "ELDERLY_ALONE"
    ELDERLY_LEFT_BEHIND = "ELDERLY_LEFT_BEHIND"
    CHILD_LEFT_BEHIND = "CHILD_LEFT_BEHIND"
    CHILD_WITHOUT_SUPPORT = "CHILD_WITHOUT_SUPPORT"
    STUDENT = "STUDENT"
    DISABLED = "DISABLED"
    SEVERELY_ILL = "SEVERELY_ILL"
    SINGLE_PARENT = "SINGLE_PARENT"
    DISASTER_AFFECTED = "DISASTER_AFFECTED"
    UNEMPLOYED = "UNEMPLOYED"

    @property
    def label(self) -> Text:
        return GROUP_LABELS[self]


GROUP_LABELS = {
    TargetGroup.ELDERLY_ALONE: Text("elderly living alone", "独居老人"),
    TargetGroup.ELDERLY_LEFT_BEHIND: Text("left-behind elderly", "留守老人"),
    TargetGroup.CHILD_LEFT_BEHIND: Text("left-behind child", "留守儿童"),
    TargetGroup.CHILD_WITHOUT_SUPPORT: Text("child without support", "事实无人抚养儿童"),
    TargetGroup.STUDENT: Text("student", "困难学生"),
    TargetGroup.DISABLED: Text("disabled", "残疾人"),
    TargetGroup.SEVERELY_ILL: Text("severely ill", "重病患者"),
    TargetGroup.SINGLE_PARENT: Text("single parent", "单亲家庭"),
    TargetGroup.DISASTER_AFFECTED: Text("affected by disaster", "受灾人员"),
    TargetGroup.UNEMPLOYED: Text("unemployed", "失业人员"),
}


class MonitoringCategory(StrEnum):
    """三类对象: the three categories watched against a return to poverty."""

    UNSTABLY_OUT_OF_POVERTY = "UNSTABLY_OUT_OF_POVERTY"
    MARGINAL = "MARGINAL"
    SUDDEN_SEVERE_HARDSHIP = "SUDDEN_SEVERE_HARDSHIP"


class HouseholdStatus(StrEnum):
    """MERGED: lives on in another one. CLOSED: nobody of it is left."""

    ACTIVE = "ACTIVE"
    MERGED = "MERGED"
    CLOSED = "CLOSED"


class Relation(StrEnum):
    """与户主关系: what a member is to the head of the household."""

    SELF = "SELF"
    SPOUSE = "SPOUSE"
    CHILD = "CHILD"
    PARENT = "PARENT"
    GRANDCHILD = "GRANDCHILD"
    GRANDPARENT = "GRANDPARENT"
    SIBLING = "SIBLING"
    OTHER = "OTHER"


GROUPS = tuple(TargetGroup)


def group_mask(groups: Iterable[TargetGroup]) -> int:
    """The groups as one bit mask; no group is 0.

    >>> group_mask([TargetGroup.ELDERLY_ALONE, TargetGroup.STUDENT])
    17
    """
    return sum(1 << GROUPS.index(group) for group in set(groups))


def groups_of(mask: int) -> tuple[TargetGroup, ...]:
    """The groups in a mask, in the order of their bits.

    >>> groups_of(17)
    (<TargetGroup.ELDERLY_ALONE: 'ELDERLY_ALONE'>, <TargetGroup.STUDENT: 'STUDENT'>)
    """
    return tuple(group for bit, group in enumerate(GROUPS) if mask >> bit & 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMember:
    """A person of a household, in the clear: it is sealed before it is written anywhere."""

    name: str
    relation: Relation
    identity_number: str | None = None
    birth_date: date | None = None
    target_groups: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterHousehold:
    """A household as an officer writes it down; exactly one member is its head (SELF).

    region_id       a village or grid cell
    target_groups   bit mask; those of the members are added to it
    member_count    heads that are counted; none: as many as members are named
    """

    region_id: int
    members: tuple[NewMember, ...]
    address: str = ""
    phone: str | None = None
    target_groups: int = 0
    monitoring_category: MonitoringCategory | None = None
    member_count: int | None = None
    latitude: float | None = None
    longitude: float | None = None
    external_reference: str | None = None

    @property
    def groups(self) -> int:
        mask = self.target_groups
        for member in self.members:
            mask |= member.target_groups
        return mask

    @property
    def heads(self) -> int:
        return self.member_count or len(self.members)


def check_household(command: RegisterHousehold, *, today: date) -> None:
    """Raise InvalidInput with everything that no household can be; never repeats what was typed."""
    faults = list(household_faults(command, today=today))
    if faults:
        raise InvalidInput(*faults)


def household_faults(command: RegisterHousehold, *, today: date) -> Iterator[Fault]:
    yield from _member_list_faults(command)
    for position, member in enumerate(command.members):
        for found in member_faults(member, today):
            yield Fault(("members", str(position), *found.field), found.code, found.text)
    yield from text("address", command.address, 0, ADDRESS_LENGTH_MAX)
    if command.phone is not None:
        yield from phone_faults("phone", command.phone)
    yield from place_faults(command.latitude, command.longitude)
    if command.external_reference is not None:
        yield from text("external_reference", command.external_reference, 1, REFERENCE_LENGTH_MAX)


def place_faults(latitude: float | None, longitude: float | None) -> Iterator[Fault]:
    """Degrees, both or neither, on earth."""
    if (latitude is None) != (longitude is None):
        yield fault(
            "longitude" if longitude is None else "latitude",
            "REQUIRED",
            "Give latitude and longitude together, or neither.",
            "纬度与经度须同时填写或同时留空。",
        )
    elif abs(latitude or 0) > 90 or abs(longitude or 0) > 180:
        yield fault("latitude", "INVALID", "No such place on earth.", "经纬度超出范围。")


def phone_faults(name: str, phone: str) -> Iterator[Fault]:
    """A phone number has 7 to 12 digits, however they are spaced."""
    digits = plain_phone(phone) if len(phone) <= PHONE_LENGTH_MAX else ""
    if not (digits.isascii() and digits.isdigit() and 7 <= len(digits) <= 12):
        yield fault(
            name,
            "INVALID",
            "A phone number has 7 to 12 digits.",
            "电话号码应为 7 至 12 位数字。",
        )


def plain_phone(phone: str) -> str:
    """A phone number as it is looked up by.

    >>> plain_phone("+86 138-0000 0000")
    '13800000000'
    """
    return compact(phone).removeprefix("+86")


def _member_list_faults(command: RegisterHousehold) -> Iterator[Fault]:
    members = command.members
    heads = sum(member.relation is Relation.SELF for member in members)
    if heads != 1:
        yield fault(
            "members",
            "REQUIRED" if heads == 0 else "INVALID",
            f"Exactly one member is the head of the household, not {heads}.",
            f"须有且仅有一名户主，现为 {heads} 名。",
        )
    if len(members) > MEMBERS_MAX or not len(members) <= command.heads <= MEMBERS_MAX:
        yield fault(
            "member_count",
            "INVALID",
            f"At least as many heads as members are named, and at most {MEMBERS_MAX}.",
            f"家庭人口数不得少于所列成员数，且不超过 {MEMBERS_MAX}。",
        )
    numbers = [compact(m.identity_number) for m in members if m.identity_number]
    if len(set(numbers)) < len(numbers):
        yield fault(
            "members",
            "DUPLICATE",
            "Two members have the same identity number.",
            "两名成员的身份证号码相同。",
        )


def member_faults(member: NewMember, today: date) -> Iterator[Fault]:
    """What no member can be: a name, an identity number, a birthday."""
    yield from text("name", member.name, 1, NAME_LENGTH_MAX)
    born = None
    if member.identity_number is not None:
        born = born_on(compact(member.identity_number))
        if born is None or not born <= today:
            yield fault(
                "identity_number",
                "INVALID",
                "This is no identity number of 18 places: check digit or birthday do not fit.",
                "身份证号码无效：应为 18 位，且出生日期与校验码须正确。",
            )
    if member.birth_date is not None and not (
        date(1900, 1, 1) <= member.birth_date <= today and born in (None, member.birth_date)
    ):
        yield fault(
            "birth_date",
            "INVALID",
            "The birthday lies in the future, before 1900, or differs from the identity number.",
            "出生日期在今天之后、早于 1900 年，或与身份证号码不符。",
        )
