"""Donations in the graph, for who took them in and officers; donors follow theirs by a code."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import sqlalchemy as sa
import strawberry

from marketplace.domain.errors import Forbidden, Text
from marketplace.domain.exchange.donations import (
    MOVES,
    DonationKind,
    DonationStatus,
    receipt_number,
)
from marketplace.domain.ids import opaque_id
from marketplace.domain.permissions import PROVIDERS, SUPERVISION, Role, may_touch
from marketplace.persistence.tables.campaigns import donation_outcomes, donations
from marketplace.services.exchange import donation_traces
from marketplace.services.registry.sealing import sealer_of
from schema.context import Context
from schema.enums import described
from schema.exchange.amounts import in_units, unit_of_category
from schema.payloads import Info
from schema.readgraph.declare import (
    Ascending,
    Columns,
    Condition,
    Descending,
    Edge,
    Entity,
    Scope,
    column,
    computed,
    for_viewer,
    many,
    node,
    one,
    root,
)
from schema.registry.categories import money
from schema.scalars import BigInt, Money, Quantity

IN_CHARGE = frozenset({Role.CHARITY_OFFICER, Role.ADMIN}) | SUPERVISION

described(
    DonationStatus,
    "Where a donation stands.",
    {
        DonationStatus.RECEIVED: "taken in with a receipt.",
        DonationStatus.REFUNDED: "given back while nothing of it was spent.",
    },
)
described(
    DonationKind,
    "What is given.",
    {DonationKind.CASH: "资金, cash.", DonationKind.GOODS: "物资, goods of a stated value."},
)


def _visible(row: Columns, scope: Scope) -> Condition:
    if scope.is_one_of(IN_CHARGE):
        return sa.true()
    if scope.is_one_of(PROVIDERS):
        return row["organization_id"] == scope.organization_id
    return sa.false()


def _outcome_visible(row: Columns, scope: Scope) -> Condition:
    donation = donations.alias()
    seen = sa.select(donation.c.id).where(
        donation.c.id == row["donation_id"], _visible(donation.c, scope)
    )
    return seen.exists()


def _unit(row: Columns) -> sa.ColumnElement[str]:
    return sa.case((row["kind"] == "CASH", "fen"), else_=unit_of_category(row))


def _unit_of_outcome(row: Columns) -> sa.ColumnElement[str]:
    donation = donations.alias()
    found = sa.select(_unit(donation.c)).where(donation.c.id == row["donation_id"])
    return found.scalar_subquery()


def _moves(context: Context, status: str, organization_id: int) -> list[str]:
    return [
        name
        for name, move in MOVES.items()
        if DonationStatus(status) in move.before
        and may_touch(context.viewer, name, organization_id)
    ]


@node(
    table=donations,
    visible=_visible,
    order=(Descending("receivedAt"),),
    description="捐赠: cash or goods of a stated value, with a numbered receipt.",
)
class Donation(Entity):
    receipt_number: str = computed(
        ("organization_id", "receipt_year", "receipt_number"), receipt_number,
        "The number on its receipt, gapless for an organization and a year.",
    )  # fmt: skip
    kind: DonationKind = column("kind", "Cash or goods.", filter=DonationKind)
    status: DonationStatus = column("status", "Where it stands.", filter=DonationStatus, order=True)
    amount: Money = computed(
        ("amount_fen",), money, "What was given; of goods the value that the donor stated."
    )
    matched: Money = computed(("matched_fen",), money, "What funders added to it.")
    quantity: Quantity = computed(
        ("units", _unit), in_units, "How much: fen of cash, units of goods."
    )
    used: Quantity = computed(
        ("used", _unit), in_units,
        "What is set aside or spent of it and of what was added, first in, first out.",
    )  # fmt: skip
    is_anonymous: bool = column("is_anonymous", "Whether the donor is not named.", filter=True)
    payment_reference: str | None = column(
        "payment_reference", "By which the payment is found at the bank.", filter=True
    )
    received_at: datetime = column("received_at", "When it was received.", filter=True, order=True)
    recorded_at: datetime = column("recorded_at", "When it was written down.")
    refunded_at: datetime | None = column("refunded_at", "When it was given back.")
    refund_reason: str | None = column("refund_reason", "Why it was given back.")
    version: int = column("version", "Goes up with every change; for `expectedVersion`.")
    allowed_moves: list[str] = for_viewer(
        ("status", "organization_id"), _moves, "Mutations that the viewer may ask for now."
    )
    organization: Edge = one("Organization", "organization_id", "Who took it in.", filter=True)
    campaign: Edge = one(
        "Campaign", "campaign_id", "What it was given for; null: unrestricted.", filter=True
    )
    category: Edge = one("Category", "category_id", "Of goods: what they are.", filter=True)
    offer: Edge = one("Offer", "offer_id", "The offer that it went into.")
    outcomes: Edge = many(
        "DonationOutcome", "donation_id",
        "Where it went; about fewer than five households nothing is said.",
    )  # fmt: skip


@node(
    table=donation_outcomes,
    visible=_outcome_visible,
    order=(Ascending("month"),),
    description="A part of a donation that came to households of one kind, place and month.",
)
class DonationOutcome(Entity):
    month: str | None = column(
        "month", "Such as 2026-11; null where it would tell too much.", order=True
    )
    quantity: Quantity = computed(
        ("units", _unit_of_outcome), in_units, "How much of this donation: fen or units."
    )
    households: int | None = column(
        "households",
        "How many households were helped there from the same source, in fives; null: not told.",
    )
    percent_confirmed: int = column(
        "percent_confirmed", "Of how much of it somebody else confirmed receipt, in percent."
    )
    category: Edge = one("Category", "category_id", "What was needed; null: not told.")
    region: Edge = one("Region", "region_id", "In which township; null: not told.")


@strawberry.type(description="A part of a donation that came to households, as donors are told.")
class TracedOutcome:
    category_id: strawberry.ID | None = strawberry.field(
        description="What was needed; read it by `node`. Null: not told.", default=None
    )
    region_id: strawberry.ID | None = strawberry.field(
        description="In which township; read it by `node`. Null: not told.", default=None
    )
    month: str | None = strawberry.field(description="Such as 2026-11.", default=None)
    quantity: BigInt = strawberry.field(description="Fen of cash, or units of goods.")
    households: int | None = strawberry.field(
        description="Helped there from the same source, in fives; null: not told.", default=None
    )
    percent_confirmed: int = strawberry.field(description="Receipt confirmed, in percent.")


@strawberry.type(description="What became of a donation, for whoever has its receipt and code.")
class DonationTrace:
    receipt_number: str = strawberry.field(description="As on the receipt.")
    status: DonationStatus = strawberry.field(description="Where it stands.")
    amount: Money = strawberry.field(description="What was given.")
    matched: Money = strawberry.field(description="What funders added to it.")
    received_at: datetime = strawberry.field(description="When it was received.")
    organization_id: strawberry.ID = strawberry.field(description="Who took it in.")
    campaign_id: strawberry.ID | None = strawberry.field(
        description="What it was given for; null: unrestricted.", default=None
    )
    percent_used: int = strawberry.field(description="Set aside or spent so far, in percent.")
    outcomes: list[TracedOutcome] = strawberry.field(description="Where it went.")


@strawberry.type
class DonationQuery:
    donations: Edge = root("Donation", "Donations that the viewer may see, newest first.")

    @strawberry.field(
        description="What became of a donation. Anyone who has the number of its receipt and the "
        "code that was given with it may ask, so many times an hour; null for anything else. "
        "By POST only: a code does not belong into an address."
    )
    async def donation_trace(
        self,
        info: Info,
        receipt_number: Annotated[
            str, strawberry.argument(description="As on the receipt, such as G7-2026-000012.")
        ],
        code: Annotated[str, strawberry.argument(description="The code beside it.")],
    ) -> DonationTrace | None:
        context = info.context
        if context.by_get:
            raise Forbidden(Text("Ask by POST.", "请使用 POST 请求。"))
        found = await donation_traces.trace(
            context.database,
            sealer_of(context.settings),
            receipt_number,
            code,
            address=context.address,
        )
        return None if found is None else _told(found)


def _told(found: donation_traces.Traced) -> DonationTrace:
    row, given = found.donation, found.donation["units"] + found.donation["matched_fen"]
    campaign = row["campaign_id"]
    return DonationTrace(
        receipt_number=receipt_number(
            row["organization_id"], row["receipt_year"], row["receipt_number"]
        ),
        status=DonationStatus(row["status"]),
        amount=Money(amount=BigInt(row["amount_fen"])),
        matched=Money(amount=BigInt(row["matched_fen"])),
        received_at=row["received_at"],
        organization_id=strawberry.ID(opaque_id("Organization", row["organization_id"])),
        campaign_id=_id("Campaign", campaign),
        percent_used=100 * row["used"] // given,
        outcomes=[
            TracedOutcome(
                category_id=_id("Category", each["category_id"]),
                region_id=_id("Region", each["region_id"]),
                month=each["month"],
                quantity=BigInt(each["units"]),
                households=each["households"],
                percent_confirmed=each["percent_confirmed"],
            )
            for each in found.outcomes
        ],
    )


def _id(kind: str, key: int | None) -> strawberry.ID | None:
    return None if key is None else strawberry.ID(opaque_id(kind, key))
