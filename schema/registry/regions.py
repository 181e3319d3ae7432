"""Regions in the graph: the tree from province down to grid cell, open to everyone."""

from __future__ import annotations

import strawberry

from marketplace.domain.registry.regions import LocationSource, RegionLevel
from marketplace.persistence.tables.registry import regions
from schema.enums import described
from schema.readgraph.declare import Ascending, Edge, Entity, column, many, node, one, root
from schema.registry.trees import everyone, labelled

described(
    RegionLevel,
    "How far down the tree a region stands.",
    {
        RegionLevel.PROVINCE: "省, a province.",
        RegionLevel.PREFECTURE: "设区市, a prefecture-level city.",
        RegionLevel.COUNTY: "县, a county.",
        RegionLevel.TOWNSHIP: "乡镇, a township or town.",
        RegionLevel.VILLAGE: "村, 社区, a village or community.",
        RegionLevel.GRID: "网格, a grid cell.",
    },
)
described(
    LocationSource,
    "Where a region's coordinates come from.",
    {
        LocationSource.OWN: "Its own coordinates.",
        LocationSource.PARENT: "A stand-in: those of the region above it.",
        LocationSource.NONE: "None are known.",
    },
)


@node(
    table=regions,
    visible=everyone,
    order=(Ascending("treePosition"),),
    description="行政区划: one place in the tree from province down to grid cell.",
)
class Region(Entity):
    level: RegionLevel = column("level", "How far down the tree.", filter=RegionLevel, order=True)
    scheme: str = column("scheme", "Who gave the code: GB/T 2260, NBS-12 or LOCAL.", filter=True)
    code: str = column("code", "The code in its scheme.", filter=True, order=True)
    name: str = column("name_zh", "The Chinese name.", filter=True, order=True)
    label: str = labelled("name_zh", "name_en", "The name in a language.")
    latitude: float | None = column("latitude", "Degrees north, WGS 84.")
    longitude: float | None = column("longitude", "Degrees east, WGS 84.")
    location_source: LocationSource = column(
        "location_source", "Where the coordinates come from.", filter=LocationSource
    )
    tree_position: int = column(
        "tree_low", "The place in the tree read from top to bottom; changes as the tree grows.",
        order=True,
    )  # fmt: skip
    parent: Edge = one("Region", "parent_id", "The region above it.", filter=True)
    children: Edge = many("Region", "parent_id", "The regions right below it.")
    organizations: Edge = many("Organization", "region_id", "Organizations that are seated there.")
    households: Edge = many("Household", "region_id", "Households right there, not further below.")
    published_needs: Edge = many("PublishedNeed", "region_id", "Open needs published for it.")
    needs: Edge = many("Need", "region_id", "Needs of households right there.")


@strawberry.type
class RegionQuery:
    regions: Edge = root("Region", "Regions; by default in the order of the tree.")
