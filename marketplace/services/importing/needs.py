"""Importing needs: each row is one, written down as a draft that still has to be referred."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from marketplace.domain.errors import InvalidInput
from marketplace.domain.events import Event
from marketplace.domain.exchange.categories import CategoryFacts
from marketplace.domain.exchange.government_aid import AidGranted, Counted, covered_by_government
from marketplace.domain.exchange.needs import NeedStatus, NeedTerms, as_visits, residual
from marketplace.domain.registry.categories import CategoryKind
from marketplace.persistence import imports
from marketplace.persistence.crypto import new_seal_id
from marketplace.persistence.database import Reading, Row, Writing
from marketplace.persistence.tables import needs
from marketplace.services.importing import cells, values
from marketplace.services.importing.columns import NEEDS
from marketplace.services.importing.job import Job, Write, events_of, mark_there, unknown
from marketplace.services.importing.rows import (
    Cells,
    look_at_quantities,
    refuse_repeated,
    rows_of,
)

TYPED_MAX = 10**15  # the domain says what is too much; a cell only has to be a number
COLUMN_OF = {
    "quantity_asked": "quantity",
    "household_id": "household",
    "category_id": "category",
    "external_reference": "need_id",
}


@dataclass(slots=True)
class Known:
    """What the rows refer to; `counted` grows while needs of one household are read."""

    categories: dict[str, tuple[int, CategoryFacts]]
    households: dict[str, Row]
    aids: dict[int, list[AidGranted]]
    counted: dict[int, list[Counted]]


async def check(db: Reading, job: Job) -> Write:
    rows = rows_of(job.table, NEEDS, job.findings)
    refuse_repeated(rows, "need_id")
    mark_there(
        rows, "need_id", await imports.references(db, needs, {row.text("need_id") for row in rows})
    )
    known = await _known(db, rows)
    read = [entry for row in rows if not row.is_out and (entry := _read(row, known)) is not None]
    look_at_quantities(
        [(row, typed, row.text("category")) for row, typed, _ in read], job.options.max_quantity
    )
    good = [
        checked
        for row, _, terms in read
        if not row.is_out and (checked := _checked(row, terms, known, job)) is not None
    ]

    async def write(db: Writing) -> list[Event]:
        keys = await db.insert_keys(needs, good)
        return events_of("need.created", "Need", keys, job.now)

    return write


async def _known(db: Reading, rows: Sequence[Cells]) -> Known:
    wanted = {row.text("household") for row in rows}
    households = await imports.households_by_reference(db, wanted)
    ids = {row["id"] for row in households.values()}
    if isinstance(db, Writing):  # a dry run holds up nobody
        await imports.lock_households(db, ids)
    return Known(
        categories=await imports.categories_by_code(db),
        households=households,
        aids=await imports.aids(db, ids),
        counted=await imports.counted(db, ids),
    )


def _read(row: Cells, known: Known) -> tuple[Cells, int, NeedTerms] | None:
    """The row, its quantity as typed (cash in yuan), and what it asks for."""
    household = row.required("household", values.line, "")
    if household and household not in known.households:
        unknown(
            row,
            "household",
            "There is no household with this number. Import households first.",
            "没有此家庭编号，请先导入家庭。",
        )
    category = row.required("category", values.line, "")
    if category and category not in known.categories:
        unknown(row, "category", "There is no category with this code.", "没有此类别代码。")
    _, facts = known.categories.get(category, (0, None))
    is_cash = facts is not None and facts.kind is CategoryKind.CASH

    def amount(typed: str) -> int:
        return values.fen(typed) if is_cash else cells.whole(typed, 0, TYPED_MAX)

    quantity = row.required("quantity", amount, 1)
    terms = NeedTerms(
        household_id=known.households[household]["id"] if household in known.households else 0,
        category_id=known.categories[category][0] if facts is not None else 0,
        quantity_asked=quantity,
        quantity_min=row.read("quantity_min", amount, 1),
        visit_minutes=row.read("visit_minutes", _whole, None),
        every_days=row.read("every_days", _whole, None),
        deadline=row.read("deadline", values.day_end, None),
        external_reference=row.required("need_id", values.line, "?"),
    )
    return None if row.is_out else (row, quantity // 100 if is_cash else quantity, terms)


def _checked(row: Cells, terms: NeedTerms, known: Known, job: Job) -> dict[str, object] | None:
    household = known.households[row.text("household")]
    _, category = known.categories[row.text("category")]
    terms = as_visits(terms, category)
    low, high = category.tree_low, category.tree_high
    counted = known.counted.setdefault(household["id"], [])
    given = 0
    if terms.quantity_asked > 0:
        given = covered_by_government(
            terms.quantity_asked,
            category_low=low,
            category_high=high,
            aids=known.aids.get(household["id"], ()),
            on=job.now.date(),
            counted=counted,
        )
    try:
        quantity = residual(
            terms,
            category,
            covered_by_government=given,
            severity=household["severity"],
            now=job.now,
        )
    except InvalidInput as refused:
        row.refuse_all(refused.faults, COLUMN_OF)
        return None
    counted.append(Counted(low, high, given, job.now.date()))
    return {
        "household_id": terms.household_id,
        "category_id": terms.category_id,
        "region_id": household["region_id"],
        "status": NeedStatus.DRAFT,
        "quantity_asked": terms.quantity_asked,
        "quantity_by_government": given,
        "quantity": quantity,
        "quantity_min": terms.quantity_min,
        "severity": household["severity"],
        "visit_minutes": terms.visit_minutes,
        "every_days": terms.every_days,
        "deadline": terms.deadline,
        "external_reference": terms.external_reference,
        "seal_id": new_seal_id(),
        "created_at": job.now,
    }


def _whole(typed: str) -> int:
    return cells.whole(typed, 0, TYPED_MAX)
