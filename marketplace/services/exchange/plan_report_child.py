"""A process that makes one plan's page: `python -m` this, with a request in JSON on its input."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from marketplace.domain.errors import Language, Text
from marketplace.domain.exchange.plans import PlanKind, PlanStatus
from marketplace.domain.ids import reference
from marketplace.domain.registry.households import GROUP_LABELS, GROUPS
from marketplace.persistence.database import Database, Row
from marketplace.persistence.exchange import plans, report_names
from marketplace.services.exchange import plan_records
from marketplace.services.exchange.plan_figures import NOWHERE, IntArray, served_of
from marketplace.services.exchange.plan_picture import Heading, Kind, Material, picture
from marketplace.services.exchange.plan_records import Recorded
from marketplace.services.exchange.planning import policy_of
from marketplace.services.reports.charts import chart_specs
from marketplace.services.reports.drawing import draw
from marketplace.services.reports.page import page
from marketplace.services.reports.picture import Fact, Picture

STATES: Mapping[PlanStatus, Text] = {
    PlanStatus.PROPOSED: Text("proposed, not approved", "待审批"),
    PlanStatus.APPROVED: Text("approved", "已批准"),
    PlanStatus.DISCARDED: Text("discarded", "已弃用"),
}

SIMULATED = Text("a simulation, never to be approved", "仅供模拟，不可批准")


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Rows that name a plan's columns."""

    townships: Sequence[Row]
    of_needs: Sequence[Row]
    kinds: Sequence[Row]
    providers: Sequence[Row]


async def read(database: Database, plan_id: int, *, proof: str, proven: bool) -> Picture | None:
    """The picture of a finished plan; None where its market is let go of."""
    record = await plan_records.load(database, plan_id)
    if record is None:
        return None
    async with database.read() as db:
        row = await plans.find(db, plan_id)
    assert row is not None, "it has a record"
    names = await _names(database, record)
    return picture(_heading(row, proof, proven=proven), _material(record, names))


async def answer(asked: Mapping[str, object]) -> dict[str, str | None]:
    """The page under "html"; None where the plan's market is let go of."""
    database = Database(str(asked["database_url"]))
    language = cast("Language", asked["language"])
    try:
        shown = await read(
            database,
            int(str(asked["plan_id"])),
            proof=str(asked["proof"]),
            proven=bool(asked["proven"]),
        )
    finally:
        await database.close()
    if shown is None:
        return {"html": None}
    return {"html": page(shown, draw(chart_specs(shown, language)), language)}


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
    finished = row["finished_at"] or row["created_at"]
    at = f"{finished:%Y-%m-%d %H:%M} UTC"
    simulated = row["kind"] == PlanKind.SIMULATION
    state = SIMULATED if simulated else STATES[PlanStatus(row["status"])]
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


def ints(values: Sequence[object]) -> IntArray:
    return np.array([0 if value is None else value for value in values], np.int64)


if __name__ == "__main__":
    json.dump(asyncio.run(answer(json.load(sys.stdin))), sys.stdout)
