"""Ratings: the office and the provider rate each other's service on a result, once and for good."""

from __future__ import annotations

from dataclasses import dataclass

from marketplace.domain.errors import Forbidden, NotFound
from marketplace.domain.exchange.ratings import RatingSide, check_rating, side_of
from marketplace.domain.permissions import Viewer
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
        named = comment is not None and await names_somebody(
            turn.db, sealer, row["household_id"], comment
        )
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
