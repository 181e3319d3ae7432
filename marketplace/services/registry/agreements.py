"""Agreements: signing and ending what an organization may offer without asking."""

from __future__ import annotations

from dataclasses import dataclass

from marketplace.domain.checks import text
from marketplace.domain.days import county_day
from marketplace.domain.errors import Conflict, InvalidInput, NotFound
from marketplace.domain.moves import check_move, check_version
from marketplace.domain.registry.agreements import (
    MOVES,
    NOUN,
    AgreementStatus,
    SignAgreement,
    check_agreement,
)
from marketplace.domain.registry.organizations import REASON_LENGTH_MAX, OrganizationStatus
from marketplace.persistence.database import Database
from marketplace.persistence.registry import agreements, organizations
from marketplace.services.acting import Act, once, record


@dataclass(frozen=True, slots=True, kw_only=True)
class EndAgreement:
    agreement_id: int
    reason: str
    expected_version: int | None = None


async def sign(database: Database, act: Act, command: SignAgreement) -> int:
    """Write down a standing agreement; its key.

    Raises NotFound, InvalidInput, Conflict where one is in force or the organization was rejected.
    """
    async with once(database, act, "agreementSign") as turn:
        if turn.replay is not None:
            return int(str(turn.replay["agreement"]))
        row = await organizations.lock(turn.db, command.organization_id)
        if row is None:
            raise NotFound
        if row["status"] == OrganizationStatus.REJECTED:
            raise Conflict.of(
                "organization_id", "The organization was rejected.", "该单位申请未通过。"
            )
        check_agreement(
            command,
            known_categories=await agreements.known_categories(turn.db, tuple(command.categories)),
            known_regions=await agreements.known_regions(turn.db, command.region_ids),
            today=county_day(database.now()),
        )
        values = {
            "organization_id": command.organization_id,
            "number": command.number.strip(),
            "valid_from": command.valid_from,
            "valid_until": command.valid_until,
            "offer_max_fen": command.offer_max_fen,
            "total_max_fen": command.total_max_fen,
            "signed_by": act.viewer.account_id,
            "signed_at": database.now(),
        }
        agreement_id = await agreements.sign(
            turn.db, values, command.categories, command.region_ids
        )
        told = {"organization": command.organization_id, "until": str(command.valid_until)}
        await record(turn, database, "agreement.signed", "Agreement", agreement_id, **told)
        turn.outcome = {"agreement": agreement_id}
        return agreement_id


async def end(database: Database, act: Act, command: EndAgreement) -> int:
    """End an agreement before its day; its key. What is open stays open, new offers wait.

    Raises NotFound, Conflict (ended before, stale), InvalidInput for an unsaid reason.
    """
    async with once(database, act, "agreementEnd") as turn:
        if turn.replay is not None:
            return int(str(turn.replay["agreement"]))
        reason = command.reason.strip()
        if faults := list(text("reason", reason, 4, REASON_LENGTH_MAX)):
            raise InvalidInput(*faults)
        row = await agreements.lock(turn.db, command.agreement_id)
        if row is None:
            raise NotFound
        check_version(NOUN, command.expected_version, row["version"])
        check_move(MOVES, "agreementEnd", AgreementStatus(row["status"]), NOUN)
        values = {
            "status": AgreementStatus.ENDED,
            "ended_by": act.viewer.account_id,
            "ended_at": database.now(),
            "end_reason": reason,
        }
        await agreements.end(turn.db, row["id"], values)
        told = {"organization": row["organization_id"]}
        await record(turn, database, "agreement.ended", "Agreement", row["id"], **told)
        turn.outcome = {"agreement": row["id"]}
        return command.agreement_id
