"""Consents: recording that a household agrees, and taking its needs out when it does not."""

from __future__ import annotations

from dataclasses import dataclass, field

from marketplace.domain.errors import Fault, InvalidInput, Text
from marketplace.domain.events import Event
from marketplace.domain.exchange.allocations import CancelReason
from marketplace.domain.exchange.consent_texts import no_such_text
from marketplace.domain.exchange.consents import (
    ConsentStatus,
    GiveConsent,
    check_withdrawal,
    consent_faults,
)
from marketplace.domain.moves import check_version
from marketplace.persistence import events
from marketplace.persistence.database import Database, Writing
from marketplace.persistence.exchange import consent_texts, consents, facts, withdrawals
from marketplace.persistence.exchange.withdrawals import Withdrawn
from marketplace.services.acting import Act, Turn, once, record
from marketplace.services.exchange.reach import check_stands, in_reach

LAPSES_AT_ONCE_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawConsent:
    consent_id: int
    expected_version: int | None = None


async def give(database: Database, act: Act, command: GiveConsent) -> int:
    """Record a household's consent; its key. From now on its needs may be referred.

    Raises InvalidInput, Conflict where one is in force or it is one's own household's case,
    NotFound for a household outside the viewer's scope.
    """
    async with once(database, act, "consentGive") as turn:
        if turn.replay is not None:
            return int(str(turn.replay["consent"]))
        await _check(turn, database, command)
        await facts.lock_household(turn.db, command.household_id)
        household = await facts.household(turn.db, command.household_id)
        await in_reach(turn.db, act.viewer, household)
        assert household is not None, "what is not there is out of reach"
        check_stands(household)
        await _end_lapsed_of(turn.db, command.household_id, database, act)
        values = {
            "household_id": command.household_id,
            "purpose": command.purpose,
            "recipient_class": command.recipient_class,
            "text_version": command.text_version.strip(),
            "how_given": command.how_given,
            "evidence_reference": command.evidence_reference,
            "recorded_by": act.viewer.account_id,
            "given_at": database.now(),
            "expires_at": command.expires_at,
        }
        consent_id = await consents.add(turn.db, values)
        await record(
            turn, database, "consent.given", "Consent", consent_id, purpose=command.purpose
        )
        turn.outcome = {"consent": consent_id}
        return consent_id


async def withdraw(database: Database, act: Act, command: WithdrawConsent) -> int:
    """End a consent, and take the household's needs out of the market in the same transaction.

    What was reserved or accepted for them goes back to the offers; what is on its way stays.
    Raises Conflict where it has ended or is stale, NotFound outside the viewer's scope.
    """
    async with once(database, act, "consentWithdraw") as turn:
        if turn.replay is not None:
            return int(str(turn.replay["consent"]))
        row = await consents.lock(turn.db, command.consent_id)
        await in_reach(turn.db, act.viewer, row)
        assert row is not None, "what is not there is out of reach"
        check_withdrawal(ConsentStatus(row["status"]))
        check_version(Text("consent", "授权"), command.expected_version, row["version"])
        await _end(turn.db, [command.consent_id], ConsentStatus.WITHDRAWN, database, act)
        turn.outcome = {"consent": command.consent_id}
        return command.consent_id


async def lapse(database: Database, *, household_id: int | None = None) -> int:
    """End consents whose time has run out, with all that follows; how many. A chore, not a request.

    Of one household, or of a few hundred at once. The market looks at the time itself, so that
    nothing is matched before this has run.
    """
    async with database.write() as db:
        due = await consents.lock_lapsed(
            db, now=database.now(), limit=LAPSES_AT_ONCE_MAX, household_id=household_id
        )
        if due:
            await _end(db, due, ConsentStatus.LAPSED, database, None)
        return len(due)


async def _check(turn: Turn, database: Database, command: GiveConsent) -> None:
    """Raise InvalidInput with all that is wrong, also a wording that is not in use."""
    faults = consent_faults(command, by=turn.act.viewer.role, now=database.now())
    if not any(fault.field == ("text_version",) for fault in faults):
        faults += await _text_faults(turn.db, command, database)
    if faults:
        raise InvalidInput(*faults)


async def _text_faults(db: Writing, command: GiveConsent, database: Database) -> tuple[Fault, ...]:
    version = command.text_version.strip()
    known = await consent_texts.is_in_use(
        db,
        version,
        purpose=command.purpose,
        recipient_class=command.recipient_class,
        now=database.now(),
    )
    return () if known else no_such_text(version).faults


async def _end_lapsed_of(db: Writing, household_id: int, database: Database, act: Act) -> None:
    """An old consent that ran out makes room for a new one, but its needs do not live on."""
    due = await consents.lock_lapsed(
        db, now=database.now(), limit=LAPSES_AT_ONCE_MAX, household_id=household_id
    )
    if due:
        await _end(db, due, ConsentStatus.LAPSED, database, act)


async def _end(
    db: Writing, consent_ids: list[int], status: ConsentStatus, database: Database, act: Act | None
) -> None:
    ended = await consents.end(db, consent_ids, status, now=database.now())
    households = sorted({row["household_id"] for row in ended})
    gone = await withdrawals.withdraw_needs_of(
        db, households, CancelReason.CONSENT, now=database.now()
    )
    happened = [_Happened("consent." + status.lower(), "Consent", row["id"]) for row in ended]
    await events.append_many(
        db,
        [
            Event(
                kind=one.kind,
                at=database.now(),
                entity=one.entity,
                entity_id=one.entity_id,
                account_id=act.viewer.account_id if act else None,
                data=one.data,
                request_id=act.request_id if act else None,
            )
            for one in [*happened, *_consequences(gone)]
        ],
    )


@dataclass(frozen=True, slots=True)
class _Happened:
    kind: str
    entity: str
    entity_id: int
    data: dict[str, object] = field(default_factory=dict)


def _consequences(gone: Withdrawn) -> list[_Happened]:
    needs = [
        _Happened("need.withdrawn", "Need", need_id, {"reason": CancelReason.CONSENT})
        for need_id in gone.need_ids
    ]
    allocations = [
        _Happened(
            "allocation.cancelled",
            "Allocation",
            row["id"],
            {"reason": CancelReason.CONSENT, "unitsDrawn": row["units_drawn"]},
        )
        for row in gone.allocations
    ]
    return needs + allocations
