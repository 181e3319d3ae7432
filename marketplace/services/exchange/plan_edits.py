"""Editing a proposal: the desk pins, forbids or changes lines, and the rest is computed anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from marketplace.domain.errors import Conflict, Fault, InvalidInput, Text
from marketplace.domain.exchange.plan_edits import (
    EDITS_OF_PLAN_MAX,
    AskedEdit,
    Settled,
    check_asked,
    check_editable,
    settled,
)
from marketplace.domain.exchange.plans import WAITING_MAX, PlanKind, PlanStatus
from marketplace.domain.own_household import OWN_CASE
from marketplace.persistence import jobs
from marketplace.persistence.database import Database, Reading, Row
from marketplace.persistence.exchange import facts, plan_edits, plans
from marketplace.services.acting import Act, Turn, once, record
from marketplace.services.exchange.plan_job import KIND
from marketplace.services.exchange.plans import MovePlan, for_move
from marketplace.services.jobs import bell_of

_NOT_OF_PLAN = Text("The plan has no such line.", "方案中没有这一行。")
_NOT_IN_SCOPE = Text(
    "This need is not among those that the plan is for, or has left the market.",
    "该需求不在此方案的范围内，或已退出匹配。",
)
_NO_OFFER = Text("There is no such offer.", "没有此供给。")
_TWICE = Text("This need and offer are edited before.", "该需求与供给已在前面调整过。")


@dataclass(frozen=True, slots=True, kw_only=True)
class EditPlan:
    """What to settle in a proposed plan before the rest is computed anew."""

    plan_id: int
    edits: tuple[AskedEdit, ...]
    expected_version: int | None = None


async def edit(database: Database, act: Act, command: EditPlan) -> int:
    """Put a new proposal around the edits, and its job, in the queue; the new plan's key.

    It keeps to the edits of the plan it begins from, too, unless they are of the same need and
    offer. The edited plan stays proposed until the new one is; then it is discarded. Raises
    InvalidInput (naming the edit), Conflict (wrong state, stale, EDIT_IN_PROGRESS, TOO_MANY).
    """
    async with once(database, act, "planEdit") as turn:
        if turn.replay is not None:
            return int(str(turn.replay["plan"]))
        check_asked(command.edits)
        move = MovePlan(plan_id=command.plan_id, expected_version=command.expected_version)
        base = await for_move(turn, "planEdit", move)
        check_editable(PlanKind(base["kind"]))
        await _check_free(turn, base)
        made = await _settled(turn, database, base, command.edits)
        before = await plan_edits.of_plan(turn.db, base["id"])
        job_id = await jobs.enqueue(turn.db, kind=KIND, payload={})
        plan_id = await plans.add(turn.db, _values(base, act, job_id, database))
        rows = _rows(before, made, plan_id, act, database)
        await plan_edits.add_many(turn.db, rows)
        told = {"base": base["id"], "edits": len(made)}
        await record(turn, database, "plan.edited", "Plan", plan_id, **told)
        turn.outcome = {"plan": plan_id}
    bell_of(database).ring()
    return plan_id


def _values(base: Row, act: Act, job_id: int, database: Database) -> dict[str, object]:
    return {
        "kind": PlanKind.PROPOSAL,
        "status": PlanStatus.QUEUED,
        "job_id": job_id,
        "region_id": base["region_id"],
        "category_id": base["category_id"],
        "policy": base["policy"],
        "base_plan_id": base["id"],
        "created_by": act.viewer.account_id,
        "created_at": database.now(),
    }


def _rows(
    before: Sequence[Row], made: Sequence[Settled], plan_id: int, act: Act, database: Database
) -> list[dict[str, object]]:
    """The edits of the new plan: those of its base that stand, then the new ones."""
    anew = {(each.need_id, each.offer_id) for each in made}
    kept = [row for row in before if (row["need_id"], row["offer_id"]) not in anew]
    if len(kept) + len(made) > EDITS_OF_PLAN_MAX:
        raise Conflict.of(
            "edits",
            f"A plan keeps to {EDITS_OF_PLAN_MAX} edits at most. Run a new plan instead.",
            f"一个方案最多保留 {EDITS_OF_PLAN_MAX} 项调整，请改为重新运行方案。",
            code="TOO_MANY",
        )
    copied = ("kind", "need_id", "offer_id", "units", "units_before", "reason")
    rows = [
        {name: row[name] for name in (*copied, "edited_by", "edited_at")} | {"plan_id": plan_id}
        for row in kept
    ]
    return rows + [
        {
            "plan_id": plan_id,
            "kind": each.kind,
            "need_id": each.need_id,
            "offer_id": each.offer_id,
            "units": each.units or None,
            "units_before": each.units_before,
            "reason": each.reason,
            "edited_by": act.viewer.account_id,
            "edited_at": database.now(),
        }
        for each in made
    ]


async def _check_free(turn: Turn, base: Row) -> None:
    if await plan_edits.is_being_edited(turn.db, base["id"]):
        raise Conflict.of(
            "id",
            "Edits of this plan are being computed. Wait for the new plan, and edit that.",
            "该方案的调整正在计算，请等待新方案生成后在其上调整。",
            code="EDIT_IN_PROGRESS",
        )
    account_id = turn.act.viewer.account_id
    assert account_id is not None, "the matrix lets nobody without an account edit"
    if await plans.unfinished_of(turn.db, account_id) >= WAITING_MAX:
        raise Conflict.of(
            "",
            f"You have {WAITING_MAX} plans waiting or running. Wait for them, or cancel some.",
            f"您已有 {WAITING_MAX} 个方案在排队或计算，请等待完成或先取消部分方案。",
            code="TOO_MANY",
        )


async def _settled(
    turn: Turn, database: Database, base: Row, edits: Sequence[AskedEdit]
) -> list[Settled]:
    """What each edit comes to. Raises InvalidInput with every edit that cannot be."""
    pairs, faults = await _pairs(turn.db, base["id"], edits)
    need_ids = {need_id for need_id, _ in pairs.values()}
    homes = await plan_edits.needs_in_scope(turn.db, need_ids, plan=base, now=database.now())
    known = await plan_edits.known_offers(turn.db, {offer_id for _, offer_id in pairs.values()})
    now = await plan_edits.lines_of_needs(turn.db, base["id"], need_ids)
    own = await facts.household_of(turn.db, turn.act.viewer.account_id)
    seen: set[tuple[int, int]] = set()
    made: list[Settled] = []
    for at, (need_id, offer_id) in pairs.items():
        if need_id not in homes:
            faults.append(Fault(("edits", str(at), "need_id"), "NOT_FOUND", _NOT_IN_SCOPE))
        elif offer_id not in known:
            faults.append(Fault(("edits", str(at), "offer_id"), "NOT_FOUND", _NO_OFFER))
        elif own is not None and own == homes[need_id]:
            faults.append(Fault(("edits", str(at)), OWN_CASE.code, OWN_CASE.text))
        elif (need_id, offer_id) in seen:
            faults.append(Fault(("edits", str(at)), "DUPLICATE", _TWICE))
        else:
            units = int(now[need_id, offer_id]["units_served"]) if (need_id, offer_id) in now else 0
            try:
                made.append(settled(at, edits[at], need_id=need_id, offer_id=offer_id, now=units))
            except InvalidInput as refusal:
                faults += refusal.faults
        seen.add((need_id, offer_id))
    if faults:
        raise InvalidInput(*faults)
    return made


async def _pairs(
    db: Reading, plan_id: int, edits: Sequence[AskedEdit]
) -> tuple[Mapping[int, tuple[int, int]], list[Fault]]:
    """Need and offer of each edit by its place, and what names no line of the plan."""
    lines = await plan_edits.lines(
        db, plan_id, {each.line_id for each in edits if each.line_id is not None}
    )
    pairs: dict[int, tuple[int, int]] = {}
    faults: list[Fault] = []
    for at, each in enumerate(edits):
        if each.line_id is None:
            assert each.need_id is not None, "it was checked"
            assert each.offer_id is not None, "it was checked"
            pairs[at] = each.need_id, each.offer_id
        elif each.line_id in lines:
            line = lines[each.line_id]
            pairs[at] = line["need_id"], line["offer_id"]
        else:
            faults.append(Fault(("edits", str(at), "line_id"), "NOT_FOUND", _NOT_OF_PLAN))
    return pairs, faults
