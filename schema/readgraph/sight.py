"""Which rows a viewer may see, by the read graph's own rules, for those who tell of events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import sqlalchemy as sa

from marketplace.domain.ids import reference
from marketplace.domain.permissions import Role, Viewer
from schema.readgraph.declare import NODES, Leaf, Node, Referenced, Scope

if TYPE_CHECKING:
    from marketplace.persistence.database import Database

CHUNK = 500


async def seen(
    database: Database, viewer: Viewer, entity: str, keys: Sequence[int]
) -> Mapping[int, str]:
    """Key -> reference ("" where it has none) of those rows that the viewer may see now."""
    node = NODES.get(entity)
    if node is None or not keys:
        return {}
    found: dict[int, str] = {}
    wanted = sorted(set(keys))
    asking: dict[str, object] = {
        "now": database.now(),
        "viewer_account_id": viewer.account_id,
        "viewer_organization_id": viewer.organization_id,
        "viewer_region_low": viewer.region_low,
        "viewer_region_high": viewer.region_high,
    }
    letter = _letter(node)
    async with database.read() as db:
        for start in range(0, len(wanted), CHUNK):
            keys_now = {"keys": wanted[start : start + CHUNK]}
            for row in await db.rows(_statement(entity, viewer.role), asking | keys_now):
                at = row["moment"]
                found[row["id"]] = reference(letter, at.year, row["id"]) if letter else ""
    return found


@lru_cache(maxsize=1_024)
def _statement(entity: str, role: Role) -> sa.Select[tuple[object, ...]]:
    """Made once for each entity and role; the viewer and the keys are parameters."""
    node = NODES[entity]
    table = node.table.alias()
    moment = _referenced(node)
    return sa.select(
        table.c.id,
        (table.c[moment.moment] if moment else sa.null()).label("moment"),
    ).where(
        table.c.id.in_(sa.bindparam("keys", expanding=True)), node.visible(table.c, Scope(role))
    )


def _letter(node: Node) -> str:
    found = _referenced(node)
    return found.letter if found else ""


def _referenced(node: Node) -> Referenced | None:
    declared = node.fields.get("reference")
    spec = declared.spec if declared is not None else None
    filtered = spec.filter if isinstance(spec, Leaf) else None
    return filtered if isinstance(filtered, Referenced) else None
