"""Subtrees as SQL conditions, labels in two languages, and the viewer's own part of the county."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

import sqlalchemy as sa

from marketplace.domain.permissions import FIELD_OFFICERS, SUPERVISION, Role
from marketplace.persistence.tables.house import accounts
from marketplace.persistence.tables.registry import regions
from schema.context import Context
from schema.enums import described
from schema.readgraph.declare import Arguments, Columns, Condition, Scope, for_viewer


class Language(Enum):
    """A language of labels; messages follow Accept-Language instead."""

    EN = "en"
    ZH_CN = "zh-CN"


described(
    Language,
    "A language of labels. Messages follow the Accept-Language header.",
    {Language.EN: "English.", Language.ZH_CN: "简体中文, simplified Chinese."},
)

IN_LANGUAGE: Arguments = (
    ("language", Language, "In which language; where it is not given, as Accept-Language says."),
)

# They see whole households of their region; the charity desk sees what was referred to it.
OF_THE_REGION = FIELD_OFFICERS | {Role.ASSISTANCE_OFFICER}


def everyone(_row: Columns, _scope: Scope) -> Condition:
    """Open to anyone."""
    return sa.true()


def labelled(zh: str, en: str, description: str) -> Any:
    """A label kept in two columns; where the English one is empty, the Chinese one stands in."""
    return for_viewer((zh, en), _label, description, arguments=IN_LANGUAGE)


def in_region_of(scope: Scope, region_id: sa.ColumnElement[int]) -> Condition:
    """Whether a region lies in the subtree of the viewer's own region."""
    inside = regions.alias()
    return region_id.in_(
        sa.select(inside.c.id).where(inside.c.tree_low.between(scope.region_low, scope.region_high))
    )


def within_reach(scope: Scope, region_id: sa.ColumnElement[int]) -> Condition:
    """As `in_region_of`, but supervision reaches everywhere."""
    return sa.true() if scope.is_one_of(SUPERVISION) else in_region_of(scope, region_id)


def own_household(scope: Scope, household_id: sa.ColumnElement[int]) -> Condition:
    """Whether a household is the viewer's own."""
    own = sa.select(accounts.c.household_id).where(accounts.c.id == scope.account_id)
    return household_id == own.scalar_subquery()


def of_household(
    scope: Scope, household_id: sa.ColumnElement[int], region_id: sa.ColumnElement[int]
) -> Condition:
    """Who may see what belongs to a household: by role, and officers by region."""
    if scope.is_one_of(OF_THE_REGION | SUPERVISION):
        return within_reach(scope, region_id)
    if scope.role is Role.APPLICANT:
        return own_household(scope, household_id)
    return sa.false()


def _label(context: Context, arguments: Mapping[str, object], zh: str, en: str) -> str:
    chosen = arguments.get("language")
    language = chosen.value if isinstance(chosen, Language) else context.language
    return en if language == "en" and en else zh
