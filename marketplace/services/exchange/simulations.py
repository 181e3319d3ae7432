"""Simulations: asking what a plan would be under another policy, or with other offers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypedDict

from marketplace.domain.checks import QUANTITY_MAX, within
from marketplace.domain.errors import Conflict, Fault, Forbidden, InvalidInput, NotFound, Text
from marketplace.domain.exchange.offers import OfferTerms
from marketplace.domain.exchange.plans import (
    WAITING_MAX,
    PlanKind,
    PlanPolicy,
    PlanStatus,
    PolicyOrder,
)
from marketplace.domain.permissions import Viewer
from marketplace.persistence import jobs
from marketplace.persistence.database import Database, Reading, Row, Writing
from marketplace.persistence.exchange import facts, plan_names, plan_records, plans
from marketplace.services.acting import Act, once, record
from marketplace.services.exchange import offers
from marketplace.services.exchange.impacts import offered_market
from marketplace.services.exchange.plan_job import KIND
from marketplace.services.exchange.plan_records import unpacked_market
from marketplace.services.exchange.plans import in_reach
from marketplace.services.exchange.simulated import FIRST_ADDED
from marketplace.services.jobs import bell_of

CHANGES_MAX = 100  # of each kind
NOT_IN_MARKET = Text(
    "This offer is not in the base plan's market. Choose one that is.",
    "该供给不在基准方案的供需数据中，请另选。",
)
NAMED_TWICE = Text(
    "This offer is named before. Withdraw it, or give it one quantity, once.",
    "该供给已在前面列出；每项供给只能撤回或改变数量一次。",
)


class Terms(TypedDict):
    """What was asked to be added, for people to read."""

    kind: str
    category_id: int
    quantity: int


class Changes(TypedDict):
    """What the plan's row keeps: for the optimizer, see simulated.changed, and as it was asked.

    asked    the whole quantity of each offer in `quantities`, whose units are those left
    """

    added: list[dict[str, object]]
    withdrawn: list[int]
    quantities: dict[str, int]
    terms: list[Terms]
    asked: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatePlan:
    """What to change in a base plan; none: the latest of the whole county.

    order, floor_share_percent   None: as in the base
    quantities                   offers, and the whole quantity that each would have
    """

    base_plan_id: int | None = None
    order: PolicyOrder | None = None
    floor_share_percent: int | None = None
    added: tuple[OfferTerms, ...] = ()
    withdrawn: tuple[int, ...] = ()
    quantities: tuple[tuple[int, int], ...] = ()


async def simulate(database: Database, act: Act, command: SimulatePlan) -> int:
    """Put a simulation and its job in the queue, in one transaction; the plan's key.

    Raises InvalidInput for offers that are not in the base plan's market or cannot be (naming
    them), Conflict (NO_PLAN) without a base whose market is still kept, NotFound outside the
    viewer's region, Conflict (TOO_MANY) where too many plans of the account are waiting.
    """
    async with once(database, act, "planSimulate") as turn:
        if turn.replay is not None:
            return int(str(turn.replay["plan"]))
        _check(command)
        base, market = await _base(turn.db, act.viewer, command.base_plan_id)
        policy = _policy(command, base["policy"])
        await _check_waiting(turn.db, act.viewer)
        changes = await _changes(turn.db, database, act.viewer, command, market)
        job_id = await jobs.enqueue(turn.db, kind=KIND, payload={})
        values = {
            "kind": PlanKind.SIMULATION,
            "status": PlanStatus.QUEUED,
            "job_id": job_id,
            "region_id": base["region_id"],
            "category_id": base["category_id"],
            "policy": policy.to_json(),
            "base_plan_id": base["id"],
            "changes": changes,
            "created_by": act.viewer.account_id,
            "created_at": database.now(),
        }
        plan_id = await plans.add(turn.db, values)
        await record(turn, database, "plan.simulated", "Plan", plan_id, base=base["id"])
        turn.outcome = {"plan": plan_id}
    bell_of(database).ring()
    return plan_id


async def _base(db: Writing, viewer: Viewer, plan_id: int | None) -> tuple[Row, Mapping[int, int]]:
    """The base plan, and units left by id of the offers in its market."""
    if viewer.region_id is None:
        raise Forbidden
    if plan_id is None:
        found = await plan_names.current(db, viewer.region_low)
        plan_id = None if found is None else int(found["id"])
    plan = None if plan_id is None else await plans.find(db, plan_id)
    if plan_id is not None and (plan is None or not in_reach(viewer, plan["region_low"])):
        raise NotFound
    if plan is not None and plan["kind"] == PlanKind.SIMULATION:
        raise Conflict.of(
            "base_plan_id",
            "A simulation is no base: its offers need not exist. Name the plan that it changed.",
            "模拟方案不能作为基准，其供给可能并不存在；请指定其所依据的方案。",
        )
    packed = None if plan is None else await plan_records.market_of(db, plan["id"])
    if plan is None or packed is None:
        raise Conflict.of(
            "base_plan_id",
            "There is no finished plan here whose market is still kept. Run one first "
            "(planCreate).",
            "没有可作基准且仍保存供需数据的已完成方案，请先运行一次方案（planCreate）。",
            code="NO_PLAN",
        )
    columns = unpacked_market(packed).offers
    units = zip(columns["id"], columns["units"], strict=True)
    return plan, {int(str(key)): int(str(left)) for key, left in units}


async def _changes(
    db: Reading,
    database: Database,
    viewer: Viewer,
    command: SimulatePlan,
    market: Mapping[int, int],
) -> Changes:
    missing = [
        Fault(field, "NOT_FOUND", NOT_IN_MARKET)
        for field, offer_id in _named(command)
        if offer_id not in market
    ]
    if missing:
        raise InvalidInput(*missing)
    here = await plan_names.place(db, viewer.region_id or 0)
    assert here is not None, "the viewer has a region"
    added: list[dict[str, object]] = []
    for at, terms in enumerate(command.added):
        try:
            checked = await offers.checked(db, viewer, terms, now=database.now())
        except InvalidInput as refusal:
            raise _within(refusal, at) from None
        category = await facts.category(db, checked.category_id)
        assert category is not None, "the terms were checked"
        rows = await plan_names.intervals(db, checked.region_ids) if checked.region_ids else ()
        one = offered_market(
            checked,
            category,
            here,
            now=database.now(),
            regions=rows,
            offer_id=FIRST_ADDED + at,
        )
        added.append({"offers": dict(one.offers), "regions": dict(one.regions)})
    return Changes(
        added=added,
        withdrawn=sorted(command.withdrawn),
        quantities=await _left(db, command.quantities, market),
        terms=[
            Terms(kind=each.kind.value, category_id=each.category_id, quantity=each.quantity)
            for each in command.added
        ],
        asked={str(key): quantity for key, quantity in command.quantities},
    )


async def _left(
    db: Reading, quantities: tuple[tuple[int, int], ...], market: Mapping[int, int]
) -> dict[str, int]:
    """Units that would be left of each offer: what is spoken for stays so."""
    now = await facts.offer_quantities(db, [key for key, _ in quantities])
    return {str(key): max(0, market[key] + quantity - now[key]) for key, quantity in quantities}


def _within(refusal: InvalidInput, at: int) -> InvalidInput:
    """The same refusal, naming which of the added offers it is about."""
    return InvalidInput(
        *(
            type(fault)(("offers_added", str(at), *fault.field), fault.code, fault.text)
            for fault in refusal.faults
        )
    )


def _policy(command: SimulatePlan, base: Mapping[str, object]) -> PlanPolicy:
    """The base's policy with what the command changes. Raises InvalidInput."""
    order = command.order or PolicyOrder(str(base["order"]))
    share = command.floor_share_percent
    if share is not None and order is not PolicyOrder.FLOOR:
        raise InvalidInput.of(
            "floor_share_percent",
            f"Only the order FLOOR has a floor share, and the order is {order.value}. Leave the "
            "share out, or set the order to FLOOR.",
            f"只有 FLOOR（保底优先）政策才有保底比例，当前政策为 {order.value}。"
            "请去掉该比例，或将政策设为 FLOOR。",
        )
    if share is None:
        share = int(str(base["floorSharePercent"])) if command.order is None else 25
    policy = PlanPolicy(order=order, floor_share_percent=share)
    policy.check()
    return policy


def _named(command: SimulatePlan) -> Iterator[tuple[tuple[str, ...], int]]:
    """The offers that a command names, and where."""
    for at, offer_id in enumerate(command.withdrawn):
        yield ("offers_withdrawn", str(at)), offer_id
    for at, (offer_id, _) in enumerate(command.quantities):
        yield ("quantities", str(at), "offer_id"), offer_id


def _check(command: SimulatePlan) -> None:
    """Raise InvalidInput for what is wrong whatever the base is, all of it at once."""
    _check_sizes(command)
    faults: list[Fault] = []
    seen: set[int] = set()
    for field, offer_id in _named(command):
        if offer_id in seen:
            faults.append(Fault(field, "DUPLICATE", NAMED_TWICE))
        seen.add(offer_id)
    for at, (_, quantity) in enumerate(command.quantities):
        faults += (
            Fault(("quantities", str(at), "quantity"), found.code, found.text)
            for found in within("quantity", quantity, 0, QUANTITY_MAX)
        )
    if faults:
        raise InvalidInput(*faults)


def _check_sizes(command: SimulatePlan) -> None:
    for name, given in (
        ("offers_added", command.added),
        ("offers_withdrawn", command.withdrawn),
        ("quantities", command.quantities),
    ):
        if len(given) > CHANGES_MAX:
            raise InvalidInput.of(
                name,
                f"At most {CHANGES_MAX} at a time.",
                f"每次最多 {CHANGES_MAX} 项。",
                code="TOO_MANY",
            )


async def _check_waiting(db: Writing, viewer: Viewer) -> None:
    if viewer.account_id is None:
        raise Forbidden
    if await plans.unfinished_of(db, viewer.account_id) >= WAITING_MAX:
        raise Conflict.of(
            "",
            f"You have {WAITING_MAX} plans waiting or running. Wait for them, or cancel some.",
            f"您已有 {WAITING_MAX} 个方案在排队或计算，请等待完成或先取消部分方案。",
            code="TOO_MANY",
        )
