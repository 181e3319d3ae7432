"""Campaigns: writing them down, opening and closing them, and who matches what is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

from marketplace.domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from marketplace.domain.events import Event
from marketplace.domain.exchange.campaigns import (
    MOVES,
    NOUN,
    RAISERS,
    CampaignStatus,
    CampaignTerms,
    CreateMatching,
    RemainderRule,
    check_campaign,
    check_filed,
    check_matching,
)
from marketplace.domain.exchange.offers import OfferStatus
from marketplace.domain.moves import check_move, check_version
from marketplace.domain.permissions import PROVIDERS, may_touch
from marketplace.domain.registry.organizations import OrganizationKind, OrganizationStatus
from marketplace.persistence import events
from marketplace.persistence.database import Database, Row, Writing
from marketplace.persistence.exchange import campaigns, facts, offers
from marketplace.services.acting import Act, Turn, once, record

AT_ONCE_MAX = 200


class CampaignPatch(TypedDict, total=False):
    """The terms that an update names; what is absent stays as it is."""

    title: str
    description: str
    filing_number: str | None
    filed_on: object
    starts_at: object
    ends_at: object
    target_fen: int
    category_id: int
    target_groups: int
    household_max_fen: int | None
    remainder_rule: RemainderRule


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateCampaign:
    campaign_id: int
    expected_version: int
    patch: CampaignPatch


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveCampaign:
    campaign_id: int
    expected_version: int | None = None


async def create(
    database: Database, act: Act, terms: CampaignTerms, *, organization_id: int | None = None
) -> int:
    """Write a campaign down as a draft; its key.

    organization_id   who organizes it, where the charity desk writes it down
    Raises Forbidden, Conflict (an organization that may not raise money, TAKEN), InvalidInput.
    """
    async with once(database, act, "campaignCreate") as turn:
        if turn.replay is not None:
            return int(str(turn.replay["campaign"]))
        organizer = await _organizer(turn, organization_id)
        await _checked(turn, database, terms)
        values = _columns(terms) | {
            "organization_id": organizer["id"],
            "created_by": act.viewer.account_id,
            "created_at": database.now(),
        }
        campaign_id = await campaigns.add(turn.db, values)
        await record(
            turn, database, "campaign.created", "Campaign", campaign_id, target=terms.target_fen
        )
        turn.outcome = {"campaign": campaign_id}
        return campaign_id


async def update(database: Database, act: Act, command: UpdateCampaign) -> int:
    """Change a draft, or of an open campaign what binds no donor; its key.

    Raises Conflict where the purpose, the beginning or the filing of an open one would change.
    """
    async with once(database, act, "campaignUpdate") as turn:
        if turn.replay is not None:
            return int(str(turn.replay["campaign"]))
        row = await _for_move(turn, "campaignUpdate", command.campaign_id, command.expected_version)
        before = _terms(row)
        after = CampaignTerms(**{**_columns(before), **command.patch})  # type: ignore[arg-type]
        if row["status"] == CampaignStatus.OPEN:
            _check_open_update(before, after)
        await _checked(turn, database, after)
        await campaigns.change(turn.db, command.campaign_id, _columns(after))
        if offer := await campaigns.balance_offer(turn.db, command.campaign_id):
            await offers.change(turn.db, offer["id"], _offer_terms(after))
        changed = sorted(command.patch)
        await record(
            turn, database, "campaign.updated", "Campaign", command.campaign_id, changed=changed
        )
        turn.outcome = {"campaign": command.campaign_id}
        return command.campaign_id


async def open_(database: Database, act: Act, command: MoveCampaign) -> int:
    """Let a filed campaign take donations; its balance is on offer from now on.

    Raises InvalidInput where it is not filed in time, Conflict from another state or where its
    organization is not verified.
    """
    async with once(database, act, "campaignOpen") as turn:
        if turn.replay is not None:
            return int(str(turn.replay["campaign"]))
        row = await _for_move(turn, "campaignOpen", command.campaign_id, command.expected_version)
        if row["organization_status"] != OrganizationStatus.VERIFIED:
            raise _not_verified()
        terms = _terms(row)
        await _checked(turn, database, terms)
        check_filed(terms, now=database.now())
        now = database.now()
        values = {"status": CampaignStatus.OPEN, "opened_at": now}
        await campaigns.change(turn.db, command.campaign_id, values)
        balance = _offer_terms(terms) | {
            "organization_id": row["organization_id"],
            "campaign_id": command.campaign_id,
            "kind": "CASH",
            "status": OfferStatus.OPEN,
            "quantity": 0,
            "starts_at": now,
            "posted_by": act.viewer.account_id,
            "created_at": now,
        }
        offer_id = await offers.add(turn.db, balance, ())
        await record(
            turn, database, "campaign.opened", "Campaign", command.campaign_id, offer=offer_id
        )
        turn.outcome = {"campaign": command.campaign_id}
        return command.campaign_id


async def close(database: Database, act: Act, command: MoveCampaign) -> int:
    """Take no more donations. What is reserved stays reserved and is delivered.

    By SPEND_ON the rest goes on serving the purpose until it is used up; by HOLD its offer is
    closed, and the rest waits for the charity desk.
    """
    async with once(database, act, "campaignClose") as turn:
        if turn.replay is not None:
            return int(str(turn.replay["campaign"]))
        row = await _for_move(turn, "campaignClose", command.campaign_id, command.expected_version)
        left = await _close(turn.db, database, row)
        await record(
            turn,
            database,
            "campaign.closed",
            "Campaign",
            command.campaign_id,
            remainder=left,
            rule=row["remainder_rule"],
        )
        turn.outcome = {"campaign": command.campaign_id}
        return command.campaign_id


async def create_matching(database: Database, act: Act, command: CreateMatching) -> int:
    """Write down that somebody matches what is given to a campaign; the fund's key."""
    async with once(database, act, "matchingFundCreate") as turn:
        if turn.replay is not None:
            return int(str(turn.replay["fund"]))
        row = await _for_move(turn, "matchingFundCreate", command.campaign_id, None)
        period = (row["starts_at"], row["ends_at"])
        check_matching(command, period=period)
        funder = command.organization_id
        if funder is not None and await facts.organization(turn.db, funder) is None:
            raise InvalidInput.of(
                "organization_id", "There is no such organization.", "没有此单位。",
                code="NOT_FOUND",
            )  # fmt: skip
        values = {
            "campaign_id": command.campaign_id,
            "organization_id": funder,
            "funder_name": command.funder_name.strip(),
            "percent": command.percent,
            "cap_fen": command.cap_fen,
            "starts_at": command.starts_at or period[0],
            "ends_at": command.ends_at or period[1],
            "created_by": act.viewer.account_id,
            "created_at": database.now(),
        }
        fund_id = await campaigns.add_fund(turn.db, values)
        told = {"percent": command.percent, "cap": command.cap_fen, "campaign": row["id"]}
        await record(turn, database, "matching_fund.created", "MatchingFund", fund_id, **told)
        turn.outcome = {"fund": fund_id}
        return fund_id


async def close_overdue(database: Database) -> int:
    """Close campaigns whose end has passed, each in a transaction of its own; how many."""
    async with database.read() as db:
        due = await campaigns.overdue(db, now=database.now(), limit=AT_ONCE_MAX)
    for campaign_id in due:
        async with database.write() as db:
            row = await campaigns.lock(db, campaign_id)
            if row is None or row["status"] != CampaignStatus.OPEN:
                continue
            left = await _close(db, database, row)
            told = {"remainder": left, "rule": row["remainder_rule"]}
            await events.append(
                db,
                Event(
                    kind="campaign.closed",
                    at=database.now(),
                    entity="Campaign",
                    entity_id=campaign_id,
                    data=told,
                ),
            )
    return len(due)


async def _close(db: Writing, database: Database, row: Row) -> int:
    """Close a locked campaign; the fen that are left of it."""
    values = {"status": CampaignStatus.CLOSED, "closed_at": database.now()}
    await campaigns.change(db, row["id"], values)
    offer = await campaigns.balance_offer(db, row["id"])
    if offer is None:
        return 0
    left = int(offer["quantity"] - offer["reserved"] - offer["delivered"])
    if row["remainder_rule"] == RemainderRule.HOLD:
        await offers.change(db, offer["id"], {"status": OfferStatus.CLOSED})
    return left


async def _for_move(turn: Turn, move: str, campaign_id: int, expected_version: int | None) -> Row:
    """The campaign's row, locked. Raises NotFound, Forbidden, or Conflict where it is stale."""
    row = await campaigns.lock(turn.db, campaign_id)
    if row is None:
        raise NotFound
    if not may_touch(turn.act.viewer, move, row["organization_id"]):
        raise NotFound if row["status"] == CampaignStatus.DRAFT else Forbidden
    check_version(NOUN, expected_version, row["version"])
    check_move(MOVES, move, CampaignStatus(row["status"]), NOUN)
    return row


async def _organizer(turn: Turn, organization_id: int | None) -> Row:
    viewer = turn.act.viewer
    if viewer.role in PROVIDERS:
        if organization_id not in (None, viewer.organization_id):
            raise Forbidden
        organization_id = viewer.organization_id
    found = None if organization_id is None else await facts.organization(turn.db, organization_id)
    if found is None:
        if viewer.role in PROVIDERS:
            raise Forbidden
        raise InvalidInput.of(
            "organization_id", "Say which organization organizes it.", "请填写项目主办单位。",
            code="REQUIRED",
        )  # fmt: skip
    if OrganizationKind(found["kind"]) not in RAISERS:
        raise Conflict.of(
            "",
            "Only charities and the charity federation may raise money in public. "
            "Others give their own by offers.",
            "仅慈善组织和慈善总会可公开募捐，其他单位可发布自有供给。",
            code="NOT_A_CHARITY",
        )
    return found


async def _checked(turn: Turn, database: Database, terms: CampaignTerms) -> None:
    category = await facts.category(turn.db, terms.category_id)
    check_campaign(terms, category, now=database.now())


def _check_open_update(before: CampaignTerms, after: CampaignTerms) -> None:
    fixed = ("category_id", "starts_at", "filing_number", "filed_on", "remainder_rule")
    for name in fixed:
        if getattr(before, name) != getattr(after, name):
            raise Conflict.of(
                name,
                "Donors gave for this: it is fixed once the campaign is open.",
                "项目已公开募捐，此项不能再改。",
            )


def _not_verified() -> Conflict:
    return Conflict.of(
        "",
        "Only a verified organization can open a campaign.",
        "仅已核验单位可公开募捐。",
        code="ORGANIZATION_NOT_VERIFIED",
    )


def _terms(row: Row) -> CampaignTerms:
    values = {name: row[name] for name in CampaignTerms.__dataclass_fields__}
    return CampaignTerms(**values | {"remainder_rule": RemainderRule(row["remainder_rule"])})


def _columns(terms: CampaignTerms) -> dict[str, object]:
    values = {name: getattr(terms, name) for name in CampaignTerms.__dataclass_fields__}
    return values | {"title": terms.title.strip(), "description": terms.description.strip()}


def _offer_terms(terms: CampaignTerms) -> dict[str, object]:
    """What the balance as an offer takes over from its campaign."""
    return {
        "category_id": terms.category_id,
        "title": terms.title.strip(),
        "target_groups": terms.target_groups,
        "household_max": terms.household_max_fen,
    }
