"""Checks of the monitored categories: recording who was looked at and matched, in lists."""

from __future__ import annotations

from collections.abc import Sequence

from marketplace.domain.errors import InvalidInput
from marketplace.domain.fieldwork.monitoring import Check, check_faults
from marketplace.persistence.database import Database
from marketplace.persistence.exchange import facts
from marketplace.persistence.fieldwork import visits
from marketplace.services.acting import Act, once, record_many
from marketplace.services.fieldwork.visits import (
    at,
    check_count,
    keys_of,
    reach_faults,
)


async def record(database: Database, act: Act, command: Sequence[Check]) -> list[int]:
    """Write checks down, all or none; their keys in the order given. They are never changed.

    Raises InvalidInput with what is wrong by place in the list: NOT_MONITORED, NOT_FOUND outside
    the viewer's scope, OWN_HOUSEHOLD.
    """
    async with once(database, act, "monitoringCheckRecord") as turn:
        if turn.replay is not None:
            return keys_of(turn.replay["checks"])
        check_count("checks", len(command))
        db, now = turn.db, database.now()
        homes = await visits.homes(db, {check.household_id for check in command})
        own = await facts.household_of(db, act.viewer.account_id)
        faults, rows = [], []
        for number, check in enumerate(command):
            home = homes.get(check.household_id)
            wrong = [*reach_faults(act.viewer, home, own, "household_id")]
            if home is not None and not wrong:
                heads, category = home["member_count"], home["monitoring_category"]
                wrong = [
                    *check_faults(check, monitored=bool(category), member_count=heads, now=now)
                ]
                rows.append(
                    {
                        "household_id": check.household_id,
                        "region_id": home["region_id"],
                        "monitoring_category": category,
                        "outcome": check.outcome,
                        "persons": heads if check.persons is None else check.persons,
                        "checked_by": act.viewer.account_id,
                        "checked_at": check.checked_at or now,
                        "created_at": now,
                    }
                )
            faults += [at(("checks", str(number)), each) for each in wrong]
        if faults:
            raise InvalidInput(*faults)
        ids = await visits.add_checks(db, rows)
        await record_many(turn, database, "monitoring_check.recorded", "MonitoringCheck", ids)
        turn.outcome = {"checks": ids}
        return ids
