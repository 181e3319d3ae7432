"""A plan's report: who may read it, and the picture of the plan from its record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from marketplace.domain.errors import Conflict, NotFound, Text
from marketplace.domain.exchange.plans import PlanKind, PlanStatus
from marketplace.domain.ids import reference
from marketplace.domain.permissions import Viewer
from marketplace.domain.registry.households import GROUP_LABELS, GROUPS
from marketplace.persistence.database import Database, Row
from marketplace.persistence.exchange import report_names, plans
from marketplace.services.exchange import plan_records
from marketplace.services.exchange.plan_figures import NOWHERE, IntArray, served_of
from marketplace.services.exchange.plan_picture import Heading, Kind, Material, picture
from marketplace.services.exchange.plan_records import Recorded
from marketplace.services.exchange.planning import policy_of
from marketplace.services.exchange.plans import check_reader
from marketplace.services.exchange.translation import ints
from marketplace.services.reports.picture import Fact, Picture

SHOWN = frozenset({PlanStatus.PROPOSED, PlanStatus.APPROVED, PlanStatus.DISCARDED})
STATES: Mapping[PlanStatus, Text] = {
    PlanStatus.PROPOSED: Text("proposed, not approved", "待审批"),
    PlanStatus.APPROVED: Text("approved", "已批准"),
    PlanStatus.DISCARDED: Text("discarded", "已弃用"),
}


class Gone(Conflict):
    """The market that a plan was made from is let go of after some time; so is its picture."""

    code = "GONE"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Reportable:
    """A plan that its reader may see and that is there to be shown."""

    plan_id: int
    row: Row

    @property
    def left_aside(self) -> Sequence[Mapping[str, object]] | None:
        return cast("Sequence[Mapping[str, object]] | None", self.row["left_aside"])

    @property
    def proof(self) -> Mapping[str, object] | None:
        return cast("Mapping[str, object] | None", self.row["proof"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Rows that name a plan's columns."""

    townships: Sequence[Row]
    of_needs: Sequence[Row]
    kinds: Sequence[Row]
    providers: Sequence[Row]


async def reportable(
    database: Database, viewer: Viewer, plan_id: int, *, year: int | None = None
) -> Reportable:
    """The plan, if this viewer may read plans and it is finished.

    year   of the reference that it was asked for by: must be the plan's

    Raises Unauthenticated, Forbidden, NotFound, or Conflict (NOT_FINISHED, FAILED).
    """
    async with database.read() as db:
        row = await plans.find(db, plan_id)
    check_reader(viewer, row)
    if row is None or (year is not None and row["created_at"].year != year):
        raise NotFound
    status = PlanStatus(row["status"])
    if status in SHOWN:
        return Reportable(plan_id=plan_id, row=row)
    if status in (PlanStatus.QUEUED, PlanStatus.RUNNING):
        raise Conflict.of(
            "", "The plan is still being computed. Try again in a minute.",
            "方案仍在计算中，请稍后再试。", code="NOT_FINISHED",
        )  # fmt: skip
    raise Conflict.of(
        "", f"The plan is {status}: there is nothing to show. Create another one.",
        f"方案状态为 {status}，没有可显示的内容，请重新创建方案。", code="FAILED",
    )  # fmt: skip


async def read(database: Database, plan: Reportable, *, proof: str, proven: bool) -> Picture:
    """The picture of a plan. Raises Gone where its market is let go of.

    proof    its proof in one sentence, in the reader's language
    """
    record = await plan_records.load(database, plan.plan_id)
    if record is None:
        days = plan_records.KEPT_FOR.days
        raise Gone.of(
            "",
            f"What this plan was made from is kept for {days} days and is let go of. Its totals "
            "and its proof stay in the API.",
            f"方案所依据的数据保存 {days} 天，现已清除；其汇总与证明仍可通过接口查询。",
        )
    names = await _names(database, record)
    return picture(_heading(plan.row, proof, proven=proven), _material(record, names))


async def _names(database: Database, record: Recorded) -> Names:
    ids = ints(record.market.needs["id"])
    first, last = (int(ids[0]), int(ids[-1])) if len(ids) else (1, 0)
    async with database.read() as db:
        return Names(
            townships=await report_names.townships(db),
            of_needs=await report_names.townships_of_needs(db, first_id=first, last_id=last),
            kinds=await report_names.kinds(db),
            providers=await report_names.providers(db, record.plan_id),
        )


def _heading(row: Row, proof: str, *, proven: bool) -> Heading:
    number = reference("M", row["created_at"].year, row["id"])
    state = STATES[PlanStatus(row["status"])]
    finished = row["finished_at"] or row["created_at"]
    at = f"{finished:%Y-%m-%d %H:%M} UTC"
    simulated = row["kind"] == PlanKind.SIMULATION
    return Heading(
        title=Text(f"Simulation {number}", f"模拟方案 {number}")
        if simulated
        else Text(f"Plan {number}", f"匹配方案 {number}"),
        made=Text(f"Computed {at}; {state.en}.", f"计算于 {at}；{state.zh}。"),
        proof=proof,
        proven=proven,
        facts=(
            _fact("needs", "需求", row["need_count"]),
            _fact("needs served", "获助需求", row["needs_served"]),
            _fact("offers", "供给", row["offer_count"]),
        ),
    )


def _fact(en: str, zh: str, value: int | None) -> Fact:
    said = "–" if value is None else f"{value:,}"
    return Fact(name=Text(en, zh), value=Text(said, said))


def _material(record: Recorded, names: Names) -> Material:
    market, lines = record.market, record.lines
    ids = ints(market.needs["id"])
    place = np.full(len(ids), NOWHERE, np.int64)
    found = {row["need_id"]: row["township_id"] for row in names.of_needs}
    for at, need in enumerate(ids.tolist()):
        place[at] = found.get(need, NOWHERE)
    row_of_line = np.searchsorted(ids, ints(lines["need_id"]))
    giver = {row["offer_id"]: row["organization_id"] for row in names.providers}
    needs = served_of(market, lines)
    return Material(
        needs=needs,
        place=place,
        category=ints(market.needs["category"]),
        groups=ints(market.needs["groups"]),
        line_household=needs.household[row_of_line],
        line_source=_looked_up(giver, lines["offer_id"]),
        line_place=place[row_of_line],
        places={row["id"]: _text(row["name_en"], row["name_zh"]) for row in names.townships},
        kinds={row["id"]: _kind(row) for row in names.kinds},
        group_names=tuple(GROUP_LABELS[group] for group in GROUPS),
        sources={row["organization_id"]: Text(row["name"], row["name"]) for row in names.providers},
        policy=policy_of(record.policy),
    )


def _looked_up(by: Mapping[int, int], keys: Sequence[object]) -> IntArray:
    return np.array([by[int(str(key))] for key in keys], np.int64)


def _kind(row: Row) -> Kind:
    return Kind(
        name=_text(row["label_en"], row["label_zh"]),
        unit=row["unit"] or "",
        unit_fen=row["reference_price_fen"],
    )


def _text(en: str | None, zh: str) -> Text:
    return Text(en or zh, zh)
