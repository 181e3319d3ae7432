"""Edits of a plan: what the charity desk settles itself before a proposal is computed anew."""

from __future__ import annotations

from enum import StrEnum


class PlanEditKind(StrEnum):
    """Each fixes how much of one offer goes to one need; the rest is planned around that."""

    PIN = "PIN"  # as much as now, or as much as is said
    FORBID = "FORBID"  # nothing
    CHANGE_QUANTITY = "CHANGE_QUANTITY"  # another quantity than now
