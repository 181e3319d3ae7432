"""Campaigns in the graph: what was raised for which purpose, and what of it was spent."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
import strawberry

from marketplace.domain.exchange.campaigns import (
    MOVES,
    CampaignStatus,
    RemainderRule,
)
from marketplace.domain.permissions import PROVIDERS, STAFF, may_touch
from marketplace.persistence.tables.campaigns import campaigns, donations, matching_funds
from marketplace.persistence.tables.exchange import offers
from schema.context import Context
from schema.enums import described
from schema.readgraph.declare import (
    Ascending,
    Columns,
    Condition,
    Descending,
    Edge,
    Entity,
    Has,
    Scope,
    column,
    computed,
    for_viewer,
    many,
    node,
    one,
    root,
)
from schema.readgraph.references import referenced
from schema.registry.categories import money
from schema.registry.households import TargetGroup, groups_in
from schema.scalars import Money

described(
    CampaignStatus,
    "Where a campaign stands.",
    {
        CampaignStatus.DRAFT: "being written down and filed.",
        CampaignStatus.OPEN: "takes donations.",
        CampaignStatus.CLOSED: "takes no more; what was reserved is still delivered.",
    },
)
described(
    RemainderRule,
    "What becomes of what is left when a campaign is closed.",
    {
        RemainderRule.SPEND_ON: "继续用于原用途, it goes on serving its purpose until used up.",
        RemainderRule.HOLD: "封存待定, it is set aside until the charity desk has decided.",
    },
)


def seen_campaign(row: Columns, scope: Scope) -> Condition:
    """Drafts are for their organization and officers; what was opened is public."""
    if scope.is_one_of(STAFF):
        return sa.true()
    opened = row["status"] != CampaignStatus.DRAFT
    if scope.is_one_of(PROVIDERS):
        return sa.or_(opened, row["organization_id"] == scope.organization_id)
    return opened


def _fund_visible(row: Columns, scope: Scope) -> Condition:
    campaign = campaigns.alias()
    seen = sa.select(campaign.c.id).where(
        campaign.c.id == row["campaign_id"], seen_campaign(campaign.c, scope)
    )
    return seen.exists()


def _of_balance(what: str) -> Any:
    def cell(row: Columns) -> sa.ColumnElement[Any]:
        offer = offers.alias()
        units = {
            "reserved": offer.c.reserved,
            "spent": offer.c.delivered,
            "left": offer.c.quantity - offer.c.reserved - offer.c.delivered,
        }[what]
        found = sa.select(units).where(offer.c.campaign_id == row["id"], offer.c.kind == "CASH")
        return sa.func.coalesce(found.scalar_subquery(), 0)

    return cell


def _raised(row: Columns) -> sa.ColumnElement[Any]:
    return row["donated_fen"] + row["matched_fen"]


def _count(row: Columns) -> sa.ColumnElement[Any]:
    donation = donations.alias()
    found = sa.select(sa.func.count()).where(
        donation.c.campaign_id == row["id"], donation.c.status == "RECEIVED"
    )
    return found.scalar_subquery()


def _moves(context: Context, status: str, organization_id: int) -> list[str]:
    return [
        name
        for name, move in MOVES.items()
        if CampaignStatus(status) in move.before
        and may_touch(context.viewer, name, organization_id)
    ]


@node(
    table=campaigns,
    visible=seen_campaign,
    order=(Descending("createdAt"),),
    description="慈善项目: raises cash for one purpose; its balance is a cash offer.",
)
class Campaign(Entity):
    reference: str = referenced("X")
    title: str = column("title", "What it is called.", filter=True, order=True)
    description: str = column("description", "What it is for, in words.")
    status: CampaignStatus = column("status", "Where it stands.", filter=CampaignStatus, order=True)
    filing_number: str | None = column(
        "filing_number", "备案编号, under which it is filed.", filter=True
    )
    filed_on: date | None = column("filed_on", "When it was filed, ten days before it begins.")
    starts_at: datetime = column("starts_at", "From when on.", filter=True, order=True)
    ends_at: datetime = column("ends_at", "Until when.", filter=True, order=True)
    target: Money = computed(("target_fen",), money, "How much it wants to raise.")
    raised: Money = computed(
        (_raised,), money, "Cash that was given and matched, without what was given back."
    )
    donated: Money = computed(("donated_fen",), money, "Cash that donors gave.")
    matched: Money = computed(("matched_fen",), money, "What funders added to it.")
    goods_value: Money = computed(("goods_fen",), money, "The stated value of goods given to it.")
    spent: Money = computed((_of_balance("spent"),), money, "What came to households.")
    reserved: Money = computed(
        (_of_balance("reserved"),), money, "What is set aside for households."
    )
    remaining: Money = computed((_of_balance("left"),), money, "What is left to give.")
    donation_count: int = computed((_count,), int, "How many donations, without those given back.")
    target_groups: list[TargetGroup] = computed(
        ("target_groups",), groups_in, "Whom it is meant for; empty: anyone.",
        filter=Has(TargetGroup),
    )  # fmt: skip
    household_max: Money | None = computed(
        ("household_max_fen",), money, "At most so much for one household."
    )
    remainder_rule: RemainderRule = column(
        "remainder_rule", "What becomes of what is left at its end.", filter=RemainderRule
    )
    created_at: datetime = column("created_at", "When it was written down.", order=True)
    opened_at: datetime | None = column("opened_at", "When it was opened.")
    closed_at: datetime | None = column("closed_at", "When it was closed.")
    version: int = column("version", "Goes up with every change; for `expectedVersion`.")
    allowed_moves: list[str] = for_viewer(
        ("status", "organization_id"), _moves, "Mutations that the viewer may ask for now."
    )
    organization: Edge = one("Organization", "organization_id", "Who organizes it.", filter=True)
    category: Edge = one(
        "Category", "category_id", "Its purpose: cash pays for all that lies below it.",
        filter=True,
    )  # fmt: skip
    offers: Edge = many("Offer", "campaign_id", "Its balance as a cash offer, and goods given.")
    matching_funds: Edge = many("MatchingFund", "campaign_id", "Who adds to what is given.")
    donations: Edge = many("Donation", "campaign_id", "What was given, as far as you may see it.")


@node(
    table=matching_funds,
    visible=_fund_visible,
    order=(Ascending("createdAt"),),
    description="配捐: somebody adds to what is given to a campaign, up to a cap.",
)
class MatchingFund(Entity):
    funder_name: str = column("funder_name", "Who adds.", filter=True)
    percent: int = column("percent", "Of each donation; 100 is one yuan to one.")
    cap: Money = computed(("cap_fen",), money, "At most so much in all.")
    matched: Money = computed(("matched_fen",), money, "What was added so far.")
    starts_at: datetime = column("starts_at", "To what is received from when on.")
    ends_at: datetime = column("ends_at", "Until when.")
    created_at: datetime = column("created_at", "When it was written down.", order=True)
    campaign: Edge = one("Campaign", "campaign_id", "To which campaign.", filter=True)
    organization: Edge = one(
        "Organization", "organization_id", "The funder, where it is known here."
    )


@strawberry.type
class CampaignQuery:
    campaigns: Edge = root("Campaign", "Campaigns, newest first; drafts only for those in charge.")
