"""Rotas of plans: days for the visits of all lines of an offer, beside those promised already."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from datetime import date, datetime
from itertools import groupby
from operator import itemgetter

from marketplace.domain.days import first_day, last_day
from marketplace.domain.exchange.rota import Asked, rota
from marketplace.persistence.database import Reading, Row, Writing
from marketplace.persistence.exchange import visits


async def propose(db: Writing, plan_id: int, *, now: datetime) -> None:
    """Write suggested days into the lines of a plan that has just been made."""
    await visits.suggest(db, await days(db, plan_id, now=now))


async def days(
    db: Reading, plan_id: int, *, now: datetime, only: Collection[int] | None = None
) -> dict[int, list[str]]:
    """Days from tomorrow on, by proposed line of a service; `only` of these lines.

    Of one need, no two offers get the same day, nor two visits in one span where it recurs. A list
    is shorter than its visits where the days do not hold all of them.
    """
    lines = [row for row in await visits.proposed(db, plan_id) if only is None or row["id"] in only]
    if not lines:
        return {}
    booked: dict[int, Counter[date]] = {}
    taken: dict[int, set[date]] = {}
    for row in await visits.promised(db, plan_id):
        there = [date.fromisoformat(day) for day in row["visit_days"]]
        booked.setdefault(row["offer_id"], Counter()).update(there)
        taken.setdefault(row["need_id"], set()).update(there)
    found: dict[int, list[str]] = {}
    for offer_id, group in groupby(lines, key=itemgetter("offer_id")):
        of_offer = list(group)
        period = of_offer[0]
        made = rota(
            [_asked(row, taken.get(row["need_id"], set())) for row in of_offer],
            first=first_day(max(period["starts_at"], now)),
            last=last_day(period["expires_at"]),
            visits_per_day=period["visits_per_day"],
            booked=booked.get(offer_id),
        )
        for row, there in zip(of_offer, made, strict=True):
            taken.setdefault(row["need_id"], set()).update(there)
            found[row["id"]] = [day.isoformat() for day in there]
    return found


def _asked(row: Row, taken: set[date]) -> Asked:
    return Asked(
        visits=row["units_served"],
        every_days=row["every_days"],
        last=None if row["deadline"] is None else last_day(row["deadline"]),
        taken=frozenset(taken),
    )
