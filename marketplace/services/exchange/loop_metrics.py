"""How well the loop closes: results acknowledged in time, and days from need to delivery."""

from __future__ import annotations

from datetime import datetime, timedelta
from statistics import median

from marketplace.persistence.database import Reading
from marketplace.persistence.exchange import loop_metrics

DAY = timedelta(days=1)


async def acknowledged_in_time_share(
    db: Reading,
    *,
    start: datetime,
    end: datetime,
    region: int | None,
    settled_by: datetime | None = None,
) -> float | None:
    """The share, 0 to 1, of deliveries confirmed in start..end that all desks acknowledged in time.

    start, end    aware times, the end not included
    region        key of a region, whose subtree counts; None: everywhere
    settled_by    leave out what is neither acknowledged nor due by then; None: it counts as late

    None where nothing is counted. One statement.
    """
    good, counted = await loop_metrics.in_time(
        db, start=start, end=end, region_id=region, settled_by=settled_by
    )
    return good / counted if counted else None


async def median_days_from_need_to_delivery(
    db: Reading, *, start: datetime, end: datetime, region: int | None
) -> float | None:
    """The median of days from writing a need down to handing over, over deliveries confirmed so.

    Arguments as above. Each delivery counts, so a need that came in two parts counts twice. None
    without any. One statement.
    """
    spans = await loop_metrics.days_to_delivery(db, start=start, end=end, region_id=region)
    if not spans:
        return None
    return median((came - asked) / DAY for asked, came in spans)
