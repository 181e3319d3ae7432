"""Categories: what a county hands out, and the trees that are refused."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa

from marketplace.domain.errors import InvalidInput
from marketplace.domain.registry.categories import CategoryKind, CategoryRow, tree_of
from marketplace.persistence.database import Database
from marketplace.persistence.tables import categories
from marketplace.services.registry import categories as service

RICE = CategoryRow(
    code="rice",
    parent="staple",
    kind=CategoryKind.GOODS,
    unit="kg",
    reference_price_fen=560,
    label_zh="大米",
    label_en="Rice",
)
STAPLE = replace(RICE, code="staple", parent=None)


def test_the_package_brings_at_least_sixty_leaves_of_each_kind_of_help() -> None:
    rows = service.from_package()

    parents = {row.parent for row in rows}
    leaves = [row for row in rows if row.code not in parents]
    assert len(leaves) >= 60
    assert {row.kind for row in leaves} == set(CategoryKind)
    assert all(row.label_zh and row.label_en and row.reference_price_fen for row in leaves)
    wanted = {"rice", "quilt", "heater", "wheelchair", "school_kit", "tuition_aid", "home_repair"}
    wanted |= {"doorstep_haircut", "free_clinic", "home_visit", "legal_help", "chronic_medicine"}
    assert wanted <= {row.code for row in rows}


async def test_loading_twice_changes_nothing_and_a_new_price_changes_one_row(
    database: Database,
) -> None:
    rows = service.from_package()
    first = await service.load(database, rows)

    again = await service.load(database, rows)
    dearer = [replace(row, reference_price_fen=600) for row in rows if row.code == "rice"]
    changed = await service.load(database, dearer)

    assert (first.added, again) == (len(rows), (0, 0, len(rows)))
    assert changed == (0, 1, len(rows) - 1)
    async with database.read() as db:
        price = await db.scalar(
            sa.select(categories.c.reference_price_fen).where(categories.c.code == "rice")
        )
    assert price == 600


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([STAPLE, replace(RICE, unit="bag")], "TWO_UNITS"),
        ([STAPLE, replace(RICE, unit=None, reference_price_fen=None)], "TWO_UNITS"),
        ([STAPLE, replace(RICE, kind=CategoryKind.SERVICE)], "INVALID"),
        ([STAPLE, replace(RICE, reference_price_fen=None)], "INVALID"),
        ([STAPLE, replace(RICE, reference_price_fen=0)], "INVALID"),
        ([STAPLE, RICE, RICE], "DUPLICATE"),
        ([replace(STAPLE, unit="stone")], "INVALID"),
        ([replace(STAPLE, unit="fen")], "INVALID"),
        ([replace(STAPLE, unit=None, reference_price_fen=None)], "REQUIRED"),
        ([RICE], "UNKNOWN_PARENT"),
        ([RICE, replace(STAPLE, parent="rice")], "CYCLE"),
    ],
)
def test_a_list_that_makes_no_market_is_refused(rows: list[CategoryRow], code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        tree_of(rows)

    assert code in {fault.code for fault in refused.value.faults}


def test_above_the_matchable_subtrees_units_may_differ() -> None:
    goods = replace(STAPLE, code="goods", unit=None, reference_price_fen=None)
    quilt = replace(RICE, code="quilt", parent="goods", unit="piece")

    tree = tree_of([goods, replace(STAPLE, parent="goods"), RICE, quilt])

    assert tree == {"goods": (1, 4), "staple": (2, 3), "rice": (3, 3), "quilt": (4, 4)}
