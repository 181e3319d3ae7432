"""Regions: the real tree of Fuzhou, loaded as often as one likes."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from marketplace.domain.errors import InvalidInput
from marketplace.domain.registry.regions import LocationSource, RegionLevel, RegionRow
from marketplace.domain.registry.trees import numbered
from marketplace.persistence.database import Database
from marketplace.persistence.tables import regions
from marketplace.services.registry import regions as service


async def test_the_package_brings_fuzhou_with_all_its_towns_and_the_villages_of_jinxi(
    database: Database,
) -> None:
    merged = await service.load(database, service.from_package())

    assert merged == (365, 0, 0)
    async with database.read() as db:
        counted = await db.rows(
            sa.select(regions.c.level, sa.func.count()).group_by(regions.c.level)
        )
        county = await db.row(sa.select(regions).where(regions.c.code == "361027"))
        assert county is not None
        inside = await db.scalar(
            sa.select(sa.func.count()).where(
                regions.c.tree_low > county["tree_low"], regions.c.tree_low <= county["tree_high"]
            )
        )
    assert dict(tuple(row.values()) for row in counted) == {
        "PROVINCE": 1,
        "PREFECTURE": 1,
        "COUNTY": 11,
        "TOWNSHIP": 181,
        "VILLAGE": 171,
    }
    assert inside == 15 + 171
    assert (county["scheme"], county["name_zh"], county["name_en"]) == (
        "GB/T 2260",
        "金溪县",
        "Jinxi County",
    )


async def test_loading_twice_changes_nothing(database: Database) -> None:
    await service.load(database, service.from_package())
    async with database.read() as db:
        before = await db.rows(sa.select(regions).order_by(regions.c.id))

    again = await service.load(database, service.from_package())

    assert again == (0, 0, 365)
    async with database.read() as db:
        assert await db.rows(sa.select(regions).order_by(regions.c.id)) == before


async def test_a_grid_cell_that_is_added_later_lies_in_its_village_and_moves_what_follows(
    database: Database,
) -> None:
    await service.load(database, service.from_package())
    village = ("NBS-12", "361027100001")
    cell = RegionRow(
        scheme="LOCAL",
        code="361027100001-1",
        parent=village,
        level=RegionLevel.GRID,
        name_zh="金山社区第一网格",
    )

    merged = await service.load(database, [cell])

    assert merged.added == 1
    async with database.read() as db:
        every = await db.rows(sa.select(regions).order_by(regions.c.tree_low))
    assert [row["tree_low"] for row in every] == list(range(1, len(every) + 1))
    by_id = {row["id"]: row for row in every}
    for row in every:
        above = by_id.get(row["parent_id"])
        if above is not None:
            assert above["tree_low"] < row["tree_low"] <= row["tree_high"] <= above["tree_high"]
    made = next(row for row in every if row["code"] == cell.code)
    assert by_id[made["parent_id"]]["code"] == village[1]


async def test_a_town_without_coordinates_stands_where_its_county_stands_and_says_so(
    database: Database,
) -> None:
    await service.load(database, service.from_package())

    async with database.read() as db:
        rows = {row["code"]: row for row in await db.rows(sa.select(regions))}
    xiugu, langju, county = rows["361027100"], rows["361027105"], rows["361027"]
    assert xiugu["location_source"] == LocationSource.OWN
    assert langju["location_source"] == LocationSource.PARENT
    assert (langju["latitude"], langju["longitude"]) == (county["latitude"], county["longitude"])
    assert rows["36"]["location_source"] == LocationSource.NONE
    assert rows["36"]["latitude"] is None
    assert rows["361027100001"]["location_source"] == LocationSource.PARENT


async def test_a_cycle_is_refused_and_leaves_the_tree_as_it_was(database: Database) -> None:
    await service.load(database, service.from_package())
    province = RegionRow(
        scheme="GB/T 2260",
        code="36",
        parent=("GB/T 2260", "361027"),
        level=RegionLevel.PROVINCE,
        name_zh="江西省",
    )

    with pytest.raises(InvalidInput) as refused:
        await service.load(database, [province])

    assert refused.value.faults[0].field == ("36",)
    async with database.read() as db:
        row = await db.row(sa.select(regions).where(regions.c.code == "36"))
    assert row is not None
    assert row["parent_id"] is None


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"parent": ("GB/T 2260", "999999")}, "UNKNOWN_PARENT"),
        ({"latitude": 28.0}, "INVALID"),
        ({"latitude": 128.0, "longitude": 116.0}, "INVALID"),
        ({"level": RegionLevel.PREFECTURE}, "INVALID"),
    ],
)
async def test_a_region_that_cannot_be_is_refused(
    database: Database, change: dict[str, object], code: str
) -> None:
    values: dict[str, object] = {
        "scheme": "NBS-12",
        "code": "361027999",
        "parent": ("GB/T 2260", "361027"),
        "level": RegionLevel.TOWNSHIP,
        "name_zh": "新镇",
    }

    with pytest.raises(InvalidInput) as refused:
        await service.load(database, [*service.from_package(), RegionRow(**values | change)])  # type: ignore[arg-type]

    assert [fault.code for fault in refused.value.faults] == [code]


def test_a_circle_below_no_root_is_found() -> None:
    with pytest.raises(InvalidInput) as refused:
        numbered({"a": None, "b": "c", "c": "b", "d": "c"})

    assert {fault.field[0] for fault in refused.value.faults} == {"b", "c", "d"}
    assert {fault.code for fault in refused.value.faults} == {"CYCLE"}


@given(st.lists(st.integers(0, 40), max_size=41))
def test_a_node_lies_in_another_s_interval_exactly_where_it_lies_below_it(
    choices: list[int],
) -> None:
    parents: dict[int, int | None] = {
        node: None if choice >= node else choice for node, choice in enumerate(choices)
    }

    tree = numbered(parents)

    assert sorted(low for low, _ in tree.values()) == list(range(1, len(parents) + 1))
    for node in parents:
        above: int | None = node
        ancestors = set()
        while above is not None:
            ancestors.add(above)
            above = parents[above]
        low = tree[node][0]
        assert {n for n, (a, b) in tree.items() if a <= low <= b} == ancestors
