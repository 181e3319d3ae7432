"""Visit room: whether the days that remain of a service still hold a line's visits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from marketplace.domain.days import days_between
from marketplace.persistence.database import Reading, Row
from marketplace.persistence.exchange import visits


@dataclass(slots=True, kw_only=True)
class VisitRoom:
    """Visits set aside and not made yet, by need and by offer, while lines take from the days.

    A plan counts whole weeks, so that days can be found for all of its visits. Here every day that
    remains counts: what a plan proposed yesterday is not refused for the week that has just begun.
    """

    now: datetime
    by_need: Counter[int]
    by_offer: Counter[int]

    def holds(self, line: Row) -> bool:
        """Whether as many visits as the line gives have days, beside those set aside."""
        if not line["is_visit"]:
            return True
        begin, end = max(line["starts_at"], self.now), line["expires_at"]
        served, most, every = line["units_served"], line["visits_per_day"], line["every_days"]
        days = days_between(begin, end)
        if most is not None and self.by_offer[line["offer_id"]] + served > most * days:
            return False
        if line["deadline"] is not None:
            days = days_between(begin, min(end, line["deadline"]))
        if every is not None:
            return bool(self.by_need[line["need_id"]] + served <= -(-days // every))
        return days > 0 if most is None else bool(served <= most * days)

    def take(self, line: Row, *, back: bool = False) -> None:
        """Count the line's visits with those set aside by offer; or take them `back`.

        Not by need: a plan shares a need's weeks out over all its lines.
        """
        if line["is_visit"]:
            self.by_offer[line["offer_id"]] += line["units_served"] * (-1 if back else 1)


async def room_for(db: Reading, lines: Sequence[Row], *, now: datetime) -> VisitRoom:
    """What is set aside of the needs and offers of these lines, which must be locked."""
    visiting = [line for line in lines if line["is_visit"]]
    needs, offers = ({line[key] for line in visiting} for key in ("need_id", "offer_id"))
    rows = await visits.set_aside(db, need_ids=needs, offer_ids=offers, now=now)
    by_need: Counter[int] = Counter()
    by_offer: Counter[int] = Counter()
    for row in rows:
        by_need[row["need_id"]] += row["units"]
        by_offer[row["offer_id"]] += row["units"]
    return VisitRoom(now=now, by_need=by_need, by_offer=by_offer)
