"""Ratings: the office and the provider rate each other's service on a result, once and for good."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from marketplace.domain.days import county_day
from marketplace.domain.errors import Forbidden, NotFound
from marketplace.domain.exchange.helped_lists import check_span, moments
from marketplace.domain.exchange.ratings import RatingSide, check_rating, side_of
from marketplace.domain.permissions import PROVIDERS, SUPERVISION, Viewer, require
from marketplace.domain.registry.identity import has_number_of_somebody
from marketplace.persistence.crypto import Sealer
from marketplace.persistence.database import Database, Row
from marketplace.persistence.exchange import ratings
from marketplace.services.acting import Act, Turn, once, record
from marketplace.services.exchange.reach import in_reach
from marketplace.services.registry.naming import names_somebody


@dataclass(frozen=True, slots=True, kw_only=True)
class RateResult:
    """score    1 (poor) to 5 (excellent)"""

    result_id: int
    score: int
    comment: str | None = None


async def rate(database: Database, act: Act, sealer: Sealer, command: RateResult) -> int:
    """Rate the other side's service on a result; the key of the result.

    Raises InvalidInput (a score out of range, a comment that names somebody), Conflict where one's
    side has rated it or it is one's own household's case, NotFound outside the viewer's scope.
    """
    async with once(database, act, "resultRate") as turn:
        if turn.replay is not None:
            return int(str(turn.replay["result"]))
        side = side_of(act.viewer.role)
        if side is None:
            raise Forbidden
        row = await _in_scope(turn, act.viewer, side, command.result_id)
        comment = (command.comment or "").strip() or None
        named = comment is not None and await _names_somebody(turn, sealer, row, comment)
        check_rating(command.score, comment, names_somebody=named)
        values = {
            "result_id": command.result_id,
            "side": side,
            "score": command.score,
            "comment": comment,
            "rated_by": act.viewer.account_id,
            "rated_at": database.now(),
        }
        await ratings.add(turn.db, values)
        told = {"side": side, "score": command.score}
        await record(turn, database, "result.rated", "Result", command.result_id, **told)
        turn.outcome = {"result": command.result_id}
        return command.result_id


async def summed_up(
    database: Database,
    viewer: Viewer,
    *,
    starts_on: date,
    ends_on: date,
    organization_id: int | None,
) -> dict[RatingSide, dict[int, int]]:
    """How often each side gave each score in some days, both included: by side and score.

    A desk sees those of its region, of one organization or of all; a provider those of its own.
    Raises Unauthenticated, Forbidden, InvalidInput, NotFound for another's organization.
    """
    require(viewer, "ratingSummary")
    check_span(starts_on, ends_on, today=county_day(database.now()))
    start, end = moments(starts_on, ends_on)
    within: tuple[int, int] | None = (viewer.region_low, viewer.region_high)
    if viewer.role in PROVIDERS:
        if viewer.organization_id is None or organization_id not in (None, viewer.organization_id):
            raise NotFound
        organization_id, within = viewer.organization_id, None
    elif viewer.role in SUPERVISION:
        within = None
    async with database.read() as db:
        rows = await ratings.counted(
            db, start=start, end=end, within=within, organization_id=organization_id
        )
    found: dict[RatingSide, dict[int, int]] = {side: {} for side in RatingSide}
    for row in rows:
        found[RatingSide(row["side"])][row["score"]] = row["n"]
    return found


async def _names_somebody(turn: Turn, sealer: Sealer, row: Row, comment: str) -> bool:
    """Whether a comment holds a number of a person, or a name that its writer was told.

    To a provider that does not know who lives there, a refusal of a name would tell it.
    """
    viewer = turn.act.viewer
    if viewer.role in PROVIDERS and row["delivered_by_id"] != viewer.organization_id:
        return has_number_of_somebody(comment)
    return await names_somebody(turn.db, sealer, row["household_id"], comment)


async def _in_scope(turn: Turn, viewer: Viewer, side: RatingSide, result_id: int) -> Row:
    row = await ratings.result(turn.db, result_id)
    if row is None:
        raise NotFound
    if side is RatingSide.OFFICE:
        await in_reach(turn.db, viewer, row)
    elif viewer.organization_id is None or viewer.organization_id not in (
        row["organization_id"],
        row["delivered_by_id"],
    ):
        raise NotFound
    return row
