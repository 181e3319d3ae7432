"""A household: the unit of assistance, its members, and the groups it belongs to."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


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


class MonitoringCategory(StrEnum):
    """三类对象: the three categories watched against a return to poverty."""

    UNSTABLY_OUT_OF_POVERTY = "UNSTABLY_OUT_OF_POVERTY"
    MARGINAL = "MARGINAL"
    SUDDEN_SEVERE_HARDSHIP = "SUDDEN_SEVERE_HARDSHIP"


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
