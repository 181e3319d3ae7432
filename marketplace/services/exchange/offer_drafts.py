"""Drafts and templates: saving what is incomplete, publishing it, and posting it again in time."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from marketplace.domain.checks import fault, near, text, within
from marketplace.domain.errors import (
    Conflict,
    DomainError,
    Fault,
    Forbidden,
    InvalidInput,
    NotFound,
)
from marketplace.domain.events import Event
from marketplace.domain.exchange.offer_drafts import (
    MOVES,
    NOUN,
    OfferDraftStatus,
    Recurrence,
    next_after,
    period_of,
)
from marketplace.domain.exchange.offer_moderation import Photo, as_kept, from_kept, photo_faults
from marketplace.domain.exchange.offers import TITLE_LENGTH_MAX, OfferTerms
from marketplace.domain.moves import check_move, check_version
from marketplace.domain.registry.categories import CategoryKind
from marketplace.persistence import events
from marketplace.persistence.database import Database, Row
from marketplace.persistence.exchange import offer_drafts
from marketplace.services.acting import Act, Turn, once, record
from marketplace.services.exchange.offers import place

log = logging.getLogger("aidloop.templates")

AT_ONCE_MAX = 200
LASTS_DAYS_MAX = 366
NEEDED = ("kind", "category_id", "quantity")
MOMENTS = ("starts_at", "expires_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveDraft:
    """A draft or template.

    terms       those of OfferTerms that were said so far
    lasts_days  an offer made of a template ends after so many days
    next_at     of what recurs: when it is posted first
    """

    terms: Mapping[str, object]
    photos: tuple[Photo, ...] = ()
    name: str = ""
    is_template: bool = False
    recurrence: Recurrence = Recurrence.NONE
    lasts_days: int | None = None
    next_at: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateDraft:
    draft_id: int
    expected_version: int
    save: SaveDraft


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveDraft:
    """quantity, expires_at: of this one offer, other than the template says."""

    draft_id: int
    expected_version: int | None = None
    quantity: int | None = None
    expires_at: datetime | None = None


async def save(database: Database, act: Act, command: SaveDraft) -> int:
    """Keep an offer that is not finished, or a template; its key. Nothing of it is on offer."""
    async with once(database, act, "offerDraft") as turn:
        if turn.replay is not None:
            return int(str(turn.replay["draft"]))
        if act.viewer.organization_id is None:
            raise Forbidden
        _check(command, database.now())
        values = _columns(command) | {
            "organization_id": act.viewer.organization_id,
            "created_by": act.viewer.account_id,
            "created_at": database.now(),
        }
        draft_id = await offer_drafts.add(turn.db, values)
        await record(turn, database, "offer_draft.saved", "OfferDraft", draft_id)
        turn.outcome = {"draft": draft_id}
        return draft_id


async def update(database: Database, act: Act, command: UpdateDraft) -> int:
    """Save it anew, whole; its key."""
    async with once(database, act, "offerDraftUpdate") as turn:
        if turn.replay is not None:
            return int(str(turn.replay["draft"]))
        row = await _locked(turn, "offerDraftUpdate", command.draft_id, command.expected_version)
        _check(command.save, database.now())
        values = _columns(command.save) | {"last_refusal": None}
        await offer_drafts.change(turn.db, row["id"], values)
        await record(turn, database, "offer_draft.saved", "OfferDraft", row["id"])
        turn.outcome = {"draft": row["id"]}
        return command.draft_id


async def discard(database: Database, act: Act, command: MoveDraft) -> int:
    """Throw a draft or template away; offers that were made of it stay."""
    async with once(database, act, "offerDraftDiscard") as turn:
        if turn.replay is not None:
            return int(str(turn.replay["draft"]))
        row = await _locked(turn, "offerDraftDiscard", command.draft_id, command.expected_version)
        await offer_drafts.change(turn.db, row["id"], {"status": OfferDraftStatus.DISCARDED})
        await record(turn, database, "offer_draft.discarded", "OfferDraft", row["id"])
        turn.outcome = {"draft": row["id"]}
        return command.draft_id


async def publish(database: Database, act: Act, command: MoveDraft) -> int:
    """Put a draft on the market; the offer's key. Raises all that offerPost raises for it."""
    return await _post(database, act, "offerPublish", command)


async def from_template(database: Database, act: Act, command: MoveDraft) -> int:
    """Put an offer on the market as a template says; the offer's key. The template stays."""
    return await _post(database, act, "offerFromTemplate", command)


async def post_due(database: Database) -> int:
    """Post what recurs and is due, once in a period, each in a transaction of its own; how many.

    What cannot be posted keeps why in `last_refusal`, and is tried again in the next period.
    Periods that were missed are not made up for.
    """
    async with database.read() as db:
        due = await offer_drafts.due(db, now=database.now(), limit=AT_ONCE_MAX)
    done = 0
    for draft_id in due:
        try:
            done += await _recur(database, draft_id)
        except DomainError as refusal:
            await _refused(database, draft_id, refusal)
        except Exception:  # someone must look at this one, and the others must not wait
            log.exception("template %d cannot be posted", draft_id)
    return done


async def _post(database: Database, act: Act, move: str, command: MoveDraft) -> int:
    async with once(database, act, move) as turn:
        if turn.replay is not None:
            return int(str(turn.replay["offer"]))
        row = await _locked(turn, move, command.draft_id, command.expected_version)
        if row["is_template"] is not (move == "offerFromTemplate"):
            raise Conflict.of(
                "id",
                "A template is used by offerFromTemplate, a draft by offerPublish.",
                "模板请用 offerFromTemplate，草稿请用 offerPublish。",
            )
        now = database.now()
        terms = _terms(row, now)
        if command.quantity is not None:
            terms = replace(terms, quantity=command.quantity)
        if command.expires_at is not None:
            terms = replace(terms, expires_at=command.expires_at)
        offer_id = await place(
            turn.db,
            row["organization_id"],
            terms,
            photos=_photos(row),
            account_id=act.viewer.account_id,
            now=now,
        )
        await offer_drafts.posted(turn.db, row["id"], f"at {now.isoformat()}", offer_id)
        if not row["is_template"]:
            await offer_drafts.change(turn.db, row["id"], {"status": OfferDraftStatus.PUBLISHED})
        await record(turn, database, "offer.posted", "Offer", offer_id, draft=row["id"])
        turn.outcome = {"offer": offer_id}
        return offer_id


async def _recur(database: Database, draft_id: int) -> bool:
    async with database.write() as db:
        now = database.now()
        row = await offer_drafts.lock(db, draft_id)
        if row is None or row["status"] != OfferDraftStatus.DRAFT or row["next_at"] > now:
            return False
        await offer_drafts.change(db, draft_id, _next(row, now))
        period = period_of(Recurrence(row["recurrence"]), now)
        ended = row["until"] is not None and row["until"] <= now
        if ended or await offer_drafts.was_posted(db, draft_id, period):
            return False
        offer_id = await place(
            db,
            row["organization_id"],
            _terms(row, now),
            photos=_photos(row),
            account_id=row["created_by"],
            now=now,
        )
        await offer_drafts.posted(db, draft_id, period, offer_id)
        await events.append(
            db,
            Event(
                kind="offer.posted",
                at=now,
                entity="Offer",
                entity_id=offer_id,
                data={"draft": draft_id, "period": period},
            ),
        )
        return True


async def _refused(database: Database, draft_id: int, refusal: DomainError) -> None:
    async with database.write() as db:
        now = database.now()
        row = await offer_drafts.lock(db, draft_id)
        if row is None or row["next_at"] is None or row["next_at"] > now:
            return
        told = [
            {"code": each.code, "en": each.text.en, "zh": each.text.zh} for each in refusal.faults
        ]
        await offer_drafts.change(db, draft_id, _next(row, now) | {"last_refusal": told})


def _next(row: Row, now: datetime) -> dict[str, object]:
    """The next posting after now; none once the template has ended."""
    moment: datetime = row["next_at"]
    while moment <= now:
        moment = next_after(Recurrence(row["recurrence"]), moment)
    ended = row["until"] is not None and moment >= row["until"]
    return {"next_at": None if ended else moment, "last_refusal": None}


async def _locked(turn: Turn, move: str, draft_id: int, expected_version: int | None) -> Row:
    row = await offer_drafts.lock(turn.db, draft_id)
    if row is None or row["organization_id"] != turn.act.viewer.organization_id:
        raise NotFound
    check_version(NOUN, expected_version, row["version"])
    check_move(MOVES, move, OfferDraftStatus(row["status"]), NOUN)
    return row


def _check(command: SaveDraft, now: datetime) -> None:
    """Raise InvalidInput for what cannot be kept; what is incomplete can."""
    faults: list[Fault] = [
        *text("name", command.name, 0, TITLE_LENGTH_MAX),
        *text("title", str(command.terms.get("title", "")), 0, TITLE_LENGTH_MAX),
        *photo_faults(command.photos),
        *near("next_at", command.next_at, now),
        *near("until", command.until, now),
    ]
    if command.lasts_days is not None:
        faults += within("lasts_days", command.lasts_days, 1, LASTS_DAYS_MAX)
    recurs = command.recurrence is not Recurrence.NONE
    if recurs and not command.is_template:
        faults.append(
            fault("recurrence", "INVALID", "Only a template recurs.", "仅模板可定期发布。")
        )
    if recurs is not (command.next_at is not None):
        faults.append(
            fault(
                "next_at",
                "REQUIRED" if recurs else "INVALID",
                "Say when it is posted first, if it recurs.",
                "定期发布须填写首次发布时间。",
            )
        )
    if faults:
        raise InvalidInput(*faults)


def _columns(command: SaveDraft) -> dict[str, object]:
    kept = {name: _plain(value) for name, value in command.terms.items()}
    return {
        "name": command.name.strip(),
        "terms": kept | {"photos": as_kept(command.photos)},
        "is_template": command.is_template,
        "recurrence": command.recurrence,
        "lasts_days": command.lasts_days,
        "next_at": command.next_at,
        "until": command.until,
    }


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value


def _photos(row: Row) -> tuple[Photo, ...]:
    return from_kept(row["terms"].get("photos"))


def _terms(row: Row, now: datetime) -> OfferTerms:
    """The terms of a draft. Raises InvalidInput, naming all that an offer needs and it lacks."""
    said: dict[str, object] = {
        name: value for name, value in row["terms"].items() if name != "photos"
    }
    lacking: Sequence[str] = [name for name in NEEDED if said.get(name) is None]
    if lacking:
        raise InvalidInput(
            *(fault(name, "REQUIRED", "Every offer has this.", "此项必填。") for name in lacking)
        )
    said["kind"] = CategoryKind(str(said["kind"]))
    regions = said.get("region_ids") or []
    assert isinstance(regions, list), "kept as a list"
    said["region_ids"] = tuple(int(each) for each in regions)
    for name in MOMENTS:
        if said.get(name) is not None:
            said[name] = datetime.fromisoformat(str(said[name]))
    if row["is_template"]:
        # Each offer begins when it is posted, and has no number of its own in other books.
        said["starts_at"], said["external_reference"] = None, None
        if row["lasts_days"] is not None:
            said["expires_at"] = now + timedelta(days=row["lasts_days"])
    return OfferTerms(**said)  # type: ignore[arg-type]
