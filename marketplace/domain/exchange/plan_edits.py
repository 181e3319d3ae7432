"""Edits of a plan: what the charity desk settles itself before a proposal is computed anew."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from marketplace.domain.checks import QUANTITY_MAX, text, within
from marketplace.domain.errors import Conflict, Fault, InvalidInput, Text
from marketplace.domain.exchange.plans import PlanKind

EDITS_MAX = 100  # at a time
EDITS_OF_PLAN_MAX = 1_000  # with those of the plans before it
REASON_LENGTH_MAX = 500


class PlanEditKind(StrEnum):
    """Each fixes how much of one offer goes to one need; the rest is planned around that."""

    PIN = "PIN"  # as much as now, or as much as is said
    FORBID = "FORBID"  # nothing
    CHANGE_QUANTITY = "CHANGE_QUANTITY"  # another quantity than now


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedEdit:
    """One edit as it was asked for: of a line of the plan, or of any need and offer.

    units    in the need's unit; None: as many as the line has, or none at all
    """

    kind: PlanEditKind
    reason: str
    line_id: int | None = None
    need_id: int | None = None
    offer_id: int | None = None
    units: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What an edit comes to; units 0: forbidden, units_before 0: there was no such line."""

    kind: PlanEditKind
    need_id: int
    offer_id: int
    units: int
    units_before: int
    reason: str


def check_asked(edits: Sequence[AskedEdit]) -> None:
    """Raise InvalidInput for all that is wrong with the edits whatever the plan is."""
    if not 1 <= len(edits) <= EDITS_MAX:
        raise InvalidInput.of(
            "edits",
            f"Name between 1 and {EDITS_MAX} edits.",
            f"每次须包含 1 至 {EDITS_MAX} 项调整。",
            code="TOO_MANY" if edits else "REQUIRED",
        )
    faults = [found for at, edit in enumerate(edits) for found in _faults(at, edit)]
    if faults:
        raise InvalidInput(*faults)


def settled(at: int, edit: AskedEdit, *, need_id: int, offer_id: int, now: int) -> Settled:
    """What an edit comes to where its line has `now` units, 0 for none. Raises InvalidInput."""
    units = 0 if edit.kind is PlanEditKind.FORBID else edit.units or now
    if edit.kind is PlanEditKind.CHANGE_QUANTITY and now == 0:
        raise InvalidInput(_fault(at, "kind", "NO_LINE", _NO_LINE))
    if edit.kind is PlanEditKind.CHANGE_QUANTITY and units == now:
        raise InvalidInput(_fault(at, "units", "UNCHANGED", _UNCHANGED))
    if edit.kind is PlanEditKind.PIN and units == 0:
        raise InvalidInput(_fault(at, "units", "REQUIRED", _HOW_MANY))
    return Settled(
        kind=edit.kind,
        need_id=need_id,
        offer_id=offer_id,
        units=units,
        units_before=now,
        reason=edit.reason.strip(),
    )


def check_editable(kind: PlanKind) -> None:
    """Raise Conflict for a simulation."""
    if kind is PlanKind.SIMULATION:
        raise Conflict.of(
            "id",
            "A simulation is not edited: it is never approved. Edit a proposal.",
            "模拟方案不能批准，因此不作调整；请调整正式方案。",
        )


def _faults(at: int, edit: AskedEdit) -> Iterator[Fault]:
    of_line = edit.line_id is not None
    of_pair = edit.need_id is not None and edit.offer_id is not None
    named = (edit.need_id, edit.offer_id) != (None, None)
    if of_line == of_pair or (of_line and named):
        yield _fault(at, "line_id", "REQUIRED", _WHICH)
    for found in text("reason", edit.reason.strip(), 1, REASON_LENGTH_MAX):
        yield Fault(("edits", str(at), *found.field), found.code, found.text)
    if edit.kind is PlanEditKind.FORBID and edit.units is not None:
        yield _fault(at, "units", "INVALID", _NO_UNITS)
    elif edit.units is not None:
        for found in within("units", edit.units, 1, QUANTITY_MAX):
            yield Fault(("edits", str(at), *found.field), found.code, found.text)
    elif edit.kind is PlanEditKind.CHANGE_QUANTITY:
        yield _fault(at, "units", "REQUIRED", _HOW_MANY)


def _fault(at: int, field: str, code: str, said: Text) -> Fault:
    return Fault(("edits", str(at), field), code, said)


_WHICH = Text(
    "Name a line of the plan, or a need and an offer, and not both.",
    "请指定方案中的一行，或指定一项需求和一项供给，二者择一。",
)
_NO_UNITS = Text("What is forbidden has no quantity. Leave it out.", "禁止匹配不需要数量，请删去。")
_HOW_MANY = Text(
    "Say how many units of the need the offer is to serve.", "请填写该供给应满足的数量。"
)
_NO_LINE = Text(
    "The plan has no such line, so that nothing can be changed. Use PIN to add one.",
    "方案中没有该匹配，无从更改；如需新增请使用 PIN。",
)
_UNCHANGED = Text(
    "The line has this quantity already. Use PIN to keep it.",
    "该行数量已是如此；如需保留请使用 PIN。",
)
