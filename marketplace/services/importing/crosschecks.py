"""Importing a cross-check: people found to be at risk; who is known is flagged, others apply."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from marketplace.domain.errors import Text
from marketplace.domain.events import Event
from marketplace.domain.registry.applications import (
    ApplicationChannel,
    SubmitApplication,
    person_faults,
)
from marketplace.domain.registry.households import MonitoringCategory, phone_faults
from marketplace.domain.registry.regions import region_code
from marketplace.persistence import imports
from marketplace.persistence.database import Reading, Row, Writing
from marketplace.persistence.registry import applications as application_rows
from marketplace.persistence.registry import duplicates
from marketplace.persistence.registry import households as household_rows
from marketplace.services.importing import values
from marketplace.services.importing.columns import CROSS_CHECK
from marketplace.services.importing.job import Job, Write, events_of, unknown
from marketplace.services.importing.rows import Cells, refuse_repeated, rows_of
from marketplace.services.registry.applications import APPLY_LEVELS


@dataclass(frozen=True, slots=True)
class Person:
    """A row: somebody, and what the cross-check found."""

    row: Cells
    index: str
    category: MonitoringCategory
    command: SubmitApplication


async def check(db: Reading, job: Job) -> Write:
    rows = rows_of(job.table, CROSS_CHECK, job.findings)
    refuse_repeated(rows, "identity_number")
    places = await imports.regions_by_code(db, {region_code(row.text("region")) for row in rows})
    people = [_person(row, places, job) for row in rows]
    good = [person for person in people if not person.row.is_out]
    indexes = [person.index for person in good]
    known = await household_rows.of_numbers(db, indexes)
    waiting = await application_rows.waiting_numbers(db, indexes)
    flags: dict[int, MonitoringCategory] = {}
    new: list[Person] = []
    for person in good:
        home = known.get(person.index)
        if home is None:
            if person.index in waiting:
                person.row.findings.there_rows.add(person.row.number)
            else:
                new.append(person)
        elif flags.setdefault(home["household_id"], person.category) is not person.category:
            why = Text(
                "Another row finds this household in another category; that one was taken.",
                "同一家庭在其他行的监测类别不同，已按先出现的一行处理。",
            )
            person.row.findings.warn(person.row.number, "monitoring", "CONFLICT", why)
        elif home["monitoring_category"] == person.category:
            person.row.findings.there_rows.add(person.row.number)
    categories = {row["household_id"]: row["monitoring_category"] for row in known.values()}
    changed = {key: flag for key, flag in flags.items() if categories[key] != flag}
    return _writer(changed, new, job)


def _writer(changed: dict[int, MonitoringCategory], new: Sequence[Person], job: Job) -> Write:
    async def write(db: Writing) -> list[Event]:
        await household_rows.flag(db, changed)
        rows = [
            application_rows.row(job.sealer, person.command, job.now)
            | {"monitoring_category": person.category}
            for person in new
        ]
        keys = await application_rows.add_many(db, rows)
        await duplicates.note_applications(db, keys, job.now)
        flagged = [
            event
            for key, flag in changed.items()
            for event in events_of("household.flagged", "Household", [key], job.now, category=flag)
        ]
        channel = ApplicationChannel.FILE
        made = events_of("application.submitted", "Application", keys, job.now, channel=channel)
        return [*flagged, *made]

    return write


def _person(row: Cells, places: dict[str, Row], job: Job) -> Person:
    code = region_code(row.required("region", values.line, ""))
    region = places.get(code)
    if code and region is None:
        unknown(row, "region", "There is no region with this code.", "没有此区划代码。")
    elif region is not None and region["level"] not in APPLY_LEVELS:
        why = Text(
            "Give the code of a township, village, community or grid cell.",
            "请填写乡镇、村（社区）或网格的代码。",
        )
        row.refuse("region", "INVALID", why)
    number = row.required("identity_number", values.line, "")
    command = SubmitApplication(
        region_id=0 if region is None else region["id"],
        channel=ApplicationChannel.FILE,
        name=row.required("name", values.line, "?"),
        phone=row.text("phone"),
        identity_number=number or None,
        address=row.read("address", values.line, ""),
    )
    row.refuse_all(person_faults(command, today=job.now.date()), {})
    if command.phone:
        row.refuse_all(phone_faults("phone", command.phone), {})
    category = row.required("monitoring", values.monitoring, MonitoringCategory.MARGINAL)
    index = household_rows.identity_index(job.sealer, number)
    return Person(row, index, category, command)
