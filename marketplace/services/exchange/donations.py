"""Donations: taking them in with a receipt, assigning and giving them back, and tracing them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from marketplace.domain.checks import text
from marketplace.domain.days import county_day
from marketplace.domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from marketplace.domain.exchange.campaigns import (
    RAISERS,
    CampaignStatus,
    matched,
)
from marketplace.domain.exchange.donations import (
    MOVES,
    NOUN,
    REASON_LENGTH_MAX,
    DonationKind,
    DonationStatus,
    RecordDonation,
    check_donation,
)
from marketplace.domain.exchange.offers import OfferStatus, OfferTerms
from marketplace.domain.moves import check_move, check_version
from marketplace.domain.permissions import PROVIDERS, Viewer, may_touch
from marketplace.domain.registry.categories import CategoryKind
from marketplace.domain.registry.organizations import OrganizationKind, OrganizationStatus
from marketplace.domain.states import in_chinese
from marketplace.persistence.crypto import Sealer, new_seal_id
from marketplace.persistence.database import Database, Reading, Row, Writing
from marketplace.persistence.exchange import campaigns, donations, facts, offers
from marketplace.services.acting import Act, Turn, once, record
from marketplace.services.exchange.donation_codes import code_digest, trace_code
from marketplace.services.exchange.donation_uses import attribute
from marketplace.services.exchange.offer_moderation import moderated


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A donation's key, and the code that only its donor is given."""

    donation_id: int
    trace_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignDonation:
    donation_id: int
    campaign_id: int
    expected_version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundDonation:
    donation_id: int
    reason: str
    expected_version: int | None = None


async def record_donation(
    database: Database, act: Act, sealer: Sealer, command: RecordDonation
) -> Recorded:
    """Write a donation down with the next receipt number; what is given is on offer at once.

    Raises InvalidInput, Forbidden, NotFound, Conflict where the campaign takes nothing now.
    """
    async with once(database, act, "donationRecord") as turn:
        if turn.replay is not None:
            return await _again(turn, sealer)
        now = database.now()
        check_donation(command, now=now)
        received_at = command.received_at or now
        whereto = await _whereto(turn, command, received_at)
        organization_id = whereto[1]
        year = county_day(now).year
        # Before the offer: it locks the organization, as a restriction does before its offers.
        number = await donations.next_number(turn.db, organization_id, year)
        offer_id, matches = await _taken_in(turn, command, whereto, received_at, now)
        seal_id = new_seal_id()
        values = {
            "organization_id": organization_id,
            "campaign_id": command.campaign_id,
            "offer_id": offer_id,
            "category_id": command.category_id,
            "kind": command.kind,
            "amount_fen": command.amount_fen,
            "units": command.amount_fen if command.quantity is None else command.quantity,
            "matched_fen": sum(matches.values()),
            "payment_reference": command.payment_reference,
            "receipt_year": year,
            "receipt_number": number,
            "received_at": received_at,
            "recorded_by": act.viewer.account_id,
            "recorded_at": now,
            **_sealed(sealer, command, seal_id),
        }
        donation_id = await donations.add(turn.db, values, matches)
        await record(
            turn,
            database,
            "donation.recorded",
            "Donation",
            donation_id,
            campaign=command.campaign_id,
            amount=command.amount_fen,
            matched=sum(matches.values()),
        )
        turn.outcome = {"donation": donation_id}
        return Recorded(donation_id=donation_id, trace_code=trace_code(sealer, seal_id))


async def assign(database: Database, act: Act, command: AssignDonation) -> int:
    """Let an unrestricted donation of cash serve a campaign of its organization; its key."""
    async with once(database, act, "donationAssign") as turn:
        if turn.replay is not None:
            return int(str(turn.replay["donation"]))
        now = database.now()
        campaign = await _open_campaign(turn.db, act.viewer, command.campaign_id, now)
        row = await _for_move(turn, "donationAssign", command.donation_id, command)
        if row["campaign_id"] is not None or row["kind"] != DonationKind.CASH:
            raise Conflict.of(
                "id",
                "Only unrestricted cash can be assigned; this was given for something.",
                "仅非限定现金捐赠可指定项目，该捐赠已有限定用途。",
            )
        if campaign["organization_id"] != row["organization_id"]:
            raise NotFound
        given = row["amount_fen"]
        # Funds match what is given to the campaign, not what is put into it later.
        await campaigns.count(turn.db, command.campaign_id, donated=given)
        offer = await campaigns.balance_offer(turn.db, command.campaign_id)
        assert offer is not None, "an open campaign has its balance"
        await campaigns.grow(turn.db, offer["id"], given)
        values = {"campaign_id": command.campaign_id, "offer_id": offer["id"]}
        await donations.change(turn.db, row["id"], values)
        await record(
            turn, database, "donation.assigned", "Donation", row["id"],
            campaign=command.campaign_id, amount=given,
        )  # fmt: skip
        turn.outcome = {"donation": row["id"]}
        return command.donation_id


async def refund(database: Database, act: Act, command: RefundDonation) -> int:
    """Give a donation back while nothing of it is reserved or spent; its key.

    What was matched goes back to its funds in the same transaction. Raises Conflict (SPENT,
    another state), InvalidInput for an unsaid reason, NotFound.
    """
    async with once(database, act, "donationRefund") as turn:
        if turn.replay is not None:
            return int(str(turn.replay["donation"]))
        reason = command.reason.strip()
        if faults := list(text("reason", reason, 2, REASON_LENGTH_MAX)):
            raise InvalidInput(*faults)
        found = await donations.find(turn.db, command.donation_id)
        if found is None:
            raise NotFound
        if found["offer_id"] is not None:
            # Before the donation: whoever brings the uses up to date locks in this order.
            await donations.lock_sources(turn.db, found["offer_id"], found["campaign_id"])
        row = await _for_move(turn, "donationRefund", command.donation_id, command)
        if row["offer_id"] is not None:
            await _take_out(turn.db, row)
        values = {
            "status": DonationStatus.REFUNDED,
            "refunded_by": act.viewer.account_id,
            "refunded_at": database.now(),
            "refund_reason": reason,
        }
        await donations.change(turn.db, row["id"], values)
        await record(
            turn, database, "donation.refunded", "Donation", row["id"],
            campaign=row["campaign_id"], amount=row["amount_fen"], matched=row["matched_fen"],
        )  # fmt: skip
        turn.outcome = {"donation": row["id"]}
        return command.donation_id


async def _take_out(db: Writing, row: Row) -> None:
    """Out of the offer and the campaign, if nothing of it is used. Raises Conflict (SPENT)."""
    await donations.lock_sources(db, row["offer_id"], row["campaign_id"])
    await attribute(db, row["offer_id"])
    fresh = await donations.find(db, row["id"])
    assert fresh is not None, "it is locked"
    units = row["units"] + row["matched_fen"]
    if fresh["used"] > 0 or not await campaigns.shrink(db, row["offer_id"], units):
        raise Conflict.of(
            "id",
            "Part of this donation is reserved or spent already, so it cannot be given back.",
            "该捐赠已有部分被预留或使用，不能退回。",
            code="SPENT",
        )
    for fund_id, fen in (await donations.matches_of(db, row["id"])).items():
        await campaigns.draw_fund(db, fund_id, -fen)
    if row["campaign_id"] is None:
        return
    if row["kind"] == DonationKind.GOODS:
        await campaigns.count(db, row["campaign_id"], goods=-row["amount_fen"])
    else:
        taken = {"donated": -row["amount_fen"], "matched": -row["matched_fen"]}
        await campaigns.count(db, row["campaign_id"], **taken)


async def _taken_in(
    turn: Turn,
    command: RecordDonation,
    whereto: tuple[Row | None, int],
    received_at: datetime,
    now: datetime,
) -> tuple[int | None, dict[int, int]]:
    """The offer that a donation goes into, and what each fund adds to it."""
    db, (campaign, organization_id) = turn.db, whereto
    if command.kind is DonationKind.GOODS:
        return await _goods(turn, command, campaign, organization_id, now), {}
    if campaign is None:
        return None, {}
    matches: dict[int, int] = {}
    for fund in await campaigns.lock_funds(db, campaign["id"], at=received_at):
        left = fund["cap_fen"] - fund["matched_fen"]
        fen = matched(command.amount_fen, percent=fund["percent"], left_fen=left)
        if fen > 0:
            matches[fund["id"]] = fen
            await campaigns.draw_fund(db, fund["id"], fen)
    added = sum(matches.values())
    await campaigns.count(db, campaign["id"], donated=command.amount_fen, matched=added)
    offer = await campaigns.balance_offer(db, campaign["id"])
    assert offer is not None, "an open campaign has its balance"
    await campaigns.grow(db, offer["id"], command.amount_fen + added)
    return offer["id"], matches


async def _goods(
    turn: Turn,
    command: RecordDonation,
    campaign: Row | None,
    organization_id: int,
    now: datetime,
) -> int:
    """An offer of its own for donated goods. Raises InvalidInput for what cannot be offered."""
    assert command.category_id is not None, "checked before"
    db = turn.db
    category = await facts.category(db, command.category_id)
    if category is None or category.unit is None or category.kind is not CategoryKind.GOODS:
        raise InvalidInput.of(
            "category_id",
            "Choose a category of goods that has a unit.",
            "请选择有计量单位的物资类别。",
        )
    if campaign is not None:
        await campaigns.count(db, campaign["id"], goods=command.amount_fen)
    assert command.quantity is not None, "checked before"
    terms = OfferTerms(
        kind=CategoryKind.GOODS, category_id=command.category_id, quantity=command.quantity
    )
    reasons = await moderated(db, organization_id, terms, now=now)
    values = {
        "organization_id": organization_id,
        "campaign_id": None if campaign is None else campaign["id"],
        "category_id": command.category_id,
        "kind": "GOODS",
        "title": "" if campaign is None else campaign["title"],
        "status": OfferStatus.OPEN if reasons is None else OfferStatus.DRAFT,
        "moderation": reasons,
        "quantity": command.quantity,
        "target_groups": 0 if campaign is None else campaign["target_groups"],
        "starts_at": now,
        "posted_by": turn.act.viewer.account_id,
        "created_at": now,
    }
    return await offers.add(db, values, ())


async def _whereto(
    turn: Turn, command: RecordDonation, received_at: datetime
) -> tuple[Row | None, int]:
    """The open campaign, locked, and the organization. Raises Forbidden, NotFound, Conflict."""
    viewer = turn.act.viewer
    if command.campaign_id is not None:
        campaign = await _open_campaign(turn.db, viewer, command.campaign_id, received_at)
        if not may_touch(viewer, "donationRecord", campaign["organization_id"]):
            raise Forbidden
        return campaign, int(campaign["organization_id"])
    own = viewer.organization_id if viewer.role in PROVIDERS else command.organization_id
    if own is None or (command.organization_id not in (None, own)):
        raise InvalidInput.of(
            "organization_id", "Say whose donation it is.", "请填写受赠单位。", code="REQUIRED"
        )
    await _check_recipient(turn.db, own)
    return None, own


async def _check_recipient(db: Reading, organization_id: int) -> None:
    found = await facts.organization(db, organization_id)
    if found is None:
        raise NotFound
    is_raiser = OrganizationKind(found["kind"]) in RAISERS
    if not is_raiser or found["status"] != OrganizationStatus.VERIFIED:
        raise Conflict.of(
            "organization_id",
            "Only a verified charity takes donations.",
            "仅已核验的慈善组织可接受捐赠。",
            code="NOT_A_CHARITY",
        )


async def _open_campaign(db: Writing, viewer: Viewer, campaign_id: int, at: datetime) -> Row:
    campaign = await campaigns.lock(db, campaign_id)
    if campaign is None:
        raise NotFound
    if campaign["status"] == CampaignStatus.DRAFT:
        if not may_touch(viewer, "donationRecord", campaign["organization_id"]):
            raise NotFound  # a draft is nobody else's to know of
        raise Conflict.of(
            "campaign_id",
            "The campaign is a draft and takes no donations. Open it first, with campaignOpen.",
            "该项目尚为草稿，不能接受捐赠；请先用 campaignOpen 启动。",
        )
    if campaign["organization_status"] != OrganizationStatus.VERIFIED:
        raise Conflict.of(
            "campaign_id",
            "Its organization is not verified now, so it takes no donations.",
            "主办单位当前未通过核验，不能接受捐赠。",
            code="ORGANIZATION_NOT_VERIFIED",
        )
    inside = campaign["starts_at"] <= at < campaign["ends_at"]
    if campaign["status"] != CampaignStatus.OPEN or not inside:
        raise Conflict.of(
            "campaign_id",
            f"The campaign is {campaign['status']} and takes donations from "
            f"{campaign['starts_at']:%Y-%m-%d} to {campaign['ends_at']:%Y-%m-%d}.",
            f"该项目状态为{in_chinese(CampaignStatus(campaign['status']))}，募捐时间为 "
            f"{campaign['starts_at']:%Y-%m-%d} 至 {campaign['ends_at']:%Y-%m-%d}。",
        )
    return campaign


async def _for_move(
    turn: Turn, move: str, donation_id: int, command: AssignDonation | RefundDonation
) -> Row:
    row = await donations.lock(turn.db, donation_id)
    if row is None or not may_touch(turn.act.viewer, move, row["organization_id"]):
        raise NotFound
    check_version(NOUN, command.expected_version, row["version"])
    check_move(MOVES, move, DonationStatus(row["status"]), NOUN)
    return row


async def _again(turn: Turn, sealer: Sealer) -> Recorded:
    assert turn.replay is not None
    donation_id = int(str(turn.replay["donation"]))
    row = await donations.find(turn.db, donation_id)
    assert row is not None, "it was recorded"
    return Recorded(donation_id=donation_id, trace_code=trace_code(sealer, row["seal_id"]))


def _sealed(sealer: Sealer, command: RecordDonation, seal_id: str) -> dict[str, object]:
    name, contact = command.donor_name, command.donor_contact
    return {
        "is_anonymous": name is None,
        "seal_id": seal_id,
        "donor_name_sealed": name
        and sealer.seal(name.strip(), place=donations.NAME, seal_id=seal_id),
        "donor_contact_sealed": contact
        and sealer.seal(contact.strip(), place=donations.CONTACT, seal_id=seal_id),
        "trace_digest": code_digest(sealer, trace_code(sealer, seal_id)),
    }
