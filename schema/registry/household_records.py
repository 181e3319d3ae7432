"""What became of households, and which of them look alike: for the officers of their region."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
import strawberry

from marketplace.domain.permissions import SUPERVISION
from marketplace.domain.registry.household_changes import (
    DuplicateStatus,
    HowTold,
    MemberEventKind,
)
from marketplace.persistence.tables.household_changes import (
    household_duplicates,
    household_merges,
    household_moves,
    household_splits,
    household_tellings,
    member_events,
)
from marketplace.persistence.tables.registry import households
from schema.enums import described
from schema.readgraph.declare import (
    Columns,
    Condition,
    Descending,
    Edge,
    Entity,
    Scope,
    column,
    node,
    one,
    root,
)
from schema.registry.applications import Ground
from schema.registry.trees import OF_THE_REGION, within_reach

# Whoever uses the enum takes it from here, so that it is described before it is used.
__all__ = ["HouseholdRecordQuery", "HowTold", "PossibleDuplicate"]

described(
    MemberEventKind,
    "How somebody became a member, or ceased to be one.",
    {
        MemberEventKind.BORN: "出生, born into it.",
        MemberEventKind.ADDED: "迁入, came to it otherwise.",
        MemberEventKind.DECEASED: "死亡, died.",
        MemberEventKind.LEFT: "迁出, left it otherwise.",
    },
)
described(
    DuplicateStatus,
    "What was decided about two households that look alike.",
    {
        DuplicateStatus.OPEN: "nobody has looked yet.",
        DuplicateStatus.DISMISSED: "they are two.",
        DuplicateStatus.MERGED: "they were one.",
    },
)
described(
    HowTold,
    "How a household learned what it may be entitled to.",
    {
        HowTold.VISIT: "入户, at home.",
        HowTold.PHONE: "电话, on the phone.",
        HowTold.LETTER: "书面, by letter.",
        HowTold.MESSAGE: "短信, by a message.",
        HowTold.ONSITE: "现场, at the counter.",
    },
)


def _visible(row: Columns, scope: Scope) -> Condition:
    """Officers of the region where the household lives now; it is not the household's own file."""
    if not scope.is_one_of(OF_THE_REGION | SUPERVISION):
        return sa.false()
    home = households.alias()
    region = sa.select(home.c.region_id).where(home.c.id == row["household_id"])
    return within_reach(scope, region.scalar_subquery())


@node(
    table=member_events,
    visible=_visible,
    order=(Descending("recordedAt"),),
    description="Somebody came to a household, or left it; never by name.",
)
class MemberEvent(Entity):
    kind: MemberEventKind = column("kind", "What happened.")
    happened_on: date = column("happened_on", "On which day.")
    reason: str = column("reason", "Why, in the words of who recorded it; empty where none.")
    recorded_at: datetime = column("recorded_at", "When it was recorded.", order=True)
    household: Edge = one("Household", "household_id", "The household.")


@node(
    table=household_moves,
    visible=_visible,
    order=(Descending("recordedAt"),),
    description="A household moved to another region.",
)
class HouseholdMove(Entity):
    moved_on: date = column("moved_on", "On which day.")
    reason: str = column("reason", "Why.")
    recorded_at: datetime = column("recorded_at", "When it was recorded.", order=True)
    household: Edge = one("Household", "household_id", "The household.")
    from_region: Edge = one("Region", "from_region_id", "Where it lived.")
    to_region: Edge = one("Region", "to_region_id", "Where it went.")


@node(
    table=household_merges,
    visible=_visible,
    order=(Descending("recordedAt"),),
    description="An entry that was merged into a household.",
)
class HouseholdMerge(Entity):
    reason: str = column("reason", "Why they are one.")
    recorded_at: datetime = column("recorded_at", "When it was recorded.", order=True)
    household: Edge = one("Household", "household_id", "The one that lives on.")
    merged: Edge = one("Household", "merged_id", "The one that was merged into it.")


@node(
    table=household_splits,
    visible=_visible,
    order=(Descending("recordedAt"),),
    description="Members who became a household of their own.",
)
class HouseholdSplit(Entity):
    split_on: date = column("split_on", "On which day.")
    reason: str = column("reason", "Why.")
    recorded_at: datetime = column("recorded_at", "When it was recorded.", order=True)
    household: Edge = one("Household", "household_id", "The one that they left.")
    new_household: Edge = one("Household", "new_id", "The one that they are now.")


@node(
    table=household_tellings,
    visible=_visible,
    order=(Descending("recordedAt"),),
    description="应知尽知: that a household was told what it may be entitled to.",
)
class HouseholdTelling(Entity):
    how: HowTold = column("how", "How it was told.")
    told_on: date = column("told_on", "On which day.")
    recorded_at: datetime = column("recorded_at", "When it was recorded.", order=True)
    household: Edge = one("Household", "household_id", "The household.")


@node(
    table=household_duplicates,
    visible=_visible,
    order=(Descending("foundAt"),),
    description="A household that may be the same as another; nothing is merged by itself.",
)
class PossibleDuplicate(Entity):
    ground: Ground = column("ground", "What they have in common.")
    status: DuplicateStatus = column("status", "What was decided.", filter=DuplicateStatus)
    reason: str | None = column("reason", "Why they are two, in the words of who decided.")
    found_at: datetime = column("found_at", "When it was found.", order=True)
    decided_at: datetime | None = column("decided_at", "When it was decided.")
    household: Edge = one("Household", "household_id", "The household.")
    other: Edge = one("Household", "other_id", "The other one; null where it is out of your reach.")


@strawberry.type
class HouseholdRecordQuery:
    possible_duplicates: Edge = root(
        "PossibleDuplicate", "Households that look alike, latest first; each pair from both sides."
    )
