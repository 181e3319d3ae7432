"""Residuals: what government leaves open of a household's needs, kept right as its aid changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from marketplace.domain.exchange.conflicts import ConflictKind, conflicts
from marketplace.domain.exchange.needs import NeedStatus
from marketplace.domain.exchange.publishing import cash_band_fen
from marketplace.domain.exchange.residuals import (
    Aid,
    Asked,
    Drawn,
    Residual,
    reckon,
    residual_of,
    trace,
)
from marketplace.domain.ids import reference
from marketplace.domain.permissions import Viewer
from marketplace.domain.registry.categories import CategoryKind
from marketplace.persistence.database import Database, Row
from marketplace.persistence.exchange import published_needs, residuals
from marketplace.persistence.registry import households
from marketplace.services.acting import Act, Turn, record
from marketplace.services.exchange.handing_over import fulfil

HOUSEHOLDS_AT_ONCE_MAX = 200
COVERED_BY_GOVERNMENT = "COVERED_BY_GOVERNMENT"


async def settle(turn: Turn, database: Database, household_id: int) -> None:
    """Reckon all needs of a household anew, in the transaction at hand.

    The household's row must be locked. A need's quantity shrinks at most to what charity has in
    hand (what goes beyond is kept as an overlap and told as a conflict); one that government
    meets whole is withdrawn. Public copies follow, and each change of a need is an event.
    """
    now = database.now()
    rows = await residuals.lock_needs(turn.db, household_id)
    aid_rows = await residuals.granted(turn.db, household_id)
    await residuals.mark_counted(turn.db, household_id, now)
    needs = [residuals.asked_of(row) for row in rows]
    aids = [residuals.aid_of(row) for row in aid_rows]
    drawn = reckon(needs, aids, now.date())
    named = {row["id"]: reference("Z", row["decided_at"].year, row["id"]) for row in aid_rows}
    for row, need in zip(rows, needs, strict=True):
        if need.is_reckoned:
            await _apply(turn, database, row, need, drawn[need.id], aids, named)
    await _flag(turn, database, household_id, rows, needs, aid_rows, drawn)


async def settle_begun(database: Database) -> int:
    """Reckon with aid that has begun since, and with units that charity let go of.

    How many households. A chore, not a request; the market asks for none of these units meanwhile.
    """
    async with database.read() as db:
        due = await residuals.households_to_reckon(db, database.now(), HOUSEHOLDS_AT_ONCE_MAX)
    for household_id in due:
        async with database.write() as db:
            if await households.lock(db, household_id) is not None:
                await settle(Turn(db, Act(viewer=Viewer())), database, household_id)
    return len(due)


async def _apply(
    turn: Turn,
    database: Database,
    row: Row,
    need: Asked,
    drawn: Drawn,
    aids: Sequence[Aid],
    named: Mapping[int, str],
) -> None:
    """Write what follows for one need, if anything does."""
    became = residual_of(need, drawn)
    told = trace(need, drawn, {aid.id: aid for aid in aids}, named, row["unit"] or "unit")
    same = (row["quantity_by_government"], row["overlap"], row["quantity_min"]) == (
        became.by_government,
        became.overlap,
        became.quantity_min,
    )
    if same and not became.is_met:
        if row["residual"] != told:
            await residuals.explain(turn.db, need.id, told)
        return
    values: dict[str, object] = {
        "quantity_by_government": became.by_government,
        "quantity": became.quantity,
        "quantity_min": became.quantity_min,
        "overlap": became.overlap,
        "residual": told,
    }
    if became.is_met:
        values["status"] = NeedStatus.WITHDRAWN
    await residuals.change(turn.db, need.id, values)
    await _tell(turn, database, need.id, became, drawn)
    if NeedStatus(row["status"]) is NeedStatus.PUBLISHED:
        is_cash = CategoryKind(row["category_kind"]) is CategoryKind.CASH
        shown = cash_band_fen(became.quantity) if is_cash else became.quantity
        await residuals.show(turn.db, need.id, shown)
        await published_needs.follow(turn.db, [need.id])
        if not became.is_met and became.quantity == need.covered:
            await fulfil(turn, database, need.id)


async def _tell(
    turn: Turn, database: Database, need_id: int, became: Residual, drawn: Drawn
) -> None:
    if became.is_met:
        told: dict[str, object] = {"reason": COVERED_BY_GOVERNMENT, "byGovernment": drawn.units}
        await record(turn, database, "need.withdrawn", "Need", need_id, **told)
        return
    told = {
        "quantity": became.quantity,
        "byGovernment": became.by_government,
        "overlap": became.overlap,
    }
    await record(turn, database, "need.residual_changed", "Need", need_id, **told)


async def _flag(
    turn: Turn,
    database: Database,
    household_id: int,
    rows: Sequence[Row],
    needs: Sequence[Asked],
    aid_rows: Sequence[Row],
    drawn: Mapping[int, Drawn],
) -> None:
    """Keep where the two lanes may be paying for the same, and tell of what is new and certain."""
    met = {
        need.id for need in needs if need.is_reckoned and residual_of(need, drawn[need.id]).is_met
    }
    found = conflicts(
        [need for need in needs if need.id not in met],
        [residuals.aid_of(row) for row in aid_rows],
        drawn,
        {
            row["id"]: (row["broader_low"], row["broader_high"])
            for row in aid_rows
            if row["broader_low"] is not None
        },
        {row["id"]: row["unit"] or "unit" for row in rows},
    )
    new = await residuals.keep_conflicts(turn.db, household_id, found, database.now())
    for each in new:
        if each.kind is ConflictKind.OVERLAP:
            told = {"aid": each.aid_id, "units": each.units}
            await record(turn, database, "need.overlap_found", "Need", each.need_id, **told)
