"""Importing organizations: each row is one, an applicant until the charity desk verifies it."""

from __future__ import annotations

from marketplace.domain.events import Event
from marketplace.domain.registry.organizations import (
    OrganizationKind,
    OrganizationStatus,
    RegisterOrganization,
    organization_faults,
)
from marketplace.domain.registry.regions import region_code
from marketplace.persistence import imports
from marketplace.persistence.database import Reading, Writing
from marketplace.persistence.registry.organizations import add_many, organization_row
from marketplace.persistence.tables import organizations
from marketplace.services.importing import values
from marketplace.services.importing.columns import ORGANIZATIONS
from marketplace.services.importing.job import Job, Write, events_of, mark_there, unknown
from marketplace.services.importing.rows import refuse_repeated, rows_of

COLUMN_OF = {"external_reference": "organization"}


async def check(db: Reading, job: Job) -> Write:
    rows = rows_of(job.table, ORGANIZATIONS, job.findings)
    refuse_repeated(rows, "organization")
    known = await imports.references(db, organizations, {row.text("organization") for row in rows})
    mark_there(rows, "organization", known)
    places = await imports.regions_by_code(db, {region_code(row.text("region")) for row in rows})
    good: list[dict[str, object]] = []
    for row in rows:
        if row.is_out:
            continue
        code = region_code(row.required("region", values.line, ""))
        if code and code not in places:
            unknown(row, "region", "There is no region with this code.", "没有此区划代码。")
        command = RegisterOrganization(
            kind=row.required("kind", values.organization_kind, OrganizationKind.CHARITY),
            name=row.required("name", values.line, "??"),
            region_id=places[code]["id"] if code in places else 0,
            external_reference=row.required("organization", values.line, "?"),
        )
        row.refuse_all(organization_faults(command), COLUMN_OF)
        if not row.is_out:
            good.append(organization_row(command, OrganizationStatus.APPLIED, job.now))

    async def write(db: Writing) -> list[Event]:
        keys = await add_many(db, good)
        return events_of("organization.registered", "Organization", keys, job.now)

    return write
