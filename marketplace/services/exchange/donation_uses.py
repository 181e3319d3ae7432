"""Which donation an allocation's units come from, first in, first out, and what donors are told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict

from marketplace.domain.days import county_day
from marketplace.domain.exchange.donation_outcomes import Came, outcomes
from marketplace.domain.exchange.donations import first_in_first_out
from marketplace.persistence.database import Database, Row, Writing
from marketplace.persistence.exchange import donation_outcomes, donations

AT_ONCE_MAX = 200
MARKED_MAX = 1_000


async def attribute(db: Writing, offer_id: int) -> int:
    """Bring the uses of one locked offer up to its allocations; how many allocations changed.

    What an allocation used stays with it while it lives; what is cancelled or comes back is free
    for the next one.
    """
    changed = await donations.changed_uses(db, offer_id)
    if not changed:
        return 0
    await donations.release(db, [row["id"] for row in changed])
    wanted = [(row["id"], row["units"]) for row in changed]
    uses = first_in_first_out(await donations.given(db, offer_id), wanted)
    if uses:
        await donations.use(db, uses)
    return len(changed)


async def attribute_all(database: Database) -> int:
    """The same for every offer that needs it, each in a transaction of its own; how many did."""
    async with database.read() as db:
        due = await donations.unattributed(db, limit=AT_ONCE_MAX)
        any_ungiven = await donations.any_ungiven(db)
    for offer_id, campaign_id in due:
        async with database.write() as db:
            await donations.lock_campaign(db, campaign_id)
            allocation_ids = await donations.lock_unattributed(db, offer_id, limit=MARKED_MAX)
            await donations.lock_sources(db, offer_id, campaign_id)
            await attribute(db, offer_id)
            await donations.mark_attributed(db, allocation_ids)
    if any_ungiven:
        async with database.write() as db:
            await donations.pass_by_ungiven(db, limit=MARKED_MAX)
    return len(due)


async def tell_outcomes(database: Database) -> int:
    """Write anew what donors are told wherever it has changed; of how many offers it was."""
    done = after = 0
    while True:
        async with database.read() as db:
            due = await donation_outcomes.offers_given(db, limit=AT_ONCE_MAX, after=after)
        done += await _tell(database, due)
        if len(due) < AT_ONCE_MAX:
            return done
        after = due[-1]


async def _tell(database: Database, offer_ids: Sequence[int]) -> int:
    """The same of some offers, asked for together: most have not changed."""
    came: defaultdict[int, list[Came]] = defaultdict(list)
    before: defaultdict[int, list[dict[str, object]]] = defaultdict(list)
    async with database.read() as db:
        for row in await donation_outcomes.deliveries(db, offer_ids):
            came[row["offer_id"]].append(_came(row))
        for row in await donation_outcomes.told(db, offer_ids):
            kept = dict(row)
            before[kept.pop("offer_id")].append(kept)
    done = 0
    for offer_id in offer_ids:
        now = [asdict(each) for each in outcomes(came[offer_id])]
        if now != before[offer_id]:
            async with database.write() as db:
                await donation_outcomes.replace(db, offer_id, now)
            done += 1
    return done


def _came(row: Row) -> Came:
    return Came(
        donation_id=row["donation_id"],
        household_id=row["household_id"],
        category_id=row["category_id"],
        region_id=row["region_id"],
        month=f"{county_day(row['at']):%Y-%m}",
        units=row["units"],
        is_confirmed=bool(row["is_confirmed"]),
    )
