"""The schema: the wings' root fields put together under Query, Mutation and Subscription."""

from __future__ import annotations

from collections.abc import Sequence

import strawberry
from strawberry.schema.config import StrawberryConfig

from marketplace.settings import Settings
from schema.engine import Schema
from schema.limits import Checks, Gate
from schema.scalars import SCALARS
from schema.viewer import ViewerQuery

# A wing adds the class that holds its root fields here, and nowhere else.
QUERIES: list[type] = [ViewerQuery]
MUTATIONS: list[type] = []
SUBSCRIPTIONS: list[type] = []


def build_schema(settings: Settings) -> Schema:
    """The schema that a server of these settings answers with."""
    gate = Gate(settings)
    schema = Schema(
        query=_root("Query", "Everything that can be asked.", QUERIES) or ViewerQuery,
        mutation=_root("Mutation", "Everything that can be done.", MUTATIONS),
        subscription=_root("Subscription", "Everything that can be followed.", SUBSCRIPTIONS),
        config=StrawberryConfig(
            disable_field_suggestions=settings.profile == "production",
            relay_max_results=100,
            scalar_map=SCALARS,
        ),
        extensions=[lambda: Checks(gate)],
    )
    gate.schema = schema._schema
    return schema


def _root(name: str, description: str, parts: Sequence[type]) -> type | None:
    if not parts:
        return None
    return strawberry.type(type(name, tuple(parts), {}), name=name, description=description)
