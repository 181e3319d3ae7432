"""应知尽知: households that qualify by their latest assessment and wait to be told of it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
import strawberry

from marketplace.domain.permissions import SUPERVISION, Role
from marketplace.persistence.tables.exchange import government_aids, needs
from marketplace.persistence.tables.household_changes import household_tellings
from marketplace.persistence.tables.registry import assessments, households
from schema.enums import described
from schema.readgraph.declare import (
    Ascending,
    Columns,
    Condition,
    Edge,
    Entity,
    Scope,
    column,
    computed,
    node,
    one,
    root,
)
from schema.readgraph.references import referenced
from schema.registry.households import MAY_SEE_ASSESSMENT, EligibilityClass
from schema.registry.standing import of_latest, standing_class
from schema.registry.trees import within_reach

# Who may see what a household was assessed as, and has households of others to care for.
WHO_TELLS = (MAY_SEE_ASSESSMENT - {Role.APPLICANT}) | SUPERVISION


class EntitledLack(StrEnum):
    """What a household that qualifies still waits for."""

    NOT_TOLD = "NOT_TOLD"
    NO_DECISION = "NO_DECISION"
    NO_NEED = "NO_NEED"


described(
    EntitledLack,
    "What a household that qualifies still waits for.",
    {
        EntitledLack.NOT_TOLD: "未告知, nobody told it since its latest assessment.",
        EntitledLack.NO_DECISION: "未审批, no government aid was decided since then.",
        EntitledLack.NO_NEED: "未建需求, no need of it was written down.",
    },
)


def _latest(row: Columns, name: str) -> sa.ColumnElement[Any]:
    one_of_it = assessments.alias()
    return (
        sa.select(one_of_it.c[name])
        .where(one_of_it.c.household_id == row["id"])
        .order_by(one_of_it.c.assessed_at.desc(), one_of_it.c.id.desc())
        .limit(sa.literal_column("1"))
        .scalar_subquery()
    )


# With an approved override, and none once it ran out.
_CLASS = of_latest(standing_class)


def _told(row: Columns) -> sa.ColumnElement[Any]:
    telling = household_tellings.alias()
    return (
        sa.select(telling.c.id)
        .where(telling.c.household_id == row["id"], telling.c.assessment_id == _latest(row, "id"))
        .exists()
    )


def _decided(row: Columns) -> sa.ColumnElement[Any]:
    aid = government_aids.alias()
    return (
        sa.select(aid.c.id)
        .where(aid.c.household_id == row["id"], aid.c.decided_at >= _latest(row, "assessed_at"))
        .exists()
    )


def _asked(row: Columns) -> sa.ColumnElement[Any]:
    need = needs.alias()
    return sa.select(need.c.id).where(need.c.household_id == row["id"]).exists()


def _visible(row: Columns, scope: Scope) -> Condition:
    if not scope.is_one_of(WHO_TELLS):
        return sa.false()
    return sa.and_(
        within_reach(scope, row["region_id"]),
        row["status"] == "ACTIVE",
        _CLASS(row) != "NONE",
        sa.or_(~_told(row), sa.and_(~_decided(row), ~_asked(row))),
    )


def _lacks(told: object, decided: object, asked: object) -> list[str]:
    lacks = (
        (EntitledLack.NOT_TOLD, told),
        (EntitledLack.NO_DECISION, decided),
        (EntitledLack.NO_NEED, asked),
    )
    return [lack.value for lack, has in lacks if not has]


@node(
    table=households,
    visible=_visible,
    order=(Ascending("createdAt"),),
    description="A household that qualifies and was not told yet, or about which nothing was "
    "decided or written down.",
)
class EntitledHousehold(Entity):
    reference: str = referenced("H")
    eligibility_class: EligibilityClass | None = computed(
        (_CLASS,),
        lambda value: value,
        "What it qualifies for, by its latest assessment.",
    )
    assessed_at: datetime | None = computed(
        (lambda row: _latest(row, "assessed_at"),), lambda value: value, "Since when."
    )
    lacks: list[EntitledLack] = computed(
        (_told, _decided, _asked), _lacks, "What it still waits for."
    )
    created_at: datetime = column("created_at", "When it was entered.", order=True)
    household: Edge = one("Household", "id", "The household; tell it with householdTell.")
    region: Edge = one("Region", "region_id", "Village or grid cell.", filter=True)


@strawberry.type
class EntitledQuery:
    entitled_untold: Edge = root(
        "EntitledHousehold",
        "应知尽知: households that qualify by their latest assessment but were not told, or for "
        "which neither aid was decided nor a need written down; the oldest entry first.",
    )
