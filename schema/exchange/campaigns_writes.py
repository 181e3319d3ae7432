"""Mutations of campaigns: creating, changing, opening and closing them, and matching funds."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable
from datetime import date, datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated, TypeVar, cast

import strawberry
from strawberry import ID, UNSET

from marketplace.domain.checks import fault
from marketplace.domain.errors import InvalidInput
from marketplace.domain.exchange.campaigns import CampaignTerms, CreateMatching, RemainderRule
from marketplace.domain.ids import key_of
from marketplace.domain.registry.households import TargetGroup
from marketplace.services.exchange import campaigns
from schema.exchange.campaigns import Campaign, MatchingFund
from schema.payloads import Info, Payload, act_of, payload
from schema.readgraph.read import read_one
from schema.scalars import BigInt
from schema.writing import INPUT, KEY, VERSION, mask_of

PURPOSE = "Its purpose: the cash pays for all that lies below this category."
TITLE = "What to call it, 2 to 120 characters. Everyone can read it."
DESCRIPTION = "What it is for, at most 2,000 characters."
FILING = "备案编号; needed to open it."
FILED = "When it was filed: ten days before it begins at the latest."
TARGET = "How much to raise, in fen."
GROUPS = "Whom it is meant for; empty: anyone."
HOUSEHOLD_MAX = "At most so many fen for one household."
REMAINDER = "What becomes of what is left at its end."

M = TypeVar("M", bound="CampaignPayload")

if TYPE_CHECKING:
    from marketplace.persistence.database import Database
    from marketplace.services.acting import Act

    Move = Callable[[Database, Act, campaigns.MoveCampaign], Awaitable[int]]


@strawberry.input(description="A new campaign, as a draft.")
class CampaignCreateInput:
    title: str = strawberry.field(description=TITLE)
    category_id: ID = strawberry.field(description=PURPOSE)
    target_fen: BigInt = strawberry.field(description=TARGET)
    starts_at: datetime = strawberry.field(description="From when on.")
    ends_at: datetime = strawberry.field(description="Until when.")
    description: str = strawberry.field(description=DESCRIPTION, default="")
    filing_number: str | None = strawberry.field(description=FILING, default=None)
    filed_on: date | None = strawberry.field(description=FILED, default=None)
    target_groups: list[TargetGroup] = strawberry.field(description=GROUPS, default_factory=list)
    household_max_fen: BigInt | None = strawberry.field(description=HOUSEHOLD_MAX, default=None)
    remainder_rule: RemainderRule = strawberry.field(
        description=REMAINDER, default=RemainderRule.SPEND_ON
    )
    organization_id: ID | None = strawberry.field(
        description="Who organizes it; left out: your own organization.", default=None
    )
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_terms(self) -> CampaignTerms:
        return CampaignTerms(
            category_id=key_of("Category", self.category_id),
            title=self.title,
            starts_at=self.starts_at,
            ends_at=self.ends_at,
            target_fen=self.target_fen,
            description=self.description,
            filing_number=self.filing_number,
            filed_on=self.filed_on,
            target_groups=mask_of(self.target_groups),
            household_max_fen=self.household_max_fen,
            remainder_rule=RemainderRule(self.remainder_rule),
        )


@strawberry.input(
    description="Other terms of a campaign. What is left out stays; null removes it. Once it is "
    "open, its purpose, beginning, filing and remainder rule are fixed."
)
class CampaignUpdateInput:
    id: ID = strawberry.field(description="The campaign.")
    expected_version: int = strawberry.field(description=VERSION)
    title: str | None = strawberry.field(description=TITLE, default=UNSET)
    category_id: ID | None = strawberry.field(description=PURPOSE, default=UNSET)
    target_fen: BigInt | None = strawberry.field(description=TARGET, default=UNSET)
    starts_at: datetime | None = strawberry.field(description="From when on.", default=UNSET)
    ends_at: datetime | None = strawberry.field(description="Until when.", default=UNSET)
    description: str | None = strawberry.field(description=DESCRIPTION, default=UNSET)
    filing_number: str | None = strawberry.field(description=FILING, default=UNSET)
    filed_on: date | None = strawberry.field(description=FILED, default=UNSET)
    target_groups: list[TargetGroup] | None = strawberry.field(description=GROUPS, default=UNSET)
    household_max_fen: BigInt | None = strawberry.field(description=HOUSEHOLD_MAX, default=UNSET)
    remainder_rule: RemainderRule | None = strawberry.field(description=REMAINDER, default=UNSET)
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_command(self) -> campaigns.UpdateCampaign:
        """Raises InvalidInput where null is given for what every campaign has."""
        known = campaigns.CampaignPatch.__annotations__
        named = (f.name for f in dataclasses.fields(self) if f.name in known)
        given = {name: getattr(self, name) for name in named if getattr(self, name) is not UNSET}
        empty = [name for name, value in given.items() if value is None and name not in CAN_GO]
        if empty:
            raise InvalidInput(*(fault(name, "REQUIRED", *NEEDED) for name in empty))
        turned = {name: TURN[name](given[name]) if name in TURN else given[name] for name in given}
        return campaigns.UpdateCampaign(
            campaign_id=key_of("Campaign", self.id),
            expected_version=self.expected_version,
            patch=cast(campaigns.CampaignPatch, turned),
        )


CAN_GO = frozenset({"filing_number", "filed_on", "household_max_fen"})
NEEDED = (
    "Every campaign has this: give a value, or leave it out to keep it.",
    "此项必填：请填写，或省略以保持不变。",
)
TURN: dict[str, Callable[..., object]] = {
    "category_id": partial(key_of, "Category"),
    "target_groups": mask_of,
    "remainder_rule": RemainderRule,
}


@strawberry.input(description="Which campaign to move.")
class CampaignMoveInput:
    id: ID = strawberry.field(description="The campaign.")
    expected_version: int | None = strawberry.field(description=VERSION, default=None)
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_command(self) -> campaigns.MoveCampaign:
        return campaigns.MoveCampaign(
            campaign_id=key_of("Campaign", self.id), expected_version=self.expected_version
        )


@strawberry.input(description="Which campaign to open.")
class CampaignOpenInput(CampaignMoveInput):
    pass


@strawberry.input(description="Which campaign to close.")
class CampaignCloseInput(CampaignMoveInput):
    pass


@strawberry.input(description="Who adds how much to what is given to a campaign.")
class MatchingFundCreateInput:
    campaign_id: ID = strawberry.field(description="The campaign.")
    funder_name: str = strawberry.field(description="Who adds, 2 to 100 characters; public.")
    percent: int = strawberry.field(description="Of each donation, 1 to 1,000; 100: one to one.")
    cap_fen: BigInt = strawberry.field(description="At most so many fen in all.")
    starts_at: datetime | None = strawberry.field(
        description="From when on; left out: as the campaign.", default=None
    )
    ends_at: datetime | None = strawberry.field(
        description="Until when; left out: as the campaign.", default=None
    )
    organization_id: ID | None = strawberry.field(
        description="The funder, where it is an organization here.", default=None
    )
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)

    def to_command(self) -> CreateMatching:
        funder = self.organization_id
        return CreateMatching(
            campaign_id=key_of("Campaign", self.campaign_id),
            funder_name=self.funder_name,
            percent=self.percent,
            cap_fen=self.cap_fen,
            starts_at=self.starts_at,
            ends_at=self.ends_at,
            organization_id=None if funder is None else key_of("Organization", funder),
        )


@strawberry.type
class CampaignPayload(Payload):
    campaign: Campaign | None = strawberry.field(
        description="The campaign as it is now; null where it was refused.", default=None
    )


@strawberry.type(description="What came of writing a campaign down.")
class CampaignCreatePayload(CampaignPayload):
    pass


@strawberry.type(description="What came of changing a campaign.")
class CampaignUpdatePayload(CampaignPayload):
    pass


@strawberry.type(description="What came of opening a campaign.")
class CampaignOpenPayload(CampaignPayload):
    pass


@strawberry.type(description="What came of closing a campaign.")
class CampaignClosePayload(CampaignPayload):
    pass


@strawberry.type(description="What came of writing a matching fund down.")
class MatchingFundCreatePayload(Payload):
    matching_fund: MatchingFund | None = strawberry.field(
        description="The fund; null where it was refused.", default=None
    )


async def _moved(of: type[M], info: Info, move: Move, input: CampaignMoveInput) -> M:
    async def doing() -> int:
        return await move(info.context.database, act_of(info, input), input.to_command())

    return await payload(of, info, doing(), partial(read_one, info, "Campaign"))


@strawberry.type
class CampaignMutations:
    @strawberry.mutation(
        description="Write a campaign down as a draft. Only charities and the federation raise "
        "money in public; the charity desk may write it down for them."
    )
    async def campaign_create(
        self, info: Info, input: Annotated[CampaignCreateInput, INPUT]
    ) -> CampaignCreatePayload:
        async def doing() -> int:
            organizer = input.organization_id
            return await campaigns.create(
                info.context.database,
                act_of(info, input),
                input.to_terms(),
                organization_id=None if organizer is None else key_of("Organization", organizer),
            )

        read = partial(read_one, info, "Campaign")
        return await payload(CampaignCreatePayload, info, doing(), read)

    @strawberry.mutation(description="Change a draft, or of an open campaign what binds no donor.")
    async def campaign_update(
        self, info: Info, input: Annotated[CampaignUpdateInput, INPUT]
    ) -> CampaignUpdatePayload:
        async def doing() -> int:
            act = act_of(info, input)
            return await campaigns.update(info.context.database, act, input.to_command())

        read = partial(read_one, info, "Campaign")
        return await payload(CampaignUpdatePayload, info, doing(), read)

    @strawberry.mutation(
        description="Let a filed campaign take donations. Its balance is a cash offer of its "
        "purpose, which grows with every donation."
    )
    async def campaign_open(
        self, info: Info, input: Annotated[CampaignOpenInput, INPUT]
    ) -> CampaignOpenPayload:
        return await _moved(CampaignOpenPayload, info, campaigns.open_, input)

    @strawberry.mutation(
        description="Take no more donations. What is reserved stays reserved; what is left is "
        "dealt with by the remainder rule."
    )
    async def campaign_close(
        self, info: Info, input: Annotated[CampaignCloseInput, INPUT]
    ) -> CampaignClosePayload:
        return await _moved(CampaignClosePayload, info, campaigns.close, input)

    @strawberry.mutation(description="Write down that somebody adds to what is given.")
    async def matching_fund_create(
        self, info: Info, input: Annotated[MatchingFundCreateInput, INPUT]
    ) -> MatchingFundCreatePayload:
        async def doing() -> int:
            act = act_of(info, input)
            return await campaigns.create_matching(info.context.database, act, input.to_command())

        read = partial(read_one, info, "MatchingFund")
        return await payload(MatchingFundCreatePayload, info, doing(), read)
