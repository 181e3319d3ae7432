"""Government aid: recording what the assistance desk decided, before charity is asked."""

from __future__ import annotations

from datetime import datetime

from marketplace.domain.errors import Conflict, InvalidInput, NotFound
from marketplace.domain.exchange.government_aid import DecideAid, check_aid
from marketplace.domain.restrictions import FROM_GOVERNMENT, under_restriction
from marketplace.persistence import restrictions
from marketplace.persistence.database import Database, Reading
from marketplace.persistence.exchange import facts, government_aid
from marketplace.persistence.registry import households
from marketplace.services.acting import Act, once, record
from marketplace.services.registry.households import within


async def decide(database: Database, act: Act, command: DecideAid) -> int:
    """Write a decision down; its key. Needs that are written down from now on count it.

    Needs that stand keep the residual that was computed for them: whoever decided on aid since
    withdraws the need and writes it anew. Raises InvalidInput, NotFound outside the viewer's
    scope, Conflict for one's own household.
    """
    async with once(database, act, "governmentAidDecide") as turn:
        if turn.replay is not None:
            return int(str(turn.replay["aid"]))
        db = turn.db
        household = await households.lock(db, command.household_id)
        if household is None or not within(act.viewer, household["region_low"]):
            raise NotFound
        own = await households.household_of_account(db, act.viewer.account_id)
        if own == command.household_id:
            raise Conflict.of(
                "household_id",
                "Nobody handles the case of the own household. Ask a colleague.",
                "不得办理本人家庭的业务，请由其他工作人员办理。",
                code="OWN_HOUSEHOLD",
            )
        check_aid(command)
        await not_restricted(turn.db, command, now=database.now())
        category_id = command.covers_category_id
        category = None if category_id is None else await facts.category(db, category_id)
        if category_id is not None and (category is None or category.unit is None):
            raise InvalidInput.of(
                "covers_category_id",
                "Choose a category that there is and that has a unit.",
                "请选择存在且有计量单位的类别。",
                code="NOT_FOUND" if category is None else "CATEGORY_TOO_WIDE",
            )
        row = government_aid.aid_row(command, decided_by=act.viewer.account_id, now=database.now())
        aid_id = await government_aid.add(db, row)
        told = {
            "aidKind": command.kind,
            "granted": command.granted,
            "household": command.household_id,
        }
        await record(turn, database, "government_aid.decided", "GovernmentAid", aid_id, **told)
        turn.outcome = {"aid": aid_id}
        return aid_id


async def not_restricted(db: Reading, command: DecideAid, *, now: datetime) -> None:
    """Raise Conflict (UNDER_RESTRICTION) where aid would be granted that a restriction stops."""
    if command.granted and await restrictions.household_is_under(
        db, command.household_id, FROM_GOVERNMENT, now=now
    ):
        raise Conflict(under_restriction("household_id"))
