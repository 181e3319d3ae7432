"""Statistics of the loop, computed from the records whenever they are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from marketplace.domain.errors import InvalidInput, NotFound
from marketplace.domain.oversight.statistics import (
    Cell,
    Figure,
    Span,
    check_span,
    quarters,
    told,
    totals,
)
from marketplace.domain.permissions import OFFICERS, SUPERVISION, Role, Viewer
from marketplace.domain.registry.regions import RegionLevel
from marketplace.persistence.database import Database, Reading, Row
from marketplace.persistence.oversight import statistics
from marketplace.services.exchange import loop_metrics

KNOW_EVERYWHERE = SUPERVISION | {Role.ADMIN}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Which days of the county's calendar, and which region's subtree; None: everywhere."""

    span: Span
    region_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopStatistics:
    """The figures; None where so few are behind one that this viewer is not told it.

    acknowledged_in_time    a share, 0 to 1; None also where nothing was confirmed
    median_days             from need to delivery; None likewise
    """

    persons: Mapping[Figure, int | None]
    acknowledged_in_time: float | None
    median_days: float | None


async def loop(database: Database, viewer: Viewer, asked: Ask) -> LoopStatistics:
    """What the records say of a span of days in a region.

    Officers know of their own region, and supervision of all, exactly. Everyone else is told of a
    county what at least five households are behind, and of a township whole quarters, where that
    holds of every township of its county in every quarter. Raises InvalidInput, NotFound.
    """
    check_span(asked.span)
    async with database.snapshot() as db:
        place = None if asked.region_id is None else await statistics.region(db, asked.region_id)
        if asked.region_id is not None and place is None:
            raise NotFound
        exactly = _knows(viewer, place)
        cells = await _cells(db, asked.span, place, exactly=exactly)
        persons: Mapping[Figure, int | None] = totals(cells) if exactly else told(cells)
        if persons[Figure.HELPED] is None:
            return LoopStatistics(persons=persons, acknowledged_in_time=None, median_days=None)
        span, region_id = asked.span, asked.region_id
        return LoopStatistics(
            persons=persons,
            acknowledged_in_time=await loop_metrics.acknowledged_in_time_share(
                db, start=span.start, end=span.end, region=region_id, settled_by=database.now()
            ),
            median_days=await loop_metrics.median_days_from_need_to_delivery(
                db, start=span.start, end=span.end, region=region_id
            ),
        )


def _knows(viewer: Viewer, place: Row | None) -> bool:
    """Whether the viewer may know everything about the region anyway."""
    if viewer.role in KNOW_EVERYWHERE:
        return True
    if viewer.role not in OFFICERS or place is None:
        return False
    low, high = int(place["tree_low"]), int(place["tree_high"])
    return viewer.region_low <= low and high <= viewer.region_high


async def _cells(db: Reading, span: Span, place: Row | None, *, exactly: bool) -> list[Cell]:
    if place is None:
        return await statistics.whole(db, start=span.start, end=span.end, inside=None)
    inside = (place["tree_low"], place["tree_high"])
    if exactly or place["county_low"] in (None, place["tree_low"]):
        return await statistics.whole(db, start=span.start, end=span.end, inside=inside)
    if place["level"] != RegionLevel.TOWNSHIP:
        raise InvalidInput.of(
            "regionId",
            "Figures are told of counties and townships. Ask for the township around it.",
            "统计数据仅公布至乡镇，请查询其所在乡镇。",
            code="TOO_SMALL",
        )
    return await statistics.by_township(
        db,
        begins=quarters(span),
        end=span.end,
        county=(place["county_low"], place["county_high"]),
        inside=inside,
    )
