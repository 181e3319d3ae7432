"""Importing offers: each row is one, open at once where its organization is verified."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from marketplace.domain.errors import DomainError
from marketplace.domain.events import Event
from marketplace.domain.exchange.categories import CategoryFacts
from marketplace.domain.exchange.offers import OfferTerms, check_terms, first_status
from marketplace.domain.registry.categories import CategoryKind
from marketplace.domain.registry.organizations import OrganizationStatus
from marketplace.domain.registry.regions import region_code
from marketplace.persistence import imports
from marketplace.persistence.database import Reading, Row, Writing
from marketplace.persistence.tables import offer_regions, offers
from marketplace.services.importing import cells, values
from marketplace.services.importing.columns import OFFERS
from marketplace.services.importing.job import Job, Write, events_of, mark_there, unknown
from marketplace.services.importing.rows import (
    Cells,
    look_at_quantities,
    refuse_repeated,
    rows_of,
)

TYPED_MAX = 10**15
RADIUS_MAX_KM = 100_000
COLUMN_OF = {
    "category_id": "category",
    "region_ids": "regions",
    "starts_at": "starts",
    "expires_at": "expires",
    "external_reference": "offer_id",
    "": "organization",
}


@dataclass(frozen=True, slots=True)
class Known:
    categories: dict[str, tuple[int, CategoryFacts]]
    organizations: dict[str, Row]
    regions: dict[str, Row]


async def check(db: Reading, job: Job) -> Write:
    rows = rows_of(job.table, OFFERS, job.findings)
    refuse_repeated(rows, "offer_id")
    mark_there(
        rows,
        "offer_id",
        await imports.references(db, offers, {row.text("offer_id") for row in rows}),
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
        keys = await db.insert_keys(offers, [columns for columns, _ in good])
        lines = [
            {"offer_id": key, "region_id": region_id}
            for key, (_, region_ids) in zip(keys, good, strict=True)
            for region_id in region_ids
        ]
        await db.insert_many(offer_regions, lines)
        return events_of("offer.posted", "Offer", keys, job.now)

    return write


async def _known(db: Reading, rows: Sequence[Cells]) -> Known:
    codes = {region_code(code) for row in rows for code in cells.items(row.text("regions"))}
    return Known(
        categories=await imports.categories_by_code(db),
        organizations=await imports.organizations_by_reference(
            db, {row.text("organization") for row in rows}
        ),
        regions=await imports.regions_by_code(db, codes),
    )


def _read(row: Cells, known: Known) -> tuple[Cells, int, OfferTerms] | None:
    """The row, its quantity as typed (cash in yuan), and its terms."""
    organization = row.required("organization", values.line, "")
    if organization and organization not in known.organizations:
        unknown(
            row,
            "organization",
            "There is no organization with this number. Import organizations first.",
            "没有此单位编号，请先导入单位。",
        )
    category = row.required("category", values.line, "")
    if category and category not in known.categories:
        unknown(row, "category", "There is no category with this code.", "没有此类别代码。")
    category_id, facts = known.categories.get(category, (0, None))
    kind = row.read("kind", values.category_kind, facts.kind if facts else CategoryKind.GOODS)
    is_cash = kind is CategoryKind.CASH

    def amount(typed: str) -> int:
        return values.fen(typed) if is_cash else cells.whole(typed, 0, TYPED_MAX)

    quantity = row.required("quantity", amount, 1)
    terms = OfferTerms(
        kind=kind,
        category_id=category_id,
        quantity=quantity,
        title=row.read("title", values.line, ""),
        pack_size=row.read("pack_size", _whole, 1),
        household_max=row.read("household_max", amount, None),
        delivery_min=row.read("delivery_min", amount, 1),
        deliveries_max=row.read("deliveries_max", _whole, None),
        visits_per_day=row.read("visits_per_day", _whole, None),
        target_groups=row.read("groups", values.groups, 0),
        latitude=row.read("latitude", _between(-90, 90), None),
        longitude=row.read("longitude", _between(-180, 180), None),
        radius_km=row.read("radius_km", _between(0, RADIUS_MAX_KM), None),
        region_ids=_regions(row, known),
        starts_at=row.read("starts", values.day_start, None),
        expires_at=row.read("expires", values.day_end, None),
        external_reference=row.required("offer_id", values.line, "?"),
    )
    return None if row.is_out else (row, quantity // 100 if is_cash else quantity, terms)


def _checked(
    row: Cells, terms: OfferTerms, known: Known, job: Job
) -> tuple[dict[str, object], tuple[int, ...]] | None:
    organization = known.organizations[row.text("organization")]
    _, category = known.categories[row.text("category")]
    if terms.radius_km is not None and terms.latitude is None and terms.longitude is None:
        terms = replace(
            terms, latitude=organization["latitude"], longitude=organization["longitude"]
        )
    try:
        status = first_status(OrganizationStatus(organization["status"]))
        check_terms(terms, category, known_regions=frozenset(terms.region_ids), now=job.now)
    except DomainError as refused:
        row.refuse_all(refused.faults, COLUMN_OF)
        return None
    names = (name for name in OfferTerms.__dataclass_fields__ if name != "region_ids")
    columns = {name: getattr(terms, name) for name in names} | {
        "organization_id": organization["id"],
        "status": status,
        "starts_at": terms.starts_at or job.now,
        "created_at": job.now,
    }
    return columns, terms.region_ids


def _regions(row: Cells, known: Known) -> tuple[int, ...]:
    codes = [region_code(code) for code in cells.items(row.text("regions"))]
    if any(code not in known.regions for code in codes):
        unknown(
            row,
            "regions",
            "One of these codes is of no region. Separate several by semicolons.",
            "其中有区划代码不存在；多个代码请用分号分隔。",
        )
        return ()
    return tuple(sorted({known.regions[code]["id"] for code in codes}))


def _whole(typed: str) -> int:
    return cells.whole(typed, 0, TYPED_MAX)


def _between(low: int, high: int) -> Callable[[str], float | None]:
    return lambda typed: cells.decimal(typed, low, high)
