"""Whether an offer keeps to its organization's agreement, and approving one that does not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from marketplace.domain.days import county_day
from marketplace.domain.errors import Conflict, NotFound
from marketplace.domain.exchange.offer_moderation import Bounds, Subtree, outside
from marketplace.domain.exchange.offers import NOUN, OfferStatus, OfferTerms
from marketplace.domain.moves import check_version
from marketplace.domain.registry.organizations import OrganizationStatus
from marketplace.domain.states import in_chinese
from marketplace.persistence.database import Database, Reading, Row, Writing
from marketplace.persistence.exchange import facts, offer_drafts, offers
from marketplace.persistence.registry import agreements
from marketplace.persistence.registry import organizations as organization_rows
from marketplace.services.acting import Act, once, record


@dataclass(frozen=True, slots=True, kw_only=True)
class ApproveOffer:
    offer_id: int
    expected_version: int | None = None


async def moderated(
    db: Writing,
    organization_id: int,
    terms: OfferTerms,
    *,
    now: datetime,
    excluding: int | None = None,
) -> list[str] | None:
    """What of checked terms is outside the agreement; None: they may be opened at once.

    excluding   the offer whose terms these are, where it is there already

    An organization that was verified before agreements were kept is bound by none. Its row is
    locked, so that two offers at once do not both fit under one cap.
    """
    if not await agreements.had_any(db, organization_id):
        return None
    await organization_rows.lock(db, organization_id)
    today = county_day(now)
    agreement = await agreements.in_force(db, organization_id, today=today)
    if agreement is None:
        return ["NO_AGREEMENT"]
    category = await facts.category(db, terms.category_id)
    assert category is not None, "the terms were checked"
    reasons = outside(
        await _bounds(db, agreement, excluding),
        category,
        kind=terms.kind,
        quantity=terms.quantity,
        region_lows=await offer_drafts.region_lows(db, terms.region_ids),
    )
    return [str(reason) for reason in reasons] or None


async def approve(database: Database, act: Act, command: ApproveOffer) -> int:
    """Let an offer outside its agreement open; its key.

    Raises NotFound, Conflict (nothing to approve, another state, an organization that is not
    verified, stale).
    """
    async with once(database, act, "offerApprove") as turn:
        if turn.replay is not None:
            return int(str(turn.replay["offer"]))
        row = await offers.lock(turn.db, command.offer_id)
        if row is None:
            raise NotFound
        check_version(NOUN, command.expected_version, row["version"])
        if row["status"] != OfferStatus.DRAFT or not row["moderation"]:
            raise Conflict.of(
                "id",
                f"The offer is {row['status']} and waits for no approval.",
                f"该供给当前状态为{in_chinese(OfferStatus(row['status']))}，无需审批。",
            )
        verified = row["organization_status"] == OrganizationStatus.VERIFIED
        status = OfferStatus.OPEN if verified else OfferStatus.DRAFT
        values = {
            "status": status,
            "approved_by": act.viewer.account_id,
            "approved_at": database.now(),
        }
        await offers.change(turn.db, command.offer_id, values)
        told = {"outside": row["moderation"], "to": status}
        await record(turn, database, "offer.approved", "Offer", command.offer_id, **told)
        turn.outcome = {"offer": command.offer_id}
        return command.offer_id


async def _bounds(db: Reading, agreement: Row, excluding: int | None) -> Bounds:
    organization_id, since = agreement["organization_id"], agreement["signed_at"]
    categories = [
        Subtree(
            low=row["tree_low"],
            high=row["tree_high"],
            units_max=row["units_max"],
            units_before=0
            if row["units_max"] is None
            else await offer_drafts.units_offered(
                db,
                organization_id,
                since=since,
                within=(row["tree_low"], row["tree_high"]),
                excluding=excluding,
            ),
        )
        for row in await agreements.scope(db, agreement["id"])
    ]
    area = await agreements.area(db, agreement["id"])
    return Bounds(
        categories=categories,
        regions=[Subtree(low=row["tree_low"], high=row["tree_high"]) for row in area],
        offer_max_fen=agreement["offer_max_fen"],
        total_max_fen=agreement["total_max_fen"],
        value_before_fen=0
        if agreement["total_max_fen"] is None
        else await offer_drafts.value_offered(
            db, organization_id, since=since, excluding=excluding
        ),
    )
