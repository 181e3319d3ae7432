"""A region: one place in the tree from province down to grid cell."""

from __future__ import annotations

from enum import StrEnum


class RegionLevel(StrEnum):
    PROVINCE = "PROVINCE"
    PREFECTURE = "PREFECTURE"
    COUNTY = "COUNTY"
    TOWNSHIP = "TOWNSHIP"
    VILLAGE = "VILLAGE"
    GRID = "GRID"


class LocationSource(StrEnum):
    """Where a region's coordinates come from; a stand-in is never passed off as its own."""

    OWN = "OWN"
    PARENT = "PARENT"
    NONE = "NONE"
