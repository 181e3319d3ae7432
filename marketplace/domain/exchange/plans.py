"""A plan: one run of the optimizer, from its inputs' hash to its proof and its approval."""

from __future__ import annotations

from enum import StrEnum


class PlanKind(StrEnum):
    PROPOSAL = "PROPOSAL"
    SIMULATION = "SIMULATION"


class PlanStatus(StrEnum):
    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    PROPOSED = "PROPOSED"
    APPROVED = "APPROVED"
    DISCARDED = "DISCARDED"
    CANCELLED = "CANCELLED"
    FAILED = "FAILED"


class PlanLineStatus(StrEnum):
    """PROPOSED until the plan is approved; then RESERVED, or LEFT_OUT with a reason."""

    PROPOSED = "PROPOSED"
    RESERVED = "RESERVED"
    LEFT_OUT = "LEFT_OUT"
