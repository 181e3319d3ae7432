"""How large the demo county is, and the dice that all of it is thrown with."""

from __future__ import annotations

import random
from dataclasses import dataclass

SEED = 361027


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoSize:
    """Needs come out a little below: what government aid covers whole is no need."""

    households: int = 2_000
    needs: int = 3_000
    offers: int = 300

    def __post_init__(self) -> None:
        if self.households < 50 or self.needs < 50 or self.offers < 50:
            raise ValueError("a county of fewer than fifty of anything has no market to show")


def dice(seed: int, of: str) -> random.Random:
    """Dice of their own for each part, so that one part more does not change the others."""
    return random.Random(f"{seed}/{of}")  # noqa: S311  # a made-up county, no secret
