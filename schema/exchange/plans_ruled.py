"""Parts of a plan that have rules: how far each of them is proven, band by band."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import strawberry

from schema.scalars import BigInt


@strawberry.type(description="Levels of precedence that a part with rules decides together.")
class PlanBand:
    first_level: int = strawberry.field(description="The first of them, as in `levels`.")
    last_level: int = strawberry.field(description="The last of them.")
    asked: BigInt = strawberry.field(
        description="What is asked for, in units weighed by their reference value and level."
    )
    served: BigInt = strawberry.field(description="What the plan serves of it.")
    bound: BigInt = strawberry.field(
        description="What no plan exceeds that serves as much in every band before."
    )
    proven: bool = strawberry.field(description="Whether that is what the plan serves.")


@strawberry.type(description="One independent part of a plan that has rules.")
class PlanRuledPart:
    needs: int = strawberry.field(description="How many needs it has.")
    offers: int = strawberry.field(description="How many offers it has.")
    proven: bool = strawberry.field(description="Whether no better answer exists for it.")
    gap: float = strawberry.field(
        description="How far its first band that is not proven is from its bound, as a share."
    )
    unproven: list[str] = strawberry.field(
        description='What is not proven: "band 2", "cost" or "change".'
    )
    bands: list[PlanBand] = strawberry.field(description="Its bands, the highest first.")


def ruled_parts_of(stored: Mapping[str, object]) -> list[PlanRuledPart]:
    """The parts as they were kept with the plan's proof."""
    parts = cast("list[Mapping[str, object]]", stored.get("ruled") or [])
    return [
        PlanRuledPart(
            needs=int(str(part["needs"])),
            offers=int(str(part["offers"])),
            proven=part["status"] == "optimal",
            gap=float(str(part["gap"])),
            unproven=[str(stage) for stage in cast("list[object]", part["unproven"])],
            bands=[_band(band) for band in cast("list[Mapping[str, object]]", part["bands"])],
        )
        for part in parts
    ]


def _band(band: Mapping[str, object]) -> PlanBand:
    return PlanBand(
        first_level=int(str(band["first"])),
        last_level=int(str(band["last"])),
        asked=BigInt(int(str(band["asked"]))),
        served=BigInt(int(str(band["served"]))),
        bound=BigInt(int(str(band["bound"]))),
        proven=bool(band["proven"]),
    )
