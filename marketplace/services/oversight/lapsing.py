"""Restrictions whose last day has passed: ending them, and giving back what they halted."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from marketplace.domain.oversight.integrity import EntryKind
from marketplace.domain.permissions import Viewer
from marketplace.domain.restrictions import RestrictionEnd
from marketplace.persistence.crypto import Sealer
from marketplace.persistence.database import Database
from marketplace.persistence.exchange import facts
from marketplace.persistence.oversight import cases, restrictions
from marketplace.services.acting import Act, Turn, record
from marketplace.services.oversight import consequences, telling

AT_ONCE_MAX = 200
EVERY_S = 60.0

log = logging.getLogger("aidloop.restrictions")


async def lapse(database: Database, sealer: Sealer) -> int:
    """End what has run out, at most a few hundred; how many. Run it again for the rest.

    Each is a transaction of its own: what goes wrong with one is logged, keeps no other from
    ending, and is tried again the next time. The case itself goes on: what is to be paid back is.
    """
    async with database.read() as db:
        due = await restrictions.due(db, now=database.now(), limit=AT_ONCE_MAX)
    done = 0
    for case_id in due:
        try:
            done += await _lapse(database, sealer, case_id)
        except Exception:  # someone must look at this one, and the others must not wait
            log.exception("the restriction of case %d cannot be ended", case_id)
    return done


async def keep_lapsing(
    database: Database, sealer: Sealer, *, stop: asyncio.Event, every_s: float = EVERY_S
) -> None:
    """End restrictions until `stop` is set. It outlives every error; any number may run at once."""
    while not stop.is_set():
        try:
            if done := await lapse(database, sealer):
                log.info("restrictions that ended: %d", done)
        except Exception:  # it must go on as long as the program does
            log.exception("ending restrictions failed; it is tried again later")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), every_s)


async def _lapse(database: Database, sealer: Sealer, case_id: int) -> bool:
    async with database.write() as db:
        now = database.now()
        case = await cases.lock(db, case_id)
        assert case is not None, "its restriction points to it"
        if case["household_id"] is not None:
            await facts.lock_household(db, case["household_id"])
        turn = Turn(db, Act(viewer=Viewer()))  # the system's own
        if not await consequences.give_back(turn, database, case, RestrictionEnd.LAPSED):
            return False
        # The version counts up, so that a decision on what was read before is late.
        await cases.change(db, case_id, {})
        await cases.enter(db, case, EntryKind.RESTRICTION_LAPSED, now=now)
        await telling.tell(db, database, sealer, case, telling.ENDED)
        lapsed = "integrity_case.restriction_lapsed"
        await record(turn, database, lapsed, "IntegrityCase", case_id)
        return True
