"""Offers: posting them, changing their terms, pausing, resuming and closing them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from marketplace.domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from marketplace.domain.exchange.offer_moderation import Photo, as_kept, photo_faults, waits
from marketplace.domain.exchange.offers import (
    MOVED_TO,
    NOUN,
    OfferStatus,
    OfferTerms,
    TermsPatch,
    check_move,
    check_terms,
    check_update,
    first_status,
)
from marketplace.domain.moves import check_version
from marketplace.domain.permissions import Viewer, may_touch
from marketplace.domain.registry.categories import CategoryKind
from marketplace.domain.registry.organizations import OrganizationStatus
from marketplace.persistence.database import Database, Reading, Row, Writing
from marketplace.persistence.exchange import facts, offers, plan_names
from marketplace.persistence.registry import organizations as organization_rows
from marketplace.services.acting import Act, Turn, once, record
from marketplace.services.exchange.offer_moderation import moderated


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateOffer:
    """Change what `patch` names, if nobody changed the offer since `expected_version`."""

    offer_id: int
    expected_version: int
    patch: TermsPatch
    photos: tuple[Photo, ...] | None = None  # None: they stay as they are


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveOffer:
    offer_id: int
    expected_version: int | None = None


async def post(
    database: Database, act: Act, terms: OfferTerms, *, photos: tuple[Photo, ...] = ()
) -> int:
    """Put an offer on the market; its key. It waits as a draft until its organization is verified.

    It waits, too, where it is outside the organization's agreement, until it is approved.
    Raises InvalidInput for terms that no offer can have, Conflict where the organization may not
    offer or the external reference is taken, Forbidden for who speaks for no organization.
    """
    async with once(database, act, "offerPost") as turn:
        if turn.replay is not None:
            return _key(turn.replay["offer"])
        if act.viewer.organization_id is None:
            raise Forbidden
        offer_id = await place(
            turn.db,
            act.viewer.organization_id,
            terms,
            photos=photos,
            account_id=act.viewer.account_id,
            now=database.now(),
        )
        row = await offers.find(turn.db, offer_id)
        assert row is not None, "it was just added"
        await record(turn, database, "offer.posted", "Offer", offer_id, status=row["status"])
        turn.outcome = {"offer": offer_id}
        return offer_id


async def place(
    db: Writing,
    organization_id: int,
    terms: OfferTerms,
    *,
    photos: tuple[Photo, ...] = (),
    account_id: int | None,
    now: datetime,
) -> int:
    """Add an offer of an organization: open, or a draft that waits. Raises as `post`."""
    organization = await facts.organization(db, organization_id)
    if organization is None:
        raise Forbidden
    status = first_status(OrganizationStatus(organization["status"]))
    terms = await _checked(db, terms, organization, now)
    if faults := list(photo_faults(photos)):
        raise InvalidInput(*faults)
    reasons = await moderated(db, organization_id, terms, now=now)
    values = _columns(terms) | {
        "organization_id": organization_id,
        "status": OfferStatus.DRAFT if reasons else status,
        "moderation": reasons,
        "photos": as_kept(photos),
        "starts_at": terms.starts_at or now,
        "posted_by": account_id,
        "created_at": now,
    }
    return await offers.add(db, values, terms.region_ids)


async def checked(db: Reading, viewer: Viewer, terms: OfferTerms, *, now: datetime) -> OfferTerms:
    """Terms as `post` would keep them. Raises all that it would raise for them.

    Who speaks for no organization asks as a desk does: on behalf of one that is verified.
    """
    if viewer.organization_id is None:
        here = None if viewer.region_id is None else await plan_names.place(db, viewer.region_id)
        if here is None:
            raise Forbidden
        terms = await _checked(db, terms, here, now)
    else:
        organization = await _own_organization(db, viewer)
        first_status(OrganizationStatus(organization["status"]))
        terms = await _checked(db, terms, organization, now)
    taken = terms.external_reference
    if taken is not None and await plan_names.has_external_reference(db, taken):
        raise offers.reference_taken()
    return terms


async def update(database: Database, act: Act, command: UpdateOffer) -> int:
    """Change the terms of an offer of one's own organization; its key.

    Raises Conflict (stale version, wrong state, or a term that is fixed once part of it is
    reserved), QuantityExceeded (less than is reserved and delivered), InvalidInput, NotFound.
    """
    async with once(database, act, "offerUpdate") as turn:
        if turn.replay is not None:
            return _key(turn.replay["offer"])
        if act.viewer.organization_id is not None:
            # A restriction locks the organization before its offers; `moderated` needs it, too.
            await organization_rows.lock(turn.db, act.viewer.organization_id)
        row = await _for_move(turn, "offerUpdate", command.offer_id, command.expected_version)
        _check_move("offerUpdate", row, database)
        _not_a_balance(row)
        before = _terms(row, await offers.region_ids(turn.db, command.offer_id))
        after = replace(before, **command.patch)
        organization = await _own_organization(turn.db, act.viewer)
        after = await _checked(turn.db, after, organization, database.now())
        check_update(before, after, in_use=row["reserved"] + row["delivered"])
        values = _columns(after) | {"starts_at": after.starts_at or database.now()}
        if command.photos is not None:
            if faults := list(photo_faults(command.photos)):
                raise InvalidInput(*faults)
            values["photos"] = as_kept(command.photos)
        values |= await _again_moderated(turn, row, before, after, database.now())
        if not await offers.change(turn.db, command.offer_id, values):
            raise Conflict.of(
                "quantity",
                "More of it was reserved meanwhile. Read the offer again.",
                "期间又有部分被预留，请重新读取该供给。",
                code="QUANTITY_EXCEEDED",
            )
        if after.region_ids != before.region_ids:
            await offers.replace_regions(turn.db, command.offer_id, after.region_ids)
        changed = sorted({*command.patch, *(("photos",) if command.photos is not None else ())})
        await record(turn, database, "offer.updated", "Offer", command.offer_id, changed=changed)
        turn.outcome = {"offer": command.offer_id}
        return command.offer_id


async def pause(database: Database, act: Act, command: MoveOffer) -> int:
    """Take an open offer out of the market for a while; what is reserved stays reserved."""
    return await _move(database, act, "offerPause", "offer.paused", command)


async def resume(database: Database, act: Act, command: MoveOffer) -> int:
    """Open a paused offer again, or a draft once its organization is verified."""
    return await _move(database, act, "offerResume", "offer.resumed", command)


async def close(database: Database, act: Act, command: MoveOffer) -> int:
    """End an offer for good; what is reserved stays reserved and can still be delivered."""
    return await _move(database, act, "offerClose", "offer.closed", command)


async def _move(database: Database, act: Act, move: str, kind: str, command: MoveOffer) -> int:
    async with once(database, act, move) as turn:
        if turn.replay is not None:
            return _key(turn.replay["offer"])
        row = await _for_move(turn, move, command.offer_id, command.expected_version)
        _check_move(move, row, database)
        if move == "offerClose":
            _not_a_balance(row)
        if move == "offerResume" and row["moderation"] and row["approved_at"] is None:
            raise waits(row["moderation"])
        await offers.change(turn.db, command.offer_id, {"status": MOVED_TO[move]})
        moved = {"from": row["status"], "to": MOVED_TO[move]}
        await record(turn, database, kind, "Offer", command.offer_id, **moved)
        turn.outcome = {"offer": command.offer_id}
        return command.offer_id


async def _again_moderated(
    turn: Turn, row: Row, before: OfferTerms, after: OfferTerms, now: datetime
) -> dict[str, object]:
    """What of changed terms is outside the agreement. Raises Conflict where it is open already."""
    bounded = ("kind", "category_id", "quantity", "region_ids")
    if all(getattr(before, name) == getattr(after, name) for name in bounded):
        return {}
    reasons = await moderated(turn.db, row["organization_id"], after, now=now, excluding=row["id"])
    fresh = set(reasons or ()) - set(row["moderation"] or ())
    if row["status"] != OfferStatus.DRAFT:
        if fresh:
            raise waits(sorted(fresh))
        return {}
    return {"moderation": reasons, "approved_by": None, "approved_at": None}


def _not_a_balance(row: Row) -> None:
    """Raise Conflict for the cash of a campaign, which its donors gave."""
    if row["campaign_id"] is not None and row["kind"] == CategoryKind.CASH:
        raise Conflict.of(
            "id",
            "This is the balance of a campaign: it changes by donations, campaignUpdate and "
            "campaignClose.",
            "该供给为募捐项目余额，请通过捐赠、campaignUpdate 或 campaignClose 变更。",
        )


def _check_move(move: str, row: Row, database: Database) -> None:
    """Raise Conflict unless the offer in this row may be moved so."""
    check_move(
        move,
        OfferStatus(row["status"]),
        organization=OrganizationStatus(row["organization_status"]),
        expires_at=row["expires_at"],
        now=database.now(),
    )


async def _for_move(turn: Turn, move: str, offer_id: int, expected_version: int | None) -> Row:
    """The offer's row, locked. Raises NotFound, Forbidden, or Conflict where it is stale."""
    row = await offers.lock(turn.db, offer_id)
    viewer = turn.act.viewer
    if row is None:
        raise NotFound
    if not may_touch(viewer, move, row["organization_id"]):
        raise Forbidden if row["status"] == OfferStatus.OPEN else NotFound
    check_version(NOUN, expected_version, row["version"])
    return row


async def _own_organization(db: Reading, viewer: Viewer) -> Row:
    if viewer.organization_id is None:
        raise Forbidden
    found = await facts.organization(db, viewer.organization_id)
    if found is None:
        raise Forbidden
    return found


async def _checked(db: Reading, terms: OfferTerms, organization: Row, now: datetime) -> OfferTerms:
    """The terms with what was left to the house filled in. Raises InvalidInput."""
    if terms.radius_km is not None and terms.latitude is None and terms.longitude is None:
        # Kept in the offer, so that it stays where it was when its organization moves.
        terms = replace(
            terms, latitude=organization["latitude"], longitude=organization["longitude"]
        )
    terms = replace(
        terms, title=terms.title.strip(), region_ids=tuple(sorted(set(terms.region_ids)))
    )
    category = await facts.category(db, terms.category_id)
    known = await facts.known_regions(db, terms.region_ids)
    check_terms(terms, category, known_regions=known, now=now)
    return terms


def _terms(row: Row, region_ids: tuple[int, ...]) -> OfferTerms:
    named = (name for name in OfferTerms.__dataclass_fields__ if name != "region_ids")
    values = {name: row[name] for name in named} | {"kind": CategoryKind(row["kind"])}
    return OfferTerms(**values, region_ids=region_ids)


def _columns(terms: OfferTerms) -> dict[str, object]:
    named = (name for name in OfferTerms.__dataclass_fields__ if name != "region_ids")
    return {name: getattr(terms, name) for name in named}


def _key(value: object) -> int:
    assert isinstance(value, int), "an outcome keeps keys"
    return value
