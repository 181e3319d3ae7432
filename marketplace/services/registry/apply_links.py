"""Links that households of a place apply by."""

from __future__ import annotations

from urllib.parse import urlencode

from marketplace.domain.errors import InvalidInput, NotFound
from marketplace.domain.permissions import require
from marketplace.persistence.database import Database
from marketplace.persistence.registry import regions
from marketplace.services.acting import Act
from marketplace.services.registry.applications import APPLY_LEVELS
from marketplace.services.registry.households import within
from marketplace.settings import Settings


async def link_to(database: Database, act: Act, settings: Settings, region_id: int) -> str:
    """The address of the form with the place filled in.

    Raises Unauthenticated or Forbidden by role, NotFound outside the viewer's scope, InvalidInput
    for a place that nobody can say to live in.
    """
    require(act.viewer, "applicationLink")
    async with database.read() as db:
        region = await regions.by_id(db, region_id)
    if region is None or not within(act.viewer, region["tree_low"]):
        raise NotFound
    if region["level"] not in APPLY_LEVELS:
        raise InvalidInput.of(
            "region_id",
            "Choose a township, village, community or grid cell.",
            "请选择乡镇、村（社区）或网格。",
        )
    base = settings.public_url.rstrip("/") or f"http://{settings.host}:{settings.port}"
    return f"{base}/apply?{urlencode({'region': region['code']})}"
