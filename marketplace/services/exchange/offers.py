"""Offers: posting them, changing their terms, pausing, resuming and closing them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from marketplace.domain.errors import Conflict, Forbidden, NotFound
from marketplace.domain.exchange.offers import (
    MOVED_TO,
    OfferStatus,
    OfferTerms,
    TermsPatch,
    check_move,
    check_terms,
    check_update,
    first_status,
    may_touch,
)
from marketplace.domain.permissions import Viewer
from marketplace.domain.registry.categories import CategoryKind
from marketplace.domain.registry.organizations import OrganizationStatus
from marketplace.persistence.database import Database, Reading, Row
from marketplace.persistence.exchange import facts, offers, plan_names
from marketplace.services.acting import Act, Turn, once, record


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateOffer:
    """Change what `patch` names, if nobody changed the offer since `expected_version`."""

    offer_id: int
    expected_version: int
    patch: TermsPatch


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveOffer:
    offer_id: int
    expected_version: int | None = None


async def post(database: Database, act: Act, terms: OfferTerms) -> int:
    """Put an offer on the market; its key. It waits as a draft until its organization is verified.

    Raises InvalidInput for terms that no offer can have, Conflict where the organization may not
    offer or the external reference is taken, Forbidden for who speaks for no organization.
    """
    async with once(database, act, "offerPost") as turn:
        if turn.replay is not None:
            return _key(turn.replay["offer"])
        organization = await _own_organization(turn.db, act.viewer)
        status = first_status(OrganizationStatus(organization["status"]))
        terms = await _checked(turn.db, terms, organization, database.now())
        values = _columns(terms) | {
            "organization_id": organization["id"],
            "status": status,
            "starts_at": terms.starts_at or database.now(),
            "posted_by": act.viewer.account_id,
            "created_at": database.now(),
        }
        offer_id = await offers.add(turn.db, values, terms.region_ids)
        await record(turn, database, "offer.posted", "Offer", offer_id, status=status)
        turn.outcome = {"offer": offer_id}
        return offer_id


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
        row = await _for_move(turn, "offerUpdate", command.offer_id, command.expected_version)
        _check_move("offerUpdate", row, database)
        before = _terms(row, await offers.region_ids(turn.db, command.offer_id))
        after = replace(before, **command.patch)
        organization = await _own_organization(turn.db, act.viewer)
        after = await _checked(turn.db, after, organization, database.now())
        check_update(before, after, in_use=row["reserved"] + row["delivered"])
        values = _columns(after) | {"starts_at": after.starts_at or database.now()}
        if not await offers.change(turn.db, command.offer_id, values):
            raise Conflict.of(
                "quantity",
                "More of it was reserved meanwhile. Read the offer again.",
                "期间又有部分被预留，请重新读取该供给。",
                code="QUANTITY_EXCEEDED",
            )
        if after.region_ids != before.region_ids:
            await offers.replace_regions(turn.db, command.offer_id, after.region_ids)
        changed = sorted(command.patch)
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
        await offers.change(turn.db, command.offer_id, {"status": MOVED_TO[move]})
        moved = {"from": row["status"], "to": MOVED_TO[move]}
        await record(turn, database, kind, "Offer", command.offer_id, **moved)
        turn.outcome = {"offer": command.offer_id}
        return command.offer_id


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
    if expected_version is not None and expected_version != row["version"]:
        raise Conflict.of(
            "expected_version",
            f"The offer is at version {row['version']} now. Read it again and decide anew.",
            f"该供给已更新至版本 {row['version']}，请重新读取后再操作。",
        )
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
