"""One run of a plan: the variables, the viewer and the clock that its parameters are read from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from schema.context import Context
from schema.readgraph.given import Variables
from schema.readgraph.pages import Cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Sizes and cursors are read and checked before the statement is chosen, by slot."""

    variables: Variables
    context: Context
    now: datetime
    keys: Mapping[str, Sequence[int]] = field(default_factory=dict)  # by node, of rows read by key
    sizes: tuple[int, ...] = ()
    cursors: tuple[Cursor | None, ...] = ()


Getter: TypeAlias = Callable[[Asked], object]

# What Scope puts into every statement, and where it comes from.
OF_VIEWER: Mapping[str, Getter] = {
    "now": lambda asked: asked.now,
    "viewer_account_id": lambda asked: asked.context.viewer.account_id,
    "viewer_organization_id": lambda asked: asked.context.viewer.organization_id,
    "viewer_region_low": lambda asked: asked.context.viewer.region_low,
    "viewer_region_high": lambda asked: asked.context.viewer.region_high,
}
