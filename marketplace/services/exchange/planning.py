"""Planning: one snapshot of the market becomes lines of a proven plan, in a child process."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import BrokenExecutor
from datetime import datetime
from fractions import Fraction
from typing import cast

import sqlalchemy as sa

import matching
from marketplace.domain.errors import Text
from marketplace.domain.exchange.plans import PlanPolicy, PolicyOrder
from marketplace.persistence.database import Database
from marketplace.persistence.exchange import explained
from marketplace.persistence.exchange import market as markets
from marketplace.persistence.exchange.market import Market
from marketplace.services.exchange import plan_records, rounds, simulated, wide
from marketplace.services.exchange.edited import Edited, edited, edits_of, with_prior
from marketplace.services.exchange.explaining import explained_of
from marketplace.services.exchange.explaining_cells import Places, places_of
from marketplace.services.exchange.translation import (
    QuantitiesTooLarge,
    Translation,
    ints,
    translate,
)
from marketplace.services.jobs import JobFailed
from matching.wide import Reach

PAIRS_MAX = 30_000_000  # about 3 GB
PAIRS_PER_S = 10_000  # solved even at the worst; below its deadline a solve needs no process
PARALLEL_PAIRS = 400_000
WIDE_SHARE = 0.7  # of the time allowed: until the pairs that matter are found
INT64_MAX = 2**63 - 1
DIALECTS = {"aiosqlite": "sqlite", "psycopg": "postgresql"}

TOO_MANY_PAIRS = Text(
    "Too many needs and offers with rules may meet to be planned at once. Choose a smaller region "
    "or category, or drop limits and packs of the offers that reach most needs.",
    "可匹配的供需组合过多且带有规则，无法一次计算。请缩小区域或类别范围，"
    "或取消覆盖面最广的供给的限额与包装要求。",
)
TOO_LARGE = Text(
    "The quantities in this market are too large to be added up. Look for typing errors.",
    "供需数量过大，无法汇总，请检查是否有录入错误。",
)

Report = Callable[[float, str], None]

log = logging.getLogger("aidloop.planning")


def compute(request: Mapping[str, object], report: Report) -> dict[str, object]:
    """Read, translate, solve, check; what the plan's row and lines shall say, as plain values.

    request   database_url, now, region_id, category_id, policy, deadline_s, processes; pairs_max
              where other than PAIRS_MAX
    report    told (progress, stage)

    Raises JobFailed where trying again is of no use.
    """
    clock = Clock()
    report(0.0, "READING")
    market, places = asyncio.run(_read(request))
    given = edited(market, edits_of(request))
    clock.lap("read")
    report(0.1, "PAIRING")
    try:
        translation = translate(given.market, pairs_max=_pairs_max(request))
    except matching.TooManyPairs:
        return _computed_wide(given, request, report, clock)
    except QuantitiesTooLarge:
        raise JobFailed("TOO_LARGE", TOO_LARGE) from None
    clock.lap("translate")
    report(0.2, "SOLVING")
    solved = rounds.solved(given.market, translation, _solver(request, report))
    clock.lap("solve_check_certify")
    answer = _answer(given, solved)
    clock.lap("lines")
    answer["explained"] = _explained(given.market, translation, solved, places)
    clock.lap("explain")
    cast("dict[str, object]", answer["proof"])["phases"] = clock.laps
    return answer


def _computed_wide(
    given: Edited, request: Mapping[str, object], report: Report, clock: Clock
) -> dict[str, object]:
    """The same for more pairs than can be built. Its lines are explained by no other pair."""
    report(0.2, "SOLVING")
    try:
        found = wide.planned_wide(
            given.market, pairs_max=_pairs_max(request), solve_wide=_wide_solver(request, report)
        )
        if found is None:
            raise JobFailed("TOO_MANY_PAIRS", TOO_MANY_PAIRS)
    except QuantitiesTooLarge:
        raise JobFailed("TOO_LARGE", TOO_LARGE) from None
    clock.lap("look_wide")
    solved = rounds.solved(given.market, found.translation, _solver(request, report, begun=0.6))
    clock.lap("solve_check_certify")
    answer = _answer(given, solved)
    clock.lap("lines")
    proof = found.proof(cast("dict[str, object]", answer["proof"]))
    told = {"proof": proof | {"phases": clock.laps}, "pair_count": found.pairs, "explained": None}
    return answer | told


def _pairs_max(request: Mapping[str, object]) -> int:
    return int(str(request.get("pairs_max", PAIRS_MAX)))


def warm_up() -> None:
    """Load what is only loaded at first use: database drivers and the flow solver."""
    for driver in ("aiosqlite", "psycopg"):
        with contextlib.suppress(ImportError):  # only one of them need be installed
            importlib.import_module(f"sqlalchemy.dialects.{DIALECTS[driver]}.{driver}")
            importlib.import_module(driver)
    with contextlib.suppress(ImportError):
        asyncio.run(_touch())
    one, first = ints([1]), ints([0])
    matching.solve(
        matching.Problem(
            need_units=one, need_severity=one, offer_units=one, pair_need=first, pair_offer=first
        )
    )


class Clock:
    """Wall seconds by phase."""

    def __init__(self) -> None:
        self.at = time.perf_counter()
        self.laps: dict[str, float] = {}

    def lap(self, name: str) -> None:
        before, self.at = self.at, time.perf_counter()
        self.laps[name] = round(self.at - before, 6)


async def _touch() -> None:
    database = Database("sqlite+aiosqlite:///:memory:")
    async with database.read() as db:
        await db.scalar(sa.select(sa.literal(1)))
    await database.close()


async def _read(request: Mapping[str, object]) -> tuple[Market, Places]:
    database = Database(str(request["database_url"]))
    try:
        async with database.snapshot() as db:
            market = await simulated.read(db, request) or await markets.read(
                db,
                now=datetime.fromisoformat(str(request["now"])),
                region_id=cast("int | None", request["region_id"]),
                category_id=cast("int | None", request["category_id"]),
            )
            market = await with_prior(db, market, request)
            return market, places_of(await explained.places(db))
    finally:
        await database.close()


def _solver(
    request: Mapping[str, object], report: Report, *, begun: float = 0.2
) -> Callable[[matching.Problem], matching.Plan]:
    """How problems of this request are solved: one deadline for all of them together."""
    deadline_s = float(str(request["deadline_s"]))
    until = time.monotonic() + deadline_s
    processes = int(str(request["processes"]))
    policy = policy_of(cast("Mapping[str, object]", request["policy"]))

    def tell(fraction: float, progress: matching.Progress) -> None:
        report(
            begun + (0.9 - begun) * fraction, "CHECKING" if progress.phase == "check" else "SOLVING"
        )

    def solve(problem: matching.Problem) -> matching.Plan:
        left_s = max(deadline_s / 10, until - time.monotonic())
        parallel = processes > 1 and problem.n_pairs >= PARALLEL_PAIRS
        with _cluster(problem, request) as cluster:
            if cluster is not None:
                return matching.solve(
                    problem, policy, deadline_s=left_s, executor=cluster, on_progress=tell
                )
        if not parallel and problem.n_pairs <= left_s * PAIRS_PER_S:
            # Rules take as long as they take; plain flows of this size need not be watched.
            limit_s = left_s if _ruled(problem) else None
            return matching.solve(problem, policy, deadline_s=limit_s, on_progress=tell)
        with matching.ProcessExecutor(processes) as executor:
            return matching.solve(
                problem, policy, deadline_s=left_s, executor=executor, on_progress=tell
            )

    return solve


def _wide_solver(request: Mapping[str, object], report: Report) -> wide.SolveWide:
    """How wide problems are solved: most of the time is for looking at what is not built."""

    def tell(fraction: float, progress: matching.Progress) -> None:
        report(0.2 + 0.4 * fraction, "SOLVING")

    def solve(problem: matching.Problem, reach: Reach) -> matching.WidePlan:
        with matching.ProcessExecutor(int(str(request["processes"]))) as executor:
            return matching.solve_wide(
                problem,
                reach,
                policy_of(cast("Mapping[str, object]", request["policy"])),
                deadline_s=WIDE_SHARE * float(str(request["deadline_s"])),
                executor=executor,
                on_progress=tell,
            )

    return solve


def _ruled(problem: matching.Problem) -> bool:
    return bool(
        (problem.need_min > 1).any()
        or (problem.offer_min_lot > 1).any()
        or problem.offer_max_needs.any()
        or (problem.pair_draw > 1).any()
    )


@contextlib.contextmanager
def _cluster(
    problem: matching.Problem, request: Mapping[str, object]
) -> Iterator[matching.ClusterExecutor | None]:
    """The Dask cluster that the operator named, for plans worth the trip; None: none answers."""
    address = str(request.get("dask_address", ""))
    if not address or problem.n_pairs < int(str(request["dask_pairs_min"])):
        yield None
        return
    try:
        wait_s = int(str(request["dask_connect_s"]))
        cluster = matching.ClusterExecutor(address, connect_s=wait_s)
    except BrokenExecutor as error:  # a plan later is better than no plan
        log.warning("%s The plan is solved on this machine.", error)
        yield None
        return
    try:
        yield cluster
    finally:
        cluster.shutdown(cancel_futures=True)


def policy_of(said: Mapping[str, object]) -> matching.Policy:
    """The optimizer's policy for what a plan's row says."""
    policy = PlanPolicy(
        order=PolicyOrder(str(said["order"])),
        floor_share_percent=int(str(said["floorSharePercent"])),
    )
    orders = {
        PolicyOrder.FLOOR: "floor",
        PolicyOrder.LEXIMIN: "leximin",
        PolicyOrder.SEVERITY: "severity",
        PolicyOrder.WEIGHTED: "weighted",
    }
    return matching.Policy(
        order=orders[policy.order],  # type: ignore[arg-type]
        floor_share=Fraction(policy.floor_share_percent, 100),
    )


def _answer(given: Edited, solved: rounds.Solved) -> dict[str, object]:
    market, lines = given.whole, given.completed(solved).lines
    cost = sum(c * u for c, u in zip(lines["cost"], lines["units_served"], strict=True))
    return {
        "lines": lines,
        "input_digest": solved.plans[0].problem_digest,
        "need_count": len(market.needs["id"]),
        "offer_count": len(market.offers["id"]),
        "pair_count": solved.pairs,
        "units_asked": _held(sum(ints(market.needs["units"]).tolist())),
        "units_served": _held(sum(lines["units_served"])),
        "needs_served": len(set(lines["need_id"])),
        "cost": _held(cost),
        "proof": given.proof(rounds.proof_of(solved.plans)),
        "left_aside": solved.left_aside,
        "market": plan_records.to_text(plan_records.packed_market(market)),
    }


def _explained(
    market: Market, translation: Translation, solved: rounds.Solved, places: Places
) -> str:
    told = explained_of(market, translation, solved.plans, solved.lines, places)
    return plan_records.to_text(plan_records.packed(told))


def _held(number: int) -> int | None:
    """A sum as far as a database can hold it; the proof says it anyway."""
    return number if number <= INT64_MAX else None
