"""What rows of the entities of events belong to: an organization, a household, a place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from marketplace.domain.notifications import Place
from marketplace.persistence.database import Reading
from marketplace.persistence.tables import (
    allocations,
    appeals,
    applications,
    consents,
    feedbacks,
    government_aids,
    helped_lists,
    households,
    integrity_cases,
    needs,
    offers,
    organizations,
    plans,
    regions,
    results,
)

CHUNK = 500


async def belongings(db: Reading, entity: str, keys: Iterable[int]) -> dict[int, Place]:
    """What rows of an entity belong to; nothing for an entity that nobody is told of."""
    statement = PLACES.get(entity)
    if statement is None:
        return {}
    found: dict[int, Place] = {}
    wanted = sorted(set(keys))
    for start in range(0, len(wanted), CHUNK):
        part = wanted[start : start + CHUNK]
        for row in await db.rows(statement.where(statement.selected_columns[0].in_(part))):
            found[row["key"]] = Place(
                organization_id=row["organization_id"],
                household_id=row["household_id"],
                region_low=row["region_low"],
            )
    return found


def _place(
    key: sa.ColumnElement[int],
    source: sa.FromClause,
    *,
    organization: sa.ColumnElement[Any] | None = None,
    household: sa.ColumnElement[Any] | None = None,
    located: bool = True,
) -> sa.Select[Any]:
    return sa.select(
        key.label("key"),
        _or_null(organization).label("organization_id"),
        _or_null(household).label("household_id"),
        (regions.c.tree_low if located else sa.null()).label("region_low"),
    ).select_from(source)


def _or_null(column: sa.ColumnElement[Any] | None) -> sa.ColumnElement[Any]:
    return sa.null() if column is None else column


def _in(table: sa.FromClause, region_id: sa.ColumnElement[Any]) -> sa.FromClause:
    return table.outerjoin(regions, regions.c.id == region_id)


def _of_household(table: sa.Table) -> sa.Select[Any]:
    """Rows of a household, at its place."""
    source = table.join(households, households.c.id == table.c.household_id)
    return _place(table.c.id, _in(source, households.c.region_id), household=table.c.household_id)


PLACES: Mapping[str, sa.Select[Any]] = {
    "Need": _place(needs.c.id, _in(needs, needs.c.region_id), household=needs.c.household_id),
    "Consent": _of_household(consents),
    "Offer": _place(offers.c.id, offers, organization=offers.c.organization_id, located=False),
    "Organization": _place(
        organizations.c.id,
        _in(organizations, organizations.c.region_id),
        organization=organizations.c.id,
    ),
    "Allocation": _place(
        allocations.c.id,
        _in(
            allocations.join(offers, offers.c.id == allocations.c.offer_id).join(
                needs, needs.c.id == allocations.c.need_id
            ),
            needs.c.region_id,
        ),
        organization=offers.c.organization_id,
        household=needs.c.household_id,
    ),
    "Result": _place(
        results.c.id,
        _in(results.join(needs, needs.c.id == results.c.need_id), results.c.region_id),
        organization=results.c.organization_id,
        household=needs.c.household_id,
    ),
    "Feedback": _place(
        feedbacks.c.id,
        _in(feedbacks, feedbacks.c.region_id),
        organization=feedbacks.c.organization_id,
        household=feedbacks.c.household_id,
    ),
    "HelpedList": _place(
        helped_lists.c.id,
        _in(helped_lists, helped_lists.c.region_id),
        organization=helped_lists.c.organization_id,
    ),
    "Household": _place(
        households.c.id, _in(households, households.c.region_id), household=households.c.id
    ),
    "GovernmentAid": _of_household(government_aids),
    "Appeal": _of_household(appeals),
    "Application": _place(
        applications.c.id,
        _in(applications, applications.c.region_id),
        household=applications.c.household_id,
    ),
    "IntegrityCase": _place(
        integrity_cases.c.id,
        _in(integrity_cases, integrity_cases.c.region_id),
        organization=integrity_cases.c.organization_id,
        household=integrity_cases.c.household_id,
    ),
    "Plan": _place(plans.c.id, _in(plans, plans.c.region_id)),
}
