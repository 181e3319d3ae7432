"""Publishing: what of a need everyone may see, and nothing beyond it."""

from __future__ import annotations

from datetime import datetime

from marketplace.domain.registry.categories import CategoryKind

# Lower ends of the bands, the most severe first.
SEVERITY_BANDS = ((80, "CRITICAL"), (60, "HIGH"), (35, "MEDIUM"), (1, "LOW"))

# Upper ends in fen. An exact amount beside a township can tell a neighbour who it is.
CASH_BANDS_FEN = (
    50_000,
    100_000,
    200_000,
    300_000,
    500_000,
    1_000_000,
    2_000_000,
    5_000_000,
    10_000_000,
)


def public_copy(
    *,
    need_id: int,
    category_id: int,
    category_kind: CategoryKind,
    township_id: int,
    quantity: int,
    severity: int,
    target_groups: int,
    deadline: datetime | None,
    published_at: datetime,
    visit_minutes: int | None = None,
    every_days: int | None = None,
) -> dict[str, object]:
    """The row of `published_needs`: township at most, cash in bands, severity as a band.

    township_id   the township above the household's village or grid cell, or what lies above it
    quantity      units that are open; cash in fen
    """
    return {
        "need_id": need_id,
        "category_id": category_id,
        "region_id": township_id,
        "is_open": True,
        "quantity": cash_band_fen(quantity) if category_kind is CategoryKind.CASH else quantity,
        "severity_band": severity_band(severity),
        "target_groups": target_groups,
        "visit_minutes": visit_minutes,
        "every_days": every_days,
        "deadline": deadline,
        "published_at": published_at,
    }


def severity_band(severity: int) -> str:
    """The band of a severity of 1..100.

    >>> [severity_band(s) for s in (100, 79, 35, 1)]
    ['CRITICAL', 'HIGH', 'MEDIUM', 'LOW']
    """
    for least, band in SEVERITY_BANDS:
        if severity >= least:
            return band
    raise ValueError(f"severity must be 1..100, not {severity}")


def cash_band_fen(amount_fen: int) -> int:
    """The upper end of the band that an amount falls into; above the last, whole multiples of it.

    >>> cash_band_fen(123_456), cash_band_fen(10_000_001)
    (200000, 20000000)
    """
    if amount_fen <= 0:
        raise ValueError(f"amount_fen must be above zero, not {amount_fen}")
    for end in CASH_BANDS_FEN:
        if amount_fen <= end:
            return end
    last = CASH_BANDS_FEN[-1]
    return -(-amount_fen // last) * last
