"""Whom a viewer may act for: the own household, or the households of one's region but one's own."""

from __future__ import annotations

from marketplace.domain.errors import Conflict, NotFound
from marketplace.domain.own_household import OWN_CASE
from marketplace.domain.permissions import Role, Viewer
from marketplace.domain.registry.household_changes import check_active
from marketplace.domain.registry.households import HouseholdStatus
from marketplace.persistence.database import Row, Writing
from marketplace.persistence.exchange import facts


async def in_reach(db: Writing, viewer: Viewer, place: Row | None) -> None:
    """Let the viewer pass who may act for a household.

    place    a row with household_id, and tree_low of its region; None: there is no such household

    Raises NotFound outside the viewer's scope, Conflict (FOUR_EYES) for an officer's own household.
    """
    own = await facts.household_of(db, viewer.account_id)
    if place is None:
        raise NotFound
    if viewer.role is Role.APPLICANT:
        if own != place["household_id"]:
            raise NotFound
        return
    if not in_scope(viewer, place["tree_low"]):
        raise NotFound
    if own == place["household_id"]:
        raise Conflict(OWN_CASE)


def check_stands(place: Row) -> None:
    """Raise Conflict where a household (a row of `facts.household`) was merged or closed."""
    check_active(HouseholdStatus(place["household_status"]))


def in_scope(viewer: Viewer, tree_low: int) -> bool:
    """Whether a region, by its place in the tree, is the viewer's to work in."""
    return viewer.region_low <= tree_low <= viewer.region_high
