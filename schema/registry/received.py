"""Everything a household received, from government and from charity, in its file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
import strawberry

from marketplace.domain.days import county_day
from marketplace.domain.ids import reference
from marketplace.persistence.tables.exchange import government_aids, needs
from marketplace.persistence.tables.registry import categories
from marketplace.persistence.tables.results import results
from schema.context import Context
from schema.enums import described
from schema.readgraph.declare import Arguments, Columns
from schema.readgraph.decode import time_text
from schema.registry.categories import money
from schema.registry.json_rows import JsonRows
from schema.scalars import BigInt, Money, Quantity


class ReceivedLane(StrEnum):
    """Which of the two lanes something came by."""

    GOVERNMENT = "GOVERNMENT"
    CHARITY = "CHARITY"


described(
    ReceivedLane,
    "Which lane something came by.",
    {
        ReceivedLane.GOVERNMENT: "政府救助, granted by the assistance desk.",
        ReceivedLane.CHARITY: "慈善救助, delivered and confirmed.",
    },
)
SPAN: Arguments = (
    ("since", date, "From this day on."),
    ("until", date, "Up to this day, included."),
)


@strawberry.type(description="One thing that a household received.")
class ReceivedEntry:
    lane: ReceivedLane = strawberry.field(description="By which lane it came.")
    on: date = strawberry.field(description="When it was handed over; of aid, from when it is for.")
    until: date | None = strawberry.field(description="Of aid over a period: its last day.")
    reference: str = strawberry.field(description="Of the decision, or of the result.")
    aid_kind: str | None = strawberry.field(description="Of aid, as `GovernmentAid.kind` has it.")
    label: str | None = strawberry.field(
        description="Of what category, in your language; null of aid that covers none."
    )
    quantity: Quantity | None = strawberry.field(
        description="How much of it; null of aid in money alone."
    )
    value: Money | None = strawberry.field(
        description="Of aid its amount; else at the reference price, null where there is none."
    )


@strawberry.type(description="What came by one lane, in all or in one month.")
class ReceivedTotal:
    lane: ReceivedLane = strawberry.field(description="Which lane.")
    month: str | None = strawberry.field(description="Such as 2026-11; null for all of them.")
    count: int = strawberry.field(description="How many entries.")
    value: Money = strawberry.field(description="What they are worth, as far as that is known.")
    unvalued: int = strawberry.field(description="How many of them have no known worth.")


@strawberry.type(description="What a household received from both lanes.")
class Received:
    totals: list[ReceivedTotal] = strawberry.field(description="By lane, over all of it.")
    months: list[ReceivedTotal] = strawberry.field(description="By month and lane, latest first.")
    entries: list[ReceivedEntry] = strawberry.field(description="One by one, latest first.")


@dataclass(frozen=True, slots=True)
class _Got:
    """An entry with the moment from when it counts as known."""

    entry: ReceivedEntry
    known_at: datetime
    value_fen: int | None


def aid_cell(row: Columns) -> sa.ColumnElement[Any]:
    """What government granted the household of a row, as JSON."""
    aid, category = government_aids.alias(), categories.alias()
    found = JsonRows(
        aid.c.id,
        aid.c.decided_at,
        aid.c.kind,
        aid.c.amount_fen,
        aid.c.starts_on,
        aid.c.ends_on,
        aid.c.covers_quantity,
        category.c.unit,
        category.c.label_zh,
        category.c.label_en,
    )
    return (
        sa.select(found)
        .select_from(aid.outerjoin(category, category.c.id == aid.c.covers_category_id))
        .where(aid.c.household_id == row["id"], aid.c.granted)
        .scalar_subquery()
    )


def charity_cell(row: Columns) -> sa.ColumnElement[Any]:
    """What was delivered to the household of a row and confirmed, as JSON."""
    result, need, category = results.alias(), needs.alias(), categories.alias()
    found = JsonRows(
        result.c.id,
        result.c.sent_at,
        result.c.delivered_at,
        result.c.units_received,
        category.c.unit,
        category.c.label_zh,
        category.c.label_en,
        category.c.reference_price_fen,
    )
    return (
        sa.select(found)
        .select_from(
            result.join(need, need.c.id == result.c.need_id).join(
                category, category.c.id == need.c.category_id
            )
        )
        .where(need.c.household_id == row["id"])
        .scalar_subquery()
    )


def received_in(
    context: Context,
    arguments: Mapping[str, object],
    aid: Sequence[Sequence[Any]],
    charity: Sequence[Sequence[Any]],
) -> Received:
    """All of it up to today, or of some days."""
    since, until = _day(arguments.get("since")), _day(arguments.get("until"))
    return _summed(
        got
        for got in _got(context, aid, charity)
        if (since is None or got.entry.on >= since) and (until is None or got.entry.on <= until)
    )


def received_since(
    context: Context,
    aid: Sequence[Sequence[Any]],
    charity: Sequence[Sequence[Any]],
    assessed_at: str | None,
) -> Received:
    """What the latest assessment could not know of; all of it where there was none."""
    since = None if assessed_at is None else datetime.fromisoformat(assessed_at)
    return _summed(
        got for got in _got(context, aid, charity) if since is None or got.known_at > since
    )


def _got(
    context: Context, aid: Sequence[Sequence[Any]], charity: Sequence[Sequence[Any]]
) -> Iterable[_Got]:
    today = county_day(context.database.now())
    is_zh = context.language == "zh-CN"
    both = [_granted(row, is_zh) for row in aid] + [_delivered(row, is_zh) for row in charity]
    return (got for got in both if got.entry.on <= today)


def _granted(row: Sequence[Any], is_zh: bool) -> _Got:
    key, decided_at, kind, fen, starts_on, ends_on, units, unit, label_zh, label_en = row
    known_at = _moment(decided_at)
    entry = ReceivedEntry(
        lane=ReceivedLane.GOVERNMENT,
        on=date.fromisoformat(starts_on),
        until=None if ends_on is None else date.fromisoformat(ends_on),
        reference=reference("Z", known_at.year, key),
        aid_kind=kind,
        label=label_zh if is_zh else label_en or label_zh,
        quantity=Quantity(value=BigInt(units), unit=unit) if unit and units else None,
        value=money(fen),
    )
    return _Got(entry, known_at, fen)


def _delivered(row: Sequence[Any], is_zh: bool) -> _Got:
    key, sent_at, delivered_at, units, unit, label_zh, label_en, price_fen = row
    fen = None if price_fen is None else units * price_fen
    sent = _moment(sent_at)
    entry = ReceivedEntry(
        lane=ReceivedLane.CHARITY,
        on=county_day(_moment(delivered_at)),
        until=None,
        reference=reference("J", sent.year, key),
        aid_kind=None,
        label=label_zh if is_zh else label_en or label_zh,
        quantity=Quantity(value=BigInt(units), unit=unit or "unit"),
        value=money(fen),
    )
    return _Got(entry, sent, fen)


def _summed(found: Iterable[_Got]) -> Received:
    got = sorted(found, key=lambda each: (each.entry.on, each.entry.reference), reverse=True)
    months = sorted({f"{each.entry.on:%Y-%m}" for each in got}, reverse=True)
    return Received(
        totals=[_total(lane, None, got) for lane in ReceivedLane],
        months=[
            total
            for month in months
            for lane in ReceivedLane
            if (total := _total(lane, month, got)).count
        ],
        entries=[each.entry for each in got],
    )


def _total(lane: ReceivedLane, month: str | None, got: Sequence[_Got]) -> ReceivedTotal:
    values = [
        each.value_fen
        for each in got
        if each.entry.lane is lane and month in (None, f"{each.entry.on:%Y-%m}")
    ]
    known = [fen for fen in values if fen is not None]
    return ReceivedTotal(
        lane=lane,
        month=month,
        count=len(values),
        value=Money(amount=BigInt(sum(known))),
        unvalued=len(values) - len(known),
    )


def _moment(text: str) -> datetime:
    read = time_text(text)
    assert read is not None, "a moment is there"
    return datetime.fromisoformat(read)


def _day(value: object) -> date | None:
    if value is None or isinstance(value, date):
        return value
    return date.fromisoformat(str(value))
