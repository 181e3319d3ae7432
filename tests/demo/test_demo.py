"""The demo county: made up the same every time, and by the rules of the house."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import cast

import pytest
import sqlalchemy as sa

from marketplace.domain.exchange.publishing import cash_band_fen, severity_band
from marketplace.domain.permissions import Role, Viewer
from marketplace.domain.registry.accounts import NewKey
from marketplace.persistence.database import Database
from marketplace.persistence.exchange.invariants import broken
from marketplace.persistence.migrations import migrate
from marketplace.persistence.tables import (
    accounts,
    api_keys,
    assessments,
    campaigns,
    categories,
    consents,
    donations,
    events,
    government_aids,
    households,
    members,
    need_reviews,
    needs,
    offer_regions,
    offers,
    organizations,
    published_needs,
    referrals,
    regions,
)
from marketplace.services import demo
from marketplace.services.acting import Act
from marketplace.services.demo import AlreadyLoaded, DemoSize
from marketplace.services.registry.personal_data import read as read_personal_data
from tests.fixtures.county import SEALER

pytestmark = pytest.mark.one_database  # one county made up, as rows

SMALL = DemoSize(households=120, needs=150, offers=90)
CAMPAIGNS = ("慈善一日捐", "99公益日", "暖床前", "慈善情暖万家", "慈善+互联网")
NOON = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
SEALED = {"seal_id", "address_sealed", "phone_sealed", "name_sealed", "identity_number_sealed"}
SEALED |= {"birth_date_sealed", "note_sealed"}


@pytest.fixture
async def county(database_url: str) -> AsyncIterator[Database]:
    """A database whose clock stands still."""
    database = Database(database_url, clock=lambda: NOON)
    yield database
    await database.close()


async def rows(database: Database, table: sa.Table) -> list[dict[str, object]]:
    async with database.read() as db:
        return [dict(r) for r in await db.rows(sa.select(table).order_by(*table.primary_key))]


@pytest.mark.both_databases
async def test_the_county_holds_by_the_rules_of_the_exchange(county: Database) -> None:
    result = await demo.load(county, SEALER, size=SMALL)

    async with county.snapshot() as db:
        assert await broken(db) == []
    needed, shown = await rows(county, needs), await rows(county, published_needs)
    kinds = {row["id"]: row["kind"] for row in await rows(county, categories)}
    levels = {row["id"]: row["level"] for row in await rows(county, regions)}
    by_id = {row["id"]: row for row in needed}
    reviews = {(row["need_id"], row["reviewed_by"]) for row in await rows(county, need_reviews)}
    assert result.counts["needs"] == len(needed) == SMALL.needs
    assert len(await rows(county, offers)) == SMALL.offers
    titles = " ".join(str(row["title"]) for row in await rows(county, campaigns))
    assert all(name in titles for name in CAMPAIGNS)
    assert len(await rows(county, donations)) > 3 * len(await rows(county, campaigns))
    assert {"PUBLISHED", "DRAFT", "REFERRED"} <= {str(row["status"]) for row in needed}
    assert all((row["id"], row["referred_by"]) not in reviews for row in needed)
    for copy in shown:
        need = by_id[copy["need_id"]]
        assert levels[copy["region_id"]] == "TOWNSHIP"
        assert copy["severity_band"] == severity_band(int(str(need["severity"])))
        exact = int(str(need["quantity"]))
        is_cash = kinds[need["category_id"]] == "CASH"
        assert copy["quantity"] == (cash_band_fen(exact) if is_cash else exact)
    assert {row["need_id"] for row in shown if row["is_open"]} == {
        row["id"] for row in needed if row["status"] == "PUBLISHED"
    }
    # Feeds and webhooks hear of a need by its public copy alone.
    told = [row for row in await rows(county, events) if row["kind"] == "need.published"]
    copies = {row["need_id"]: row["id"] for row in shown}
    named = {row["entity_id"]: cast(dict[str, int], row["data"])["publishedNeedId"] for row in told}
    assert named == copies


async def test_needs_wait_for_consent_and_for_what_government_gives(county: Database) -> None:
    await demo.load(county, SEALER, size=SMALL)

    consented = {r["household_id"] for r in await rows(county, consents) if r["status"] == "GIVEN"}
    needed = await rows(county, needs)
    assert all(
        row["household_id"] in consented
        for row in needed
        if row["status"] not in ("DRAFT", "WITHDRAWN")
    )
    assert any(row["household_id"] not in consented for row in needed)
    assert any(row["quantity_by_government"] for row in needed)
    severities = {row["household_id"]: row["severity"] for row in await rows(county, assessments)}
    assert all(row["severity"] == severities[row["household_id"]] for row in needed)


async def test_unverified_organizations_offer_nothing_yet(county: Database) -> None:
    await demo.load(county, SEALER, size=SMALL)

    status = {row["id"]: row["status"] for row in await rows(county, organizations)}
    assert {"APPLIED", "VERIFIED"} <= set(status.values())
    for row in await rows(county, offers):
        verified = status[row["organization_id"]] == "VERIFIED"
        assert (row["status"] == "DRAFT") == (not verified)


async def test_every_role_has_a_key_that_is_kept_as_a_digest_only(county: Database) -> None:
    result = await demo.load(county, SEALER, size=SMALL)

    assert set(result.keys) == {str(role) for role in Role if role is not Role.PUBLIC} | {
        "ASSISTANCE_OFFICER_2",
        "CHARITY_OFFICER_2",
    }
    kept = {row["digest"]: row["account_id"] for row in await rows(county, api_keys)}
    role = {row["id"]: row["role"] for row in await rows(county, accounts)}
    for name, key in result.keys.items():
        assert role[kept[NewKey(key).digest]] == name.removesuffix("_2")
    stored = str(await rows(county, api_keys))
    assert not any(key in stored for key in result.keys.values())


async def test_lost_keys_are_replaced_and_the_old_ones_stand(county: Database) -> None:
    first = (await demo.load(county, SEALER, size=SMALL)).keys

    fresh = await demo.new_keys(county)

    assert set(fresh) == set(first)
    kept = {row["digest"]: row["account_id"] for row in await rows(county, api_keys)}
    for name, key in fresh.items():
        assert key != first[name]
        assert kept[NewKey(key).digest] == kept[NewKey(first[name]).digest]


async def test_loading_twice_is_refused_and_keeps_what_is_there(county: Database) -> None:
    assert not await demo.is_loaded(county)
    await demo.load(county, SEALER, size=SMALL)
    before = await rows(county, needs)

    with pytest.raises(AlreadyLoaded):
        await demo.load(county, SEALER, size=SMALL)

    assert await demo.is_loaded(county)
    assert await rows(county, needs) == before


async def test_progress_only_goes_forward_and_ends_at_the_whole(county: Database) -> None:
    told: list[tuple[float, str]] = []

    await demo.load(county, SEALER, lambda share, stage: told.append((share, stage)), size=SMALL)

    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert all(stage for _, stage in told)


@pytest.mark.both_databases
async def test_services_are_visits_with_a_rhythm_and_minutes_with_an_end(county: Database) -> None:
    await demo.load(county, SEALER, size=SMALL)

    kind = {row["id"]: row["kind"] for row in await rows(county, categories)}
    visits = [row for row in await rows(county, needs) if row["visit_minutes"] is not None]
    time = [row for row in await rows(county, offers) if row["kind"] == "SERVICE"]
    assert {kind[row["category_id"]] for row in visits} == {"SERVICE"}
    assert any(row["every_days"] == 7 for row in visits)
    assert any(row["visits_per_day"] is not None for row in time)
    assert any(row["radius_km"] is not None for row in time)
    async with county.snapshot() as db:
        assert await broken(db) == []


async def test_nobody_in_it_can_be_meant(county: Database) -> None:
    await demo.load(county, SEALER, size=SMALL)

    async with county.read() as db:
        auditor = await db.row(sa.select(accounts).where(accounts.c.role == "AUDITOR"))
    assert auditor is not None
    act = Act(viewer=Viewer(role=Role.AUDITOR, account_id=auditor["id"]))
    for row in (await rows(county, households))[:20]:
        person = await read_personal_data(county, act, SEALER, int(str(row["id"])), "抽查演示数据")
        assert person.phone is None or person.phone.startswith("100")
        assert all((m.identity_number or "").startswith("999027") for m in person.members)


async def test_the_same_seed_makes_the_same_county(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    made = []
    for name in ("one", "two"):
        url = f"sqlite:///{tmp_path_factory.mktemp(name) / 'aidloop.db'}"
        migrate(sa.make_url(url))
        database = Database(url.replace("sqlite:", "sqlite+aiosqlite:"), clock=lambda: NOON)
        await demo.load(database, SEALER, size=SMALL)
        made.append({t.name: await rows(database, t) for t in TABLES})
        await database.close()

    for table in TABLES:
        for one, two in zip(made[0][table.name], made[1][table.name], strict=True):
            assert {k: v for k, v in one.items() if k not in SEALED} == {
                k: v for k, v in two.items() if k not in SEALED
            }


TABLES = (
    regions,
    categories,
    organizations,
    accounts,
    households,
    members,
    assessments,
    government_aids,
    consents,
    referrals,
    needs,
    need_reviews,
    published_needs,
    offers,
    offer_regions,
    events,
)
