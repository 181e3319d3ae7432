"""Importing households: each row is a member, rows with one number are one household."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from marketplace.domain.errors import Fault, InvalidInput, Text
from marketplace.domain.events import Event
from marketplace.domain.registry.assessments import (
    Assessed,
    Circumstances,
    Lines,
    area_of,
    assess,
)
from marketplace.domain.registry.households import (
    NewMember,
    RegisterHousehold,
    Relation,
    household_faults,
)
from marketplace.domain.registry.regions import RegionLevel, region_code
from marketplace.persistence import imports
from marketplace.persistence.crypto import Sealer
from marketplace.persistence.database import Reading, Row, Writing
from marketplace.persistence.registry import households as household_rows
from marketplace.persistence.tables import assessments, households
from marketplace.services.importing import cells, values
from marketplace.services.importing.columns import HOUSEHOLDS
from marketplace.services.importing.job import Job, Write, events_of, mark_there, unknown
from marketplace.services.importing.rows import Cells, rows_of
from marketplace.services.registry.lines import known_lines, lines_of

HOME_LEVELS = frozenset({RegionLevel.VILLAGE, RegionLevel.GRID})
COLUMN_OF = {"external_reference": "household", "members": "relation"}
AMOUNTS = ("income", "medical", "education", "disability_care", "housing", "disaster")
COLUMN_OF |= {f"{name}_fen_month": name for name in AMOUNTS} | {"property_fen": "property"}


@dataclass(slots=True)
class Family:
    """The rows of one household, the first of which says what holds for all."""

    rows: list[Cells]
    command: RegisterHousehold
    found: Circumstances | None
    region: Row | None
    assessed: Assessed | None = None

    @property
    def first(self) -> Cells:
        return self.rows[0]

    @property
    def is_out(self) -> bool:
        return any(row.is_out for row in self.rows)


async def check(db: Reading, job: Job) -> Write:
    rows = rows_of(job.table, HOUSEHOLDS, job.findings)
    wanted = {row.text("household") for row in rows}
    mark_there(rows, "household", await imports.references(db, households, wanted))
    places = await imports.regions_by_code(db, {region_code(row.text("region")) for row in rows})
    families = [_family(part, places) for part in _by_household(rows)]
    counties, known = await imports.county_codes(db), await known_lines(db)
    for family in families:
        _check_family(family, job, counties, known)
    await _refuse_known_people(db, families, job.sealer)
    good = [family for family in families if not family.is_out]
    # A household is whole or it is not: rows beside a bad one are not taken alone.
    for family in families:
        if family.is_out and family.first.number not in job.findings.there_rows:
            job.findings.bad_rows.update(row.number for row in family.rows)
    return _writer(good, job)


def _writer(good: Sequence[Family], job: Job) -> Write:
    async def write(db: Writing) -> list[Event]:
        commands = [family.command for family in good]
        keys = await household_rows.add_many(db, job.sealer, commands, [job.now] * len(good))
        rows = [
            household_rows.assessment_row(
                key, family.found, family.assessed, assessed_by=None, assessed_at=job.now
            )
            for key, family in zip(keys, good, strict=True)
            if family.found is not None and family.assessed is not None
        ]
        await db.insert_many(assessments, rows)
        assessed = [int(str(row["household_id"])) for row in rows]
        return [
            *events_of("household.registered", "Household", keys, job.now),
            *events_of("household.assessed", "Household", assessed, job.now),
        ]

    return write


def _by_household(rows: Sequence[Cells]) -> list[list[Cells]]:
    """Rows by household, each where its first row stands; rows without a number are refused."""
    parts: dict[str, list[Cells]] = {}
    for row in rows:
        number = row.required("household", values.line, "")
        if number:
            parts.setdefault(number, []).append(row)
    return [part for part in parts.values() if not part[0].is_out]


def _family(rows: list[Cells], places: Mapping[str, Row]) -> Family:
    first = rows[0]
    code = region_code(first.required("region", values.line, ""))
    region = places.get(code)
    if code and region is None:
        unknown(first, "region", "There is no region with this code.", "没有此区划代码。")
    latitude = first.read("latitude", lambda typed: cells.decimal(typed, -90, 90), None)
    longitude = first.read("longitude", lambda typed: cells.decimal(typed, -180, 180), None)
    command = RegisterHousehold(
        region_id=region["id"] if region is not None else 0,
        members=tuple(_member(row, row is first) for row in rows),
        address=first.read("address", values.line, ""),
        phone=first.text("phone") or None,
        monitoring_category=first.read("monitoring", values.monitoring, None),
        member_count=first.read("member_count", lambda typed: cells.whole(typed, 1, 50), None),
        latitude=latitude,
        longitude=longitude,
        external_reference=first.text("household"),
    )
    return Family(rows, command, _found(first, command), region)


def _member(row: Cells, is_first: bool) -> NewMember:
    """Whoever stands first is the head, unless the file says otherwise."""
    return NewMember(
        name=row.required("name", values.line, "?"),
        relation=row.read(
            "relation", values.relation, Relation.SELF if is_first else Relation.OTHER
        ),
        identity_number=row.text("identity_number") or None,
        birth_date=row.read("birth_date", values.day, None),
        target_groups=row.read("groups", values.groups, 0),
    )


def _found(first: Cells, command: RegisterHousehold) -> Circumstances | None:
    """What the household lives on; without an income there is no assessment."""
    if not first.text("income"):
        return None
    return Circumstances(
        member_count=command.heads,
        target_groups=command.groups,
        income_fen_month=first.read("income", values.fen, 0),
        property_fen=first.read("property", values.fen, 0),
        medical_fen_month=first.read("medical", values.fen, 0),
        education_fen_month=first.read("education", values.fen, 0),
        disability_care_fen_month=first.read("disability_care", values.fen, 0),
        housing_fen_month=first.read("housing", values.fen, 0),
        disaster_fen_month=first.read("disaster", values.fen, 0),
    )


def _check_family(
    family: Family, job: Job, counties: Sequence[tuple[int, int, str]], known: Sequence[Lines]
) -> None:
    first, region = family.first, family.region
    for fault in household_faults(family.command, today=job.now.date()):
        _at_member(family, fault).refuse_all([fault], COLUMN_OF)
    if region is None:
        return
    if region["level"] not in HOME_LEVELS:
        why = Text(
            "A household lives in a village, community or grid cell: give a code below this one.",
            "家庭须登记在村（社区）或网格，请填写其下级代码。",
        )
        first.refuse("region", "INVALID", why)
        return
    if family.found is None or family.is_out:
        return
    county = next((c for low, high, c in counties if low <= region["tree_low"] <= high), None)
    try:
        lines = lines_of(county, area_of(region["code"]), job.now.date(), known)
        family.assessed = assess(family.found, lines)
    except InvalidInput as refused:
        first.refuse_all(refused.faults, COLUMN_OF | {"household_id": "income"})


def _at_member(family: Family, fault: Fault) -> Cells:
    """The row of the member that a fault is of; what is of nobody stands at the first."""
    if len(fault.field) == 3 and fault.field[0] == "members":
        return family.rows[int(fault.field[1])]
    return family.first


async def _refuse_known_people(db: Reading, families: Sequence[Family], sealer: Sealer) -> None:
    """Nobody belongs to two households, neither in the file nor in the database."""
    indexes = {
        row.number: household_rows.identity_index(sealer, row.text("identity_number"))
        for family in families
        for row in family.rows
        if row.text("identity_number")
    }
    known = await household_rows.known_numbers(db, indexes.values())
    first_at: dict[str, int] = {}
    for family in families:
        for row in family.rows:
            index = indexes.get(row.number)
            if index is None:
                continue
            first = first_at.setdefault(index, row.number)
            if index in known:
                why = Text(
                    "A person with this number is registered in a household already.",
                    "此身份证号码已登记在其他家庭。",
                )
                row.refuse("identity_number", "ALREADY_REGISTERED", why)
            elif first != row.number:
                why = Text(f"Row {first} has the same number.", f"与第 {first} 行号码相同。")
                row.refuse("identity_number", "DUPLICATE", why)
