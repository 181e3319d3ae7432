"""What becomes of a restricted case: recovery, appeal, and its end with everything put back."""

from __future__ import annotations

from dataclasses import dataclass

from marketplace.domain.errors import InvalidInput, NotFound
from marketplace.domain.moves import check_version
from marketplace.domain.oversight.integrity import (
    NOUN,
    AppealOutcome,
    CaseKind,
    CaseStatus,
    EntryKind,
    Recovery,
    RecoveryKind,
    check,
    check_decider,
    check_recovery,
    is_accused_side,
    text_faults,
)
from marketplace.domain.permissions import Role, Viewer
from marketplace.domain.restrictions import RestrictionEnd
from marketplace.persistence.crypto import Sealer
from marketplace.persistence.database import Database, Reading, Row
from marketplace.persistence.exchange import facts
from marketplace.persistence.oversight import appeals, cases, restrictions
from marketplace.services.acting import Act, Turn, once, record
from marketplace.services.oversight import consequences, telling
from marketplace.services.oversight.cases import account_of, for_move


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoverCase:
    case_id: int
    recovery: Recovery
    expected_version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AppealCase:
    case_id: int
    appeal: str
    expected_version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideAppeal:
    case_id: int
    outcome: AppealOutcome
    reason: str
    expected_version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndCase:
    case_id: int
    reason: str
    expected_version: int | None = None


async def recover(database: Database, act: Act, command: RecoverCase) -> int:
    """Order an amount back, note what was received of it, or both; the case's key.

    Once nothing is due the case is RECOVERED; an order of nothing makes it so at once. The
    restriction goes on until its end, or until the case is closed.
    """
    async with once(database, act, "integrityCaseRecover") as turn:
        if turn.replay is not None:
            return int(str(turn.replay["case"]))
        move, asked = "integrityCaseRecover", command.recovery
        case = await for_move(turn, move, command.case_id, command.expected_version)
        ordered, received = case["recovery_ordered_fen"], case["recovery_received_fen"]
        check_recovery(asked, ordered_fen=ordered, received_fen=received)
        ordered = asked.ordered_fen if ordered is None else ordered
        received += asked.received_fen
        over = received == ordered
        values = {
            "recovery_ordered_fen": ordered,
            "recovery_received_fen": received,
            "status": CaseStatus.RECOVERED if over else CaseStatus.RESTRICTED,
        }
        await cases.change(turn.db, command.case_id, values)
        await _write_down(turn, database, case, asked, over=over)
        told = {"ordered": ordered, "received": received}
        kind = "integrity_case.recovered" if over else "integrity_case.recovery_changed"
        await record(turn, database, kind, "IntegrityCase", command.case_id, **told)
        turn.outcome = {"case": command.case_id}
        return command.case_id


async def appeal(database: Database, act: Act, sealer: Sealer, command: AppealCase) -> int:
    """Appeal against a restriction, as the household or the provider itself; the case's key.

    The restriction stands until the appeal is decided. Raises NotFound for somebody else's case.
    """
    async with once(database, act, "integrityCaseAppeal") as turn:
        if turn.replay is not None:
            return int(str(turn.replay["case"]))
        db, now = turn.db, database.now()
        case = await cases.lock(db, command.case_id)
        if case is None or not await is_about(db, act.viewer, case):
            raise NotFound
        check("integrityCaseAppeal", CaseStatus(case["status"]))
        check_version(NOUN, command.expected_version, case["version"])
        if faults := list(text_faults("appeal", command.appeal)):
            raise InvalidInput(*faults)
        said, by = command.appeal.strip(), account_of(act.viewer)
        await appeals.add(db, sealer, command.case_id, said, by=by, now=now)
        await cases.change(db, command.case_id, {"status": CaseStatus.APPEALED})
        await cases.enter(db, case, EntryKind.APPEALED, now=now)
        await record(turn, database, "integrity_case.appealed", "IntegrityCase", command.case_id)
        turn.outcome = {"case": command.case_id}
        return command.case_id


async def decide_appeal(database: Database, act: Act, sealer: Sealer, command: DecideAppeal) -> int:
    """Decide an appeal, by another person than who ordered the restriction; the case's key.

    REFUSED: the restriction stands. GRANTED: the case is dismissed, and in the same transaction
    everything is put back.
    """
    async with once(database, act, "integrityCaseDecideAppeal") as turn:
        if turn.replay is not None:
            return int(str(turn.replay["case"]))
        move, db, now = "integrityCaseDecideAppeal", turn.db, database.now()
        case = await for_move(turn, move, command.case_id, command.expected_version)
        if faults := list(text_faults("reason", command.reason)):
            raise InvalidInput(*faults)
        restriction = await restrictions.of_case(db, command.case_id)
        waiting = await appeals.undecided(db, command.case_id)
        assert restriction is not None, "its state says so"
        assert waiting is not None, "its state says so"
        by = account_of(act.viewer)
        check_decider(by, ordered_by=restriction["ordered_by"])
        await appeals.decide(
            db, sealer, waiting, command.outcome, command.reason.strip(), by=by, now=now
        )
        if command.outcome is AppealOutcome.REFUSED:
            await cases.change(db, command.case_id, {"status": CaseStatus.RESTRICTED})
            await cases.enter(db, case, EntryKind.APPEAL_REFUSED, now=now)
            await telling.tell(db, database, sealer, case, telling.REFUSED)
        else:
            await _end(turn, database, sealer, case, CaseStatus.DISMISSED, command.reason)
        told = {"outcome": command.outcome}
        await record(
            turn, database, "integrity_case.appeal_decided", "IntegrityCase", case["id"], **told
        )
        turn.outcome = {"case": command.case_id}
        return command.case_id


async def close(database: Database, act: Act, sealer: Sealer, command: EndCase) -> int:
    """Close a recovered case and, in the same transaction, put back what it halts; its key."""
    return await _ending(database, act, sealer, command, "integrityCaseClose", CaseStatus.CLOSED)


async def dismiss(database: Database, act: Act, sealer: Sealer, command: EndCase) -> int:
    """Drop a case from any state and put back what it halts; its key.

    Once it was restricted, by another person than who ordered that, and an appeal that waits is
    thereby granted.
    """
    return await _ending(
        database, act, sealer, command, "integrityCaseDismiss", CaseStatus.DISMISSED
    )


async def _ending(
    database: Database,
    act: Act,
    sealer: Sealer,
    command: EndCase,
    move: str,
    status: CaseStatus,
) -> int:
    async with once(database, act, move) as turn:
        if turn.replay is not None:
            return int(str(turn.replay["case"]))
        case = await for_move(turn, move, command.case_id, command.expected_version)
        if faults := list(text_faults("reason", command.reason)):
            raise InvalidInput(*faults)
        restriction = await restrictions.of_case(turn.db, command.case_id)
        if restriction is not None and status is CaseStatus.DISMISSED:
            check_decider(account_of(act.viewer), ordered_by=restriction["ordered_by"])
            await _grant_what_waits(turn, database, sealer, command)
        await _end(turn, database, sealer, case, status, command.reason)
        await record(
            turn, database, f"integrity_case.{status.lower()}", "IntegrityCase", case["id"]
        )
        turn.outcome = {"case": command.case_id}
        return command.case_id


async def _grant_what_waits(
    turn: Turn, database: Database, sealer: Sealer, command: EndCase
) -> None:
    waiting = await appeals.undecided(turn.db, command.case_id)
    if waiting is not None:
        by, now = account_of(turn.act.viewer), database.now()
        granted, reason = AppealOutcome.GRANTED, command.reason.strip()
        await appeals.decide(turn.db, sealer, waiting, granted, reason, by=by, now=now)


async def _end(
    turn: Turn, database: Database, sealer: Sealer, case: Row, status: CaseStatus, reason: str
) -> None:
    """End a locked case with its reason, and put back what it halts."""
    closed = status is CaseStatus.CLOSED
    why = RestrictionEnd.CLOSED if closed else RestrictionEnd.DISMISSED
    if case["household_id"] is not None:
        await facts.lock_household(turn.db, case["household_id"])
    if await consequences.give_back(turn, database, case, why):
        await telling.tell(turn.db, database, sealer, case, telling.ENDED)
    values = {
        "status": status,
        "closing_sealed": cases.closing(sealer, case, reason.strip()),
        "ended_by": account_of(turn.act.viewer),
        "ended_at": database.now(),
    }
    await cases.change(turn.db, case["id"], values)
    if CaseStatus(case["status"]) is not CaseStatus.OPEN:
        kind = EntryKind.CLOSED if closed else EntryKind.DISMISSED
        await cases.enter(turn.db, case, kind, now=database.now())


async def _write_down(
    turn: Turn, database: Database, case: Row, asked: Recovery, *, over: bool
) -> None:
    by, now = account_of(turn.act.viewer), database.now()
    common = {"case_id": case["id"], "recorded_by": by, "recorded_at": now}
    steps: list[tuple[EntryKind, int | None]] = []
    rows: list[dict[str, object]] = []
    if asked.ordered_fen is not None:
        nothing = {"received_on": None, "receipt": None}
        rows.append(
            common | nothing | {"kind": RecoveryKind.ORDERED, "amount_fen": asked.ordered_fen}
        )
        steps.append((EntryKind.RECOVERY_ORDERED, asked.ordered_fen))
    if asked.received_fen > 0:
        receipt = {"received_on": asked.received_on, "receipt": (asked.receipt or "").strip()}
        rows.append(
            common | receipt | {"kind": RecoveryKind.RECEIVED, "amount_fen": asked.received_fen}
        )
        steps.append((EntryKind.RECOVERY_RECEIVED, asked.received_fen))
    if over:
        steps.append((EntryKind.RECOVERED, None))
    await cases.add_recoveries(turn.db, rows)
    for kind, amount_fen in steps:
        await cases.enter(turn.db, case, kind, now=now, amount_fen=amount_fen)


async def is_about(db: Reading, viewer: Viewer, case: Row) -> bool:
    """Whether a case is about the viewer's own household or organization, and was found true."""
    if case["found_at"] is None or not is_accused_side(viewer, CaseKind(case["kind"])):
        return False
    if viewer.role is Role.APPLICANT:
        own = await facts.household_of(db, viewer.account_id)
        return own is not None and own == case["household_id"]
    return bool(viewer.organization_id == case["organization_id"])
