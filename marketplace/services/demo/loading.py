"""Loading the demo county: trees first, then all of its people in one transaction, or nobody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from marketplace.domain.errors import Conflict
from marketplace.domain.events import Event
from marketplace.domain.exchange.needs import NeedStatus
from marketplace.domain.registry.accounts import new_key
from marketplace.persistence import events
from marketplace.persistence.crypto import Sealer
from marketplace.persistence.database import Database, Reading, Writing
from marketplace.persistence.exchange.government_aid import aid_row
from marketplace.persistence.registry import accounts, households
from marketplace.persistence.registry import organizations as organization_rows
from marketplace.persistence.tables import (
    assessments,
    consents,
    government_aids,
    offer_regions,
    offers,
)
from marketplace.services.demo import cases as casework
from marketplace.services.demo import desk, families, giving, ground, supply
from marketplace.services.demo.ground import Ground, Staff
from marketplace.services.demo.people import People
from marketplace.services.demo.size import SEED, DemoSize, dice
from marketplace.services.demo.story.replay import replay
from marketplace.services.registry import categories, lines, regions
from marketplace.settings import Settings

Progress = Callable[[float, str], None]


STAFF_SINCE = datetime(2022, 12, 20, 1, tzinfo=UTC)
STORY_SHARE = 0.75  # of the time that loading takes
FIRST_HOUSEHOLD = families.REFERENCE.format(1)  # written last: with it the county is whole


class AlreadyLoaded(Conflict):
    """The demo county is in this database already; nothing was changed."""

    code = "ALREADY_LOADED"


class HalfLoaded(Conflict):
    """Loading the demo county was broken off; it must be started afresh."""

    code = "HALF_LOADED"


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoResult:
    """`keys` by role, and how much of everything there is now."""

    keys: Mapping[str, str] = field(repr=False)
    counts: Mapping[str, int]


async def is_loaded(database: Database) -> bool:
    """Whether the whole county is there."""
    async with database.read() as db:
        return await households.reference_taken(db, FIRST_HOUSEHOLD)


async def is_half_loaded(database: Database) -> bool:
    """Whether loading began and was broken off."""
    async with database.read() as db:
        began = await organization_rows.reference_taken(db, ground.MARK)
    return began and not await is_loaded(database)


async def load(
    database: Database,
    sealer: Sealer,
    on_progress: Progress | None = None,
    *,
    size: DemoSize | None = None,
    seed: int = SEED,
    story: Settings | None = None,
) -> DemoResult:
    """Make up the county, the same for the same seed and day.

    on_progress    told a share of 0..1 and the stage's name
    story          what to plan with, to live through 2023 first; None: today's market alone
    Raises AlreadyLoaded, and then keeps what is there, or HalfLoaded.
    """
    tell = on_progress or (lambda share, stage: None)
    size = size or DemoSize()
    tell(0.0, "regions")
    listed = regions.from_package()
    await regions.load(database, [*listed, *ground.cells(listed)])
    await categories.load(database, categories.from_package())
    await lines.seed(database)
    async with database.write() as db:
        if await organization_rows.reference_taken(db, ground.MARK):
            raise await _loaded_before(db)
        on = await ground.read(db, database.now())
        thrown = _throw(on, size, seed)
        organizations, staff = await _staff(db, on, thrown)
    share = STORY_SHARE if story is not None else 0.0
    if story is not None:
        await replay(
            database,
            sealer,
            story,
            ground=on,
            staff=staff,
            providers={str(row["name"]): int(str(row["id"])) for row in organizations},
            seed=seed,
            tell=lambda part, stage: tell(0.05 + (STORY_SHARE - 0.05) * part, stage),
        )
    async with database.write() as db:
        result = await _people(
            db,
            on,
            sealer,
            thrown,
            staff,
            organizations,
            seed,
            lambda part, stage: tell(share + (1 - share) * part, stage),
        )
    tell(1.0, "done")
    return result


async def new_keys(database: Database) -> dict[str, str]:
    """Fresh keys for the demo's accounts, where the first ones were lost; the old ones stand."""
    async with database.write() as db:
        return await _keys(db, database.now())


async def _loaded_before(db: Reading) -> Conflict:
    if await households.reference_taken(db, FIRST_HOUSEHOLD):
        return AlreadyLoaded.of("", "The demo county is loaded already.", "演示县数据已载入。")
    return HalfLoaded.of(
        "",
        "Loading the demo county was broken off. Start afresh: make demo-reset",
        "演示县数据上次未载入完毕，请重新开始：make demo-reset",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Thrown:
    """Today's families with their cases and needs, before they have keys."""

    homes: Sequence[families.Home]
    cases: Sequence[casework.Case]
    drafts: Sequence[casework.NeedDraft]
    size: DemoSize


def _throw(on: Ground, size: DemoSize, seed: int) -> _Thrown:
    thrown = dice(seed, "homes")
    homes = families.homes(size.households, on.places, People(thrown, on.now.date()), thrown)
    cases = casework.cases(homes, on, dice(seed, "cases"))
    drafts = casework.need_drafts(cases, size, on, dice(seed, "needs"))
    return _Thrown(homes=homes, cases=cases, drafts=drafts, size=size)


async def _staff(db: Writing, on: Ground, thrown: _Thrown) -> tuple[list[dict[str, object]], Staff]:
    """Organizations and accounts, there since before the story."""
    organizations, told = await ground.add_organizations(db, on, STAFF_SINCE)
    cell = _busiest_cell(on, thrown.homes)
    staff = await ground.add_staff(db, on, organizations, grid_cell=cell, now=STAFF_SINCE)
    await events.append_many(db, told)
    return organizations, staff


async def _people(
    db: Writing,
    on: Ground,
    sealer: Sealer,
    thrown: _Thrown,
    staff: Staff,
    organizations: Sequence[Mapping[str, object]],
    seed: int,
    tell: Progress,
) -> DemoResult:
    """Today's market: its families, needs and offers, in one transaction."""
    tell(0.1, "households")
    homes, cases, drafts = thrown.homes, thrown.cases, thrown.drafts
    keys = await households.add_many(
        db, sealer, [home.household for home in homes], [case.since for case in cases]
    )
    applicant = keys[next(d.case for d in drafts if d.status is NeedStatus.PUBLISHED)]
    await ground.add_applicant(db, applicant, now=on.now)
    tell(0.5, "cases")
    told = await _add_cases(db, on, staff, cases, keys)
    tell(0.65, "needs")
    desks = desk.Desk(ground=on, staff=staff, cases=cases, households=keys, dice=dice(seed, "desk"))
    told += await desk.work(db, desks, drafts)
    tell(0.8, "offers")
    offered = supply.offer_drafts(
        desk.open_units(drafts), organizations, on, thrown.size, dice(seed, "offers")
    )
    told += await _add_offers(db, on, staff, offered, seed)
    told += await giving.add(db, on, staff, sealer, organizations, seed)
    tell(0.9, "events")
    await events.append_many(db, sorted(told, key=lambda event: event.at))
    return DemoResult(
        keys=await _keys(db, on.now),
        counts={
            "regions": len(on.regions),
            "categories": len(on.categories),
            "organizations": len(organizations),
            "households": len(keys),
            "members": sum(len(home.household.members) for home in homes),
            "needs": len(drafts),
            "offers": len(offered),
            "events": len(told),
        },
    )


async def _add_cases(
    db: Writing,
    on: Ground,
    staff: Staff,
    cases: Sequence[casework.Case],
    keys: Sequence[int],
) -> list[Event]:
    """Assessments, government aid and consents of all households; what happened to them."""
    told, assessed, consented, aided = [], [], [], []
    for number, (case, key) in enumerate(zip(cases, keys, strict=True), 1):
        town = str(on.town_of(case.home.household.region_id)["code"])
        officer = staff.by_town[town]
        assistance = staff.by_role[("ASSISTANCE_OFFICER", "ASSISTANCE_OFFICER_2")[number % 2]]
        row = households.assessment_row(
            key, case.home.found, case.assessed, assessed_by=officer, assessed_at=case.since
        )
        assessed.append(row)
        members = len(case.home.household.members)
        told += [
            _event("household.registered", case, key, officer, members=members),
            _event("household.assessed", case, key, officer, severity=row["severity"]),
        ]
        consent = casework.consent_row(case, number, key, officer, on.now)
        if consent is not None:
            consented.append(consent)
        aided += [
            aid_row(command, decided_by=assistance, now=case.since)
            for command in casework.aid_commands(case, key, on)
        ]
    await db.insert_many(assessments, assessed)
    await db.insert_many(government_aids, aided)
    for key, row in zip(await db.insert_keys(consents, consented), consented, strict=True):
        told.extend(_of_consent(key, row))
    return told


def _event(kind: str, case: casework.Case, key: int, by: int, **data: object) -> Event:
    return Event(
        kind=kind, at=case.since, entity="Household", entity_id=key, account_id=by, data=data
    )


def _of_consent(key: int, row: Mapping[str, object]) -> Iterator[Event]:
    given_at, ended_at, by = row["given_at"], row["ended_at"], row["recorded_by"]
    assert isinstance(given_at, datetime)
    assert isinstance(by, int)
    entity = {"entity": "Consent", "entity_id": key, "account_id": by}
    yield Event(kind="consent.given", at=given_at, data={"purpose": row["purpose"]}, **entity)  # type: ignore[arg-type]
    if isinstance(ended_at, datetime):
        yield Event(kind="consent.withdrawn", at=ended_at, **entity)  # type: ignore[arg-type]


async def _add_offers(
    db: Writing, on: Ground, staff: Staff, drafts: Sequence[supply.OfferDraft], seed: int
) -> list[Event]:
    ages = dice(seed, "ages")
    rows = [
        draft.row(on, staff, timedelta(days=ages.uniform(1, 60)))
        | {"external_reference": f"DEMO-O{number:05d}"}
        for number, draft in enumerate(drafts, 1)
    ]
    keys = await db.insert_keys(offers, rows)
    await db.insert_many(
        offer_regions,
        [
            {"offer_id": key, "region_id": region_id}
            for key, draft in zip(keys, drafts, strict=True)
            for region_id in draft.terms.region_ids
        ],
    )
    return [
        Event(
            kind="offer.posted",
            at=row["created_at"],  # type: ignore[arg-type]
            entity="Offer",
            entity_id=key,
            account_id=row["posted_by"],  # type: ignore[arg-type]
            data={"status": row["status"]},
        )
        for key, row in zip(keys, rows, strict=True)
    ]


def _busiest_cell(on: Ground, homes: Sequence[families.Home]) -> int:
    """The grid cell with the most households of the town whose officer has a key.

    Its worker has something to see, and what it brings that officer can confirm.
    """
    town = on.regions[ground.TOWN]["id"]
    counts = Counter(
        home.household.region_id
        for home in homes
        if on.town_of(home.household.region_id)["id"] == town
    )
    return max(counts, key=lambda region_id: (counts[region_id], -region_id))


async def _keys(db: Writing, now: datetime) -> dict[str, str]:
    """A new key for each of the demo's accounts that stand for a role."""
    known = await accounts.by_name(db, [label for label, _ in ground.key_names().values()])
    keys = {}
    for name, (label, role) in sorted(ground.key_names().items()):
        made = new_key()
        await accounts.add_key(db, known[label, role], made, now=now)
        keys[name] = made.key
    return keys
