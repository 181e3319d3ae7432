"""Running an import: read the file, check every row, and write all of it, or the good, or none."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from marketplace.domain.errors import InvalidInput
from marketplace.persistence import events
from marketplace.persistence.crypto import Sealer
from marketplace.persistence.database import Database
from marketplace.services.importing import (
    crosschecks,
    households,
    needs,
    offers,
    organizations,
)
from marketplace.services.importing.job import Check, Job
from marketplace.services.importing.report import Findings, ImportOptions, ImportReport
from marketplace.services.importing.tables import read_table

BYTES_MAX = 64 * 2**20
UNPACKED_BYTES_MAX = 256 * 2**20
ROWS_MAX = 100_000

KINDS: Mapping[str, Check] = {
    "needs": needs.check,
    "offers": offers.check,
    "households": households.check,
    "organizations": organizations.check,
    "cross-checks": crosschecks.check,
}

Progress = Callable[[float, str], None]


async def run(
    database: Database,
    sealer: Sealer,
    kind: str,
    data: bytes,
    name: str,
    options: ImportOptions | None = None,
    on_progress: Progress | None = None,
) -> ImportReport:
    """Take in a file of one of KINDS: everything, or (with skip_bad) what is good, or nothing.

    data   CSV in UTF-8 or GB18030, or XLSX; `name` is only for messages
    Raises InvalidInput for a file that cannot be read, is too large, or lacks a column.
    """
    tell = on_progress or (lambda share, stage: None)
    options = options or ImportOptions()
    tell(0.0, "read")
    if len(data) > BYTES_MAX:
        raise _too_large(name, f"{BYTES_MAX // 2**20} MiB", f"{BYTES_MAX // 2**20} MiB")
    table = read_table(data, name, unpacked_max_bytes=UNPACKED_BYTES_MAX)
    if len(table.rows) > ROWS_MAX:
        raise _too_large(name, f"{ROWS_MAX:,} rows", f"{ROWS_MAX:,} 行")
    job = Job(table=table, sealer=sealer, options=options, now=database.now(), findings=Findings())
    check = KINDS[kind]
    tell(0.3, "check")
    if options.dry_run:
        async with database.snapshot() as db:
            await check(db, job)
        tell(1.0, "done")
        return _report(kind, job, written=False)
    async with database.write() as db:
        # Checked in the transaction that writes: what it was checked against still holds.
        write = await check(db, job)
        written = options.skip_bad or not job.findings.bad_rows
        if written:
            tell(0.7, "write")
            await events.append_many(db, await write(db))
    tell(1.0, "done")
    return _report(kind, job, written=written)


def _report(kind: str, job: Job, *, written: bool) -> ImportReport:
    found, rows = job.findings, len(job.table.rows)
    there = found.there_rows - found.bad_rows
    good = rows - len(found.bad_rows | found.left_out | there)
    return ImportReport(
        kind=kind,
        rows=rows,
        imported=good if written or job.options.dry_run else 0,
        already_there=len(there),
        left_out=len(found.left_out - found.bad_rows),
        problems=tuple(sorted(found.problems, key=lambda problem: problem.row)),
        warnings=tuple(sorted(found.warnings, key=lambda problem: problem.row)),
        written=written,
    )


def _too_large(name: str, limit: str, limit_zh: str) -> InvalidInput:
    return InvalidInput.of(
        (name,),
        f"{name} is larger than the limit of {limit}. Split it.",
        f"{name} 超过上限（{limit_zh}），请拆分后再试。",
        code="TOO_LARGE",
    )
