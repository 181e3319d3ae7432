"""Conflicts of the two lanes in the graph: what government and charity may both be paying for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa
import strawberry

from marketplace.domain.exchange.conflicts import ConflictKind
from marketplace.domain.permissions import Role
from marketplace.persistence.tables.decisions import aid_conflicts
from marketplace.persistence.tables.exchange import needs
from schema.context import Context
from schema.enums import described
from schema.exchange.amounts import in_units, unit_of_category
from schema.exchange.needs import visible as need_visible
from schema.readgraph.declare import (
    Columns,
    Condition,
    Descending,
    Edge,
    Entity,
    Scope,
    column,
    computed,
    for_viewer,
    node,
    one,
    root,
)
from schema.registry.trees import IN_LANGUAGE, Language
from schema.scalars import Quantity

described(
    ConflictKind,
    "How government and charity may be paying for the same thing.",
    {
        ConflictKind.OVERLAP: "重复, both give the same units.",
        ConflictKind.SAME_BROADER_CATEGORY: "同类, both give something of one broader category in "
        "the same period: somebody has to look.",
    },
)


def _visible(row: Columns, scope: Scope) -> Condition:
    """Whoever sees the need, but for who should not learn what a household was assessed as."""
    if scope.role is Role.GRID_WORKER:
        return sa.false()
    need = needs.alias()
    return (
        sa.select(need.c.id)
        .where(need.c.id == row["need_id"], need_visible(need.c, scope))
        .exists()
    )


def _said(context: Context, arguments: Mapping[str, object], zh: str, en: str) -> str:
    chosen = arguments.get("language")
    language = chosen.value if isinstance(chosen, Language) else context.language
    return zh if language == "zh-CN" else en


def _unit(row: Columns) -> sa.ColumnElement[str]:
    need = needs.alias()
    found = sa.select(unit_of_category(need.c)).where(need.c.id == row["need_id"])
    return found.scalar_subquery()


@node(
    table=aid_conflicts,
    visible=_visible,
    order=(Descending("foundAt"),),
    description="Government aid and a need that may be paying for the same thing.",
)
class AidConflict(Entity):
    kind: ConflictKind = column("kind", "How.", filter=ConflictKind)
    units: Quantity = computed(
        ("units", _unit), in_units, "What is given twice; 0 where that has to be looked at."
    )
    sentence: str = for_viewer(
        ("text_zh", "text_en"), _said, "The conflict in plain words.", arguments=IN_LANGUAGE
    )
    found_at: datetime = column("found_at", "Since when.", filter=True, order=True)
    need: Edge = one("Need", "need_id", "The need.", filter=True)
    government_aid: Edge = one("GovernmentAid", "aid_id", "The aid, for who may see it.")


@strawberry.type
class AidConflictQuery:
    aid_conflicts: Edge = root(
        "AidConflict", "Where government and charity may be paying for the same, newest first."
    )
