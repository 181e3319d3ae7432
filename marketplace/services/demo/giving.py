"""The demo's campaigns: the cash that charities offer is what donors gave, with receipts."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import sqlalchemy as sa

from marketplace.domain.days import county_day
from marketplace.domain.events import Event
from marketplace.domain.exchange.campaigns import RAISERS, CampaignStatus
from marketplace.domain.exchange.donations import DonationKind
from marketplace.domain.exchange.offers import OfferStatus
from marketplace.domain.registry.organizations import OrganizationStatus
from marketplace.persistence.crypto import Sealer, new_seal_id
from marketplace.persistence.database import Row, Writing
from marketplace.persistence.exchange import donations as donation_rows
from marketplace.persistence.tables import (
    agreements,
    campaigns,
    donation_matches,
    donations,
    matching_funds,
    offers,
    receipt_counters,
)
from marketplace.services.demo.ground import Ground, Staff
from marketplace.services.demo.size import dice
from marketplace.services.exchange.donation_codes import code_digest, trace_code

MATCHED = "99公益日"  # what is given in these days is matched one to two
PERCENT = 50
DONORS = (
    "王女士（示例）",
    "老乡李先生（示例）",
    "示例商贸有限公司",
    "某中学全体师生（示例）",
    None,
)
OFFER_MAX_FEN = 500_000_000


@dataclass(slots=True)
class _Thrown:
    """Rows of one campaign's donations, in the order in which they came in."""

    rows: list[dict[str, object]] = field(default_factory=list)
    matches: list[int] = field(default_factory=list)


async def add(
    db: Writing,
    on: Ground,
    staff: Staff,
    sealer: Sealer,
    organizations: Sequence[Mapping[str, object]],
    seed: int,
) -> list[Event]:
    """Agreements of verified organizations, and a campaign behind each cash offer of a charity.

    Quantities stay what they are: the market is the same with and without.
    """
    officer = staff.by_role["CHARITY_OFFICER"]
    await _agree(db, on, officer, organizations)
    raisers = {
        int(str(row["id"]))
        for row in organizations
        if row["kind"] in RAISERS and row["status"] == OrganizationStatus.VERIFIED
    }
    balances = await db.rows(
        sa.select(offers)
        .where(
            offers.c.kind == "CASH",
            offers.c.external_reference.like("DEMO-O%"),
            offers.c.organization_id.in_(sorted(raisers)),
        )
        .order_by(offers.c.id)
    )
    thrown, told = dice(seed, "giving"), []
    counted: Counter[tuple[int, int]] = Counter()
    for number, offer in enumerate(balances, 1):
        by = staff.by_organization[offer["organization_id"]]
        told += await _campaign(db, on, sealer, offer, number, by, counted, thrown)
    await db.insert_many(
        receipt_counters,
        [
            {"organization_id": organization, "year": year, "last": last}
            for (organization, year), last in sorted(counted.items())
        ],
    )
    return told


async def _agree(
    db: Writing, on: Ground, officer: int, organizations: Sequence[Mapping[str, object]]
) -> None:
    today = county_day(on.now)
    await db.insert_many(
        agreements,
        [
            {
                "organization_id": int(str(row["id"])),
                "number": f"金慈协〔{today.year}〕{number:03d}号（示例）",
                "valid_from": today - timedelta(days=200),
                "valid_until": today + timedelta(days=530),
                "offer_max_fen": OFFER_MAX_FEN,
                "signed_by": officer,
                "signed_at": on.now - timedelta(days=200),
            }
            for number, row in enumerate(organizations, 1)
            if row["status"] == OrganizationStatus.VERIFIED
        ],
    )


async def _campaign(
    db: Writing,
    on: Ground,
    sealer: Sealer,
    offer: Row,
    number: int,
    by: int,
    counted: Counter[tuple[int, int]],
    thrown: random.Random,
) -> list[Event]:
    """A campaign whose donations add up to its offer's quantity."""
    begins: datetime = offer["created_at"]
    is_open = offer["status"] != OfferStatus.CLOSED
    given = _donations(offer, on, thrown)
    cash, matched = sum(int(str(r["amount_fen"])) for r in given.rows), sum(given.matches)
    assert cash + matched == offer["quantity"]
    values = {
        "organization_id": offer["organization_id"],
        "category_id": offer["category_id"],
        "status": CampaignStatus.OPEN if is_open else CampaignStatus.CLOSED,
        "title": offer["title"],
        "description": "示例项目：善款用于本县困难群众，每笔捐赠可凭收据编号查询去向。",
        "filing_number": f"53361027DEMO{begins.year % 100}{number:04d}",
        "filed_on": county_day(begins) - timedelta(days=15),
        "starts_at": begins,
        "ends_at": offer["expires_at"] or on.now + timedelta(days=120),
        "target_fen": -(-offer["quantity"] * thrown.randrange(11, 20) // 10_000_000) * 1_000_000,
        "target_groups": offer["target_groups"],
        "donated_fen": cash,
        "matched_fen": matched,
        "created_by": by,
        "created_at": begins,
        "opened_at": begins,
        "closed_at": None if is_open else on.now,
    }
    campaign_id = await db.insert(campaigns, values)
    linked = sa.update(offers).where(offers.c.id == offer["id"]).values(campaign_id=campaign_id)
    await db.execute(linked)
    keys = await _receive(db, sealer, given, offer, campaign_id, by, counted)
    if matched:
        await _match(db, offer, values, campaign_id, keys, given.matches)
    told = {"entity": "Campaign", "entity_id": campaign_id, "account_id": by}
    return [
        Event(kind="campaign.opened", at=begins, data={"offer": offer["id"]}, **told)  # type: ignore[arg-type]
    ]


def _donations(offer: Row, on: Ground, thrown: random.Random) -> _Thrown:
    """Amounts and times of donations: first those that a fund matches, then the rest."""
    found, left = _Thrown(), int(offer["quantity"])
    moments = sorted(
        offer["created_at"] + (on.now - offer["created_at"]) * thrown.random()
        for _ in range(thrown.randrange(4, 10))
    )
    is_matched = MATCHED in offer["title"]
    for place, at in enumerate(moments):
        last = place == len(moments) - 1
        share = left if last else max(1, left // (len(moments) - place) // 300 * 200)
        extra = 0 if last or not is_matched else share * PERCENT // 100
        if share + extra > left or share <= 0:
            continue
        left -= share + extra
        found.rows.append({"amount_fen": share, "received_at": at})
        found.matches.append(extra)
    assert left == 0, "the last donation is what is left"
    return found


async def _receive(
    db: Writing,
    sealer: Sealer,
    given: _Thrown,
    offer: Row,
    campaign_id: int,
    by: int,
    counted: Counter[tuple[int, int]],
) -> list[int]:
    rows = []
    for place, (row, extra) in enumerate(zip(given.rows, given.matches, strict=True)):
        at = row["received_at"]
        assert isinstance(at, datetime)
        year = county_day(at).year
        counted[offer["organization_id"], year] += 1
        rows.append(
            row
            | _donor(sealer, DONORS[(place + campaign_id) % len(DONORS)])
            | {
                "organization_id": offer["organization_id"],
                "campaign_id": campaign_id,
                "offer_id": offer["id"],
                "kind": DonationKind.CASH,
                "units": row["amount_fen"],
                "matched_fen": extra,
                "receipt_year": year,
                "receipt_number": counted[offer["organization_id"], year],
                "recorded_by": by,
                "recorded_at": at,
            }
        )
    return await db.insert_keys(donations, rows)


def _donor(sealer: Sealer, name: str | None) -> dict[str, object]:
    seal_id = new_seal_id()
    return {
        "is_anonymous": name is None,
        "seal_id": seal_id,
        "donor_name_sealed": name and sealer.seal(name, place=donation_rows.NAME, seal_id=seal_id),
        "trace_digest": code_digest(sealer, trace_code(sealer, seal_id)),
    }


async def _match(
    db: Writing,
    offer: Row,
    campaign: Mapping[str, object],
    campaign_id: int,
    keys: Sequence[int],
    matches: Sequence[int],
) -> None:
    fund_id = await db.insert(
        matching_funds,
        {
            "campaign_id": campaign_id,
            "funder_name": "公益平台配捐（示例）",
            "percent": PERCENT,
            "cap_fen": sum(matches),
            "matched_fen": sum(matches),
            "starts_at": campaign["starts_at"],
            "ends_at": campaign["ends_at"],
            "created_at": offer["created_at"],
        },
    )
    await db.insert_many(
        donation_matches,
        [
            {"donation_id": key, "matching_fund_id": fund_id, "fen": fen}
            for key, fen in zip(keys, matches, strict=True)
            if fen > 0
        ],
    )
