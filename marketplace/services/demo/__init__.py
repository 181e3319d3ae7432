"""The demo county: Jinxi with people, needs and offers that are made up, the same every time."""

from marketplace.services.demo.loading import (
    AlreadyLoaded,
    DemoResult,
    HalfLoaded,
    is_half_loaded,
    is_loaded,
    load,
    new_keys,
)
from marketplace.services.demo.size import DemoSize

__all__ = [
    "AlreadyLoaded",
    "DemoResult",
    "DemoSize",
    "HalfLoaded",
    "is_half_loaded",
    "is_loaded",
    "load",
    "new_keys",
]
