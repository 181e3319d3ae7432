"""Figures of the loop as SQL over the records: one statement for all that count people."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from marketplace.domain.exchange.government_aid import GovernmentAidKind
from marketplace.domain.oversight.statistics import Cell, Figure
from marketplace.domain.registry.regions import RegionLevel
from marketplace.persistence.database import Reading, Row
from marketplace.persistence.tables import (
    assessments,
    government_aids,
    households,
    monitoring_checks,
    needs,
    regions,
    results,
    visits,
)


async def region(db: Reading, region_id: int) -> Row | None:
    """A region's level and interval, and the interval of the county that it lies in, if any."""
    here, county = regions.alias("here"), regions.alias("county")
    return await db.row(
        sa.select(
            here.c.level,
            here.c.tree_low,
            here.c.tree_high,
            county.c.tree_low.label("county_low"),
            county.c.tree_high.label("county_high"),
        )
        .select_from(here)
        .outerjoin(
            county,
            sa.and_(
                county.c.level == RegionLevel.COUNTY,
                here.c.tree_low.between(county.c.tree_low, county.c.tree_high),
            ),
        )
        .where(here.c.id == region_id)
    )


async def whole(
    db: Reading, *, start: datetime, end: datetime, inside: tuple[int, int] | None
) -> list[Cell]:
    """Every figure over start..end, the end not included; `inside`: the interval of a region."""
    facts = _facts(start, end)
    asked = _counted(facts, facts.c.figure).group_by(facts.c.figure)
    if inside is not None:
        asked = asked.join(regions, regions.c.id == facts.c.region_id).where(
            regions.c.tree_low.between(*inside)
        )
    return [_cell(row, inside=True) for row in await db.rows(asked)]


async def by_township(
    db: Reading,
    *,
    begins: Sequence[datetime],
    end: datetime,
    county: tuple[int, int],
    inside: tuple[int, int],
) -> list[Cell]:
    """Every figure by township of a county and by quarter; `begins` of each, `end` of the last."""
    facts = _facts(begins[0], end)
    town = regions.alias("town")
    quarter = (
        sa.case(
            *((facts.c.at < later, place) for place, later in enumerate(begins[1:])),
            else_=len(begins) - 1,
        ).label("quarter")
        if len(begins) > 1
        else sa.literal(0).label("quarter")
    )
    asked = (
        _counted(facts, facts.c.figure, town.c.tree_low, quarter)
        .join(regions, regions.c.id == facts.c.region_id)
        .outerjoin(
            town,
            sa.and_(
                town.c.level == RegionLevel.TOWNSHIP,
                regions.c.tree_low.between(town.c.tree_low, town.c.tree_high),
            ),
        )
        .where(regions.c.tree_low.between(*county))
        .group_by(facts.c.figure, town.c.tree_low, quarter)
    )
    rows = await db.rows(asked)
    return [
        _cell(row, inside=row["tree_low"] is not None and inside[0] <= row["tree_low"] <= inside[1])
        for row in rows
    ]


def _counted(facts: sa.Subquery, *by: Any) -> sa.Select[Any]:
    return sa.select(
        *by,
        sa.func.sum(facts.c.persons).label("persons"),
        sa.func.count(sa.distinct(facts.c.household)).label("households"),
    ).select_from(facts)


def _cell(row: Row, *, inside: bool) -> Cell:
    return Cell(
        figure=Figure(row["figure"]),
        inside=inside,
        persons=int(row["persons"]),
        households=int(row["households"]),
    )


def _facts(start: datetime, end: datetime) -> sa.Subquery:
    """One row a fact: figure, household, region_id, when, and how many people it is about."""
    return sa.union_all(
        _checked(start, end),
        _enrolled(start, end),
        _temporary(start, end),
        _helped(start, end),
        _visited(start, end),
    ).subquery("facts")


def _fact(figure: Figure, household: Any, region_id: Any, at: Any, persons: Any) -> sa.Select[Any]:
    return sa.select(
        sa.literal(figure.value, sa.Text()).label("figure"),
        household.label("household"),
        region_id.label("region_id"),
        at.label("at"),
        persons.label("persons"),
    )


def _checked(start: datetime, end: datetime) -> sa.Select[Any]:
    of = monitoring_checks.c
    made = _fact(Figure.CHECKED, of.household_id, of.region_id, of.checked_at, of.persons)
    return made.where(of.checked_at >= start, of.checked_at < end)


def _visited(start: datetime, end: datetime) -> sa.Select[Any]:
    of = visits.c
    # A clinic or a trip without a household tells of none, however few came.
    made = _fact(Figure.VISITS, of.household_id, of.region_id, of.visited_at, of.persons_reached)
    return made.where(of.visited_at >= start, of.visited_at < end, of.persons_reached > 0)


def _enrolled(start: datetime, end: datetime) -> sa.Select[Any]:
    """Of each household its first grant of the allowance, if that is of this time."""
    first = _grants(GovernmentAidKind.SUBSISTENCE_ALLOWANCE, sa.func.min).subquery("first")
    return _of_aid(Figure.ENROLLED, first).where(first.c.at >= start, first.c.at < end)


def _temporary(start: datetime, end: datetime) -> sa.Select[Any]:
    """Of each household its last grant within this time: people count once."""
    last = (
        _grants(GovernmentAidKind.TEMPORARY_ASSISTANCE, sa.func.max)
        .where(government_aids.c.decided_at >= start, government_aids.c.decided_at < end)
        .subquery("last")
    )
    return _of_aid(Figure.TEMPORARY, last)


def _grants(kind: GovernmentAidKind, when: Any) -> sa.Select[Any]:
    of = government_aids.c
    return (
        sa.select(of.household_id, when(of.decided_at).label("at"))
        .where(of.kind == kind, of.granted)
        # Ended before its first day, it never began: a decision that was taken back.
        .where(sa.or_(of.ends_on.is_(None), of.ends_on >= of.starts_on))
        .group_by(of.household_id)
    )


def _of_aid(figure: Figure, given: sa.Subquery) -> sa.Select[Any]:
    persons = _members(given.c.household_id, given.c.at)
    made = _fact(figure, given.c.household_id, households.c.region_id, given.c.at, persons)
    return made.select_from(given).join(households, households.c.id == given.c.household_id)


def _helped(start: datetime, end: datetime) -> sa.Select[Any]:
    """Every confirmed delivery of which something was received, by the people of its household."""
    of = results.c
    persons = _members(needs.c.household_id, of.sent_at)
    made = _fact(Figure.HELPED, needs.c.household_id, of.region_id, of.sent_at, persons)
    return (
        made.select_from(results)
        .join(needs, needs.c.id == of.need_id)
        .join(households, households.c.id == needs.c.household_id)
        .where(of.sent_at >= start, of.sent_at < end, of.units_received > 0)
    )


def _members(household_id: Any, at: Any) -> sa.ColumnElement[int]:
    """How many people a household had then: by the assessment that stood, else as it is now."""
    stood = (
        sa.select(assessments.c.member_count)
        .where(assessments.c.household_id == household_id, assessments.c.assessed_at <= at)
        .order_by(assessments.c.assessed_at.desc(), assessments.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    return sa.func.coalesce(stood, households.c.member_count)
