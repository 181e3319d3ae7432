"""Results: telling three desks what came of an allocation, and each acknowledging its copy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from marketplace.domain.checks import fault
from marketplace.domain.days import county_day
from marketplace.domain.errors import Conflict, Fault, Forbidden, InvalidInput, NotFound
from marketplace.domain.events import Event
from marketplace.domain.exchange.needs import NeedStatus
from marketplace.domain.exchange.results import (
    AT_ONCE_MAX,
    DESK_OF,
    Desk,
    ResultStatus,
    check_copy,
    policy_on,
)
from marketplace.domain.permissions import Viewer
from marketplace.persistence import events
from marketplace.persistence.database import Database, Row, Writing
from marketplace.persistence.exchange import facts, needs, results
from marketplace.services import refusals
from marketplace.services.acting import Act, Turn, once, record, record_many
from marketplace.services.exchange.reach import in_scope

CLOSED_AT_ONCE_MAX = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class AcknowledgeResults:
    result_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    """The copies that were acknowledged; `refused` by its place in the list asked for."""

    copy_ids: tuple[int, ...]
    refused: Mapping[int, Fault]


async def send(turn: Turn, database: Database, allocation_id: int) -> None:
    """Tell the desks what came of an allocation that is being confirmed, in its transaction.

    The charity desk, the assistance desk and the township each get a copy with a day by which to
    acknowledge it. What was received must stand in the allocation by now.
    """
    now = database.now()
    found = await results.of_allocation(turn.db, allocation_id, now=now)
    assert found is not None, "an allocation that is confirmed is there"
    policy = policy_on(county_day(now))
    copies = [
        {
            "desk": desk,
            "region_id": found["region_id"],
            "sent_at": now,
            "due_at": policy.due(desk, now),
        }
        for desk in Desk
    ]
    values = dict(found) | {
        "allocation_id": allocation_id,
        "policy_version": policy.version,
        "sent_at": now,
        "due_at": max(policy.due(desk, now) for desk in Desk),
    }
    result_id = await results.add(turn.db, values, copies)
    told = {"allocationId": allocation_id, "units": values["units_received"]}
    await record(turn, database, "result.sent", "Result", result_id, **told)


async def acknowledge(database: Database, act: Act, command: AcknowledgeResults) -> Acknowledged:
    """Acknowledge one's own desk's copies of some results; the last desk's closes what is done.

    Each that was not ready is reported with what keeps it. Raises Conflict with all of these where
    none is ready, InvalidInput for an empty, overlong or repeating list.
    """
    async with once(database, act, "resultAcknowledge") as turn:
        if turn.replay is not None:
            return _from_outcome(turn.replay)
        desk = DESK_OF.get(act.viewer.role)
        if desk is None:
            raise Forbidden
        _check_list(command.result_ids)
        rows = await results.lock(turn.db, command.result_ids, desk)
        refused = await _refused(turn, act.viewer, command.result_ids, rows)
        ready = [k for i, k in enumerate(command.result_ids) if i not in refused]
        if not ready:
            raise Conflict(*(refused[i] for i in sorted(refused)))
        copies = tuple(rows[k]["copy_id"] for k in ready)
        now = database.now()
        await results.acknowledge(turn.db, copies, by=act.viewer.account_id, now=now)
        await record_many(turn, database, "result.acknowledged", "Result", ready, desk=desk)
        await results.complete(turn.db, ready, now=now)
        await _close(turn.db, database, sorted({rows[k]["need_id"] for k in ready}))
        done = Acknowledged(copy_ids=copies, refused=refused)
        turn.outcome = _to_outcome(done)
        return done


async def close_done(database: Database) -> int:
    """Close needs that were fulfilled after their results were acknowledged; how many. A chore."""
    async with database.write() as db:
        return await _close(db, database, None)


async def _close(db: Writing, database: Database, need_ids: Sequence[int] | None) -> int:
    """FULFILLED to CLOSED where all of a need's results are acknowledged; a consequence."""
    done = await results.closable(db, need_ids, limit=CLOSED_AT_ONCE_MAX)
    if done:
        await needs.change(db, done, {"status": NeedStatus.CLOSED})
        now = database.now()
        told = [Event(kind="need.closed", at=now, entity="Need", entity_id=each) for each in done]
        await events.append_many(db, told)
    return len(done)


async def _refused(
    turn: Turn, viewer: Viewer, result_ids: Sequence[int], rows: Mapping[int, Row]
) -> dict[int, Fault]:
    """What keeps results from being acknowledged. Raises NotFound for what is out of scope."""
    own = await facts.household_of(turn.db, viewer.account_id)
    refused: dict[int, Fault] = {}
    for place, result_id in enumerate(result_ids):
        row = rows.get(result_id)
        if row is None or not in_scope(viewer, row["tree_low"]):
            raise NotFound
        bad = check_copy(
            ResultStatus(row["copy_status"]), household_id=row["household_id"], own_household=own
        )
        if bad is not None:
            refused[place] = Fault(("result_ids", str(place)), bad.code, bad.text)
    return refused


def _check_list(result_ids: Sequence[int]) -> None:
    if not 1 <= len(result_ids) <= AT_ONCE_MAX:
        raise InvalidInput(
            fault(
                "result_ids",
                "TOO_MANY" if result_ids else "REQUIRED",
                f"Give 1 to {AT_ONCE_MAX} results.",
                f"请提供 1 至 {AT_ONCE_MAX} 项结果。",
            )
        )
    if len(set(result_ids)) < len(result_ids):
        raise InvalidInput(
            fault("result_ids", "REPEATED", "Give each result once.", "同一结果请勿重复提交。")
        )


def _to_outcome(done: Acknowledged) -> dict[str, object]:
    return {
        "copies": list(done.copy_ids),
        "refused": refusals.kept(done.refused),
    }


def _from_outcome(kept: Mapping[str, object]) -> Acknowledged:
    copies = kept["copies"]
    assert isinstance(copies, list)
    return Acknowledged(copy_ids=tuple(copies), refused=refusals.again(kept["refused"]))
