"""The arithmetic of a need's quantity, as the graph says it."""

from __future__ import annotations

from typing import Any

import strawberry

from schema.exchange.amounts import in_units
from schema.scalars import BigInt, Quantity


@strawberry.type(description="One line of the arithmetic.")
class ResidualStep:
    en: str = strawberry.field(description="In English.")
    zh: str = strawberry.field(description="In Chinese.")
    units: BigInt = strawberry.field(description="What it adds, or takes where it is below zero.")


@strawberry.type(description="What was asked, less what government gives: what is left open.")
class Residual:
    asked: Quantity = strawberry.field(description="What was asked for at first.")
    by_government: Quantity = strawberry.field(description="What government gives of it in all.")
    left: Quantity = strawberry.field(description="What charity is asked for.")
    steps: list[ResidualStep] = strawberry.field(
        description="Each line; only the sum of needs that came by file and were not reckoned yet."
    )


def residual_of(
    kept: dict[str, Any] | None, asked: int, by_government: int, overlap: int, unit: str | None
) -> Residual:
    """The arithmetic as it was kept, or what the need's own numbers say of it."""
    given = by_government + overlap
    steps = (kept or {}).get("steps") or [
        {"en": f"Asked for: {asked}.", "zh": f"申请：{asked}。", "units": asked},
        {
            "en": f"Government gives {given} of it.",
            "zh": f"政府救助已覆盖 {given}。",
            "units": -given,
        },
    ]
    return Residual(
        asked=in_units(asked, unit),
        by_government=in_units(given, unit),
        left=in_units(asked - given, unit),
        steps=[
            ResidualStep(en=step["en"], zh=step["zh"], units=BigInt(int(step["units"])))
            for step in steps
        ],
    )
