"""Services of a database from before visits: upgraded, they promise what they did."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from marketplace.persistence import migrations
from marketplace.persistence.database import Database
from tests.fixtures.invariants import all_is_well

WHEN = datetime(2026, 6, 1, tzinfo=UTC)


def _put(db: sa.Connection, table: str, **values: Any) -> int:
    names = ", ".join(values)
    marks = ", ".join(f":{name}" for name in values)
    said = sa.text(f"INSERT INTO {table} ({names}) VALUES ({marks}) RETURNING id")
    return int(db.execute(said, values).scalar_one())


def _an_old_market(db: sa.Connection) -> dict[str, int]:
    now = WHEN.replace(tzinfo=None) if db.dialect.name == "sqlite" else WHEN
    region = _put(
        db, "regions", level="COUNTY", scheme="LOCAL", code="c", name_zh="县", tree_low=1,
        tree_high=1,
    )  # fmt: skip
    kinds = {"tutoring": ("minute", 80), "haircut": ("visit", 2_000)}
    category = {
        code: _put(
            db, "categories", code=code, kind="SERVICE", unit=unit, reference_price_fen=price,
            label_zh=code, label_en=code, tree_low=n, tree_high=n,
        )
        for n, (code, (unit, price)) in enumerate(kinds.items(), 1)
    }  # fmt: skip
    home = _put(db, "households", region_id=region, member_count=1, seal_id="h", created_at=now)
    giver = _put(
        db, "organizations", kind="CHARITY", status="VERIFIED", name="o", region_id=region,
        created_at=now,
    )  # fmt: skip
    made = dict(category)
    for code, asked, covered, drawn in (("tutoring", 450, 90, 90), ("haircut", 5, 2, 2)):
        need = _put(
            db, "needs", household_id=home, category_id=category[code], region_id=region,
            status="WITHDRAWN", quantity_asked=asked, quantity=asked, covered=covered,
            severity=50, seal_id=code, created_at=now,
        )  # fmt: skip
        offer = _put(
            db, "offers", organization_id=giver, category_id=category[code], kind="SERVICE",
            quantity=asked * 2, reserved=0, delivered=drawn, pack_size=1, starts_at=now,
            created_at=now,
        )  # fmt: skip
        _put(
            db, "allocations", need_id=need, offer_id=offer, origin="PLAN", status="DELIVERED",
            units_served=covered, units_drawn=drawn, created_at=now,
        )  # fmt: skip
        made |= {f"{code} need": need, f"{code} offer": offer}
    return made


async def test_old_services_become_visits_and_minutes_and_nothing_is_lost(
    database_url: str,
) -> None:
    url = migrations.url_of(database_url)
    migrations.migrate(url, "0004")
    engine = sa.create_engine(
        url.set(drivername="sqlite") if url.get_backend_name() == "sqlite" else url
    )
    with engine.begin() as db:
        made = _an_old_market(db)
    engine.dispose()

    migrations.migrate(url)

    assert migrations.differences(url) == []
    database = Database(database_url)
    async with database.read() as read:

        async def row(table: str, name: str, columns: str) -> tuple[Any, ...]:
            said = sa.text(f"SELECT {columns} FROM {table} WHERE id = :id")
            found = await read.row(said, {"id": made[name]})
            assert found is not None
            return tuple(found.values())

        shown = "quantity, covered, visit_minutes, every_days"
        # 450 minutes of which 90 were given: five visits of 90 minutes, one of them made.
        assert await row("needs", "tutoring need", shown) == (5, 1, 90, None)
        assert await row("needs", "haircut need", shown) == (5, 2, 60, None)
        assert await row("offers", "tutoring offer", "quantity, delivered") == (900, 90)
        assert await row("offers", "haircut offer", "quantity, delivered") == (600, 120)
        assert await row("categories", "tutoring", "unit, reference_price_fen") == ("visit", 4_800)
        said = sa.text("SELECT units_served, units_drawn FROM allocations ORDER BY id")
        moved = [(r["units_served"], r["units_drawn"]) for r in await read.rows(said)]
        assert moved == [(1, 90), (2, 120)]
        ends = sa.text("SELECT count(*) FROM offers WHERE expires_at > :soon")
        soon = datetime.now(UTC) + timedelta(days=360)
        soon = soon.replace(tzinfo=None) if database.dialect == "sqlite" else soon
        assert await read.scalar(ends, {"soon": soon}) == 2
    await all_is_well(database)
    await database.close()
