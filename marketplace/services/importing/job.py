"""What every kind of import is given, and what it hands back to be written."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from marketplace.domain.errors import Text
from marketplace.domain.events import Event
from marketplace.persistence.crypto import Sealer
from marketplace.persistence.database import Reading, Writing
from marketplace.services.importing.report import Findings, ImportOptions
from marketplace.services.importing.rows import Cells
from marketplace.services.importing.tables import Table

Write = Callable[[Writing], Awaitable[list[Event]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    table: Table
    sealer: Sealer
    options: ImportOptions
    now: datetime
    findings: Findings


# Reads and checks a file; what it returns writes the good rows, and tells what happened.
Check = Callable[[Reading, Job], Awaitable[Write]]


def mark_there(rows: Sequence[Cells], key: str, known: dict[str, int]) -> None:
    """Rows whose reference is there already are left as they are: a file can be sent twice."""
    for row in rows:
        if row.text(key) in known:
            row.findings.there_rows.add(row.number)


def unknown(row: Cells, key: str, en: str, zh: str) -> None:
    row.refuse(key, "NOT_FOUND", Text(en, zh))


def events_of(
    kind: str, entity: str, keys: Sequence[int], now: datetime, **data: object
) -> list[Event]:
    """One event for each row that was added; by the system, since a file has no account."""
    told = {"imported": True} | data
    return [Event(kind=kind, at=now, entity=entity, entity_id=key, data=told) for key in keys]
