"""Impact: what one more offer would change in a plan, found by solving only what it touches."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from typing import Literal, ParamSpec, TypeVar

import numpy as np
import numpy.typing as npt

import matching
from marketplace.persistence.exchange.market import Columns, Market
from marketplace.services.exchange import parts, rounds
from marketplace.services.exchange.centres import Centres, without_few, without_radius
from marketplace.services.exchange.groups import grouped
from marketplace.services.exchange.numbers import ints
from marketplace.services.exchange.pairs import pairs_of
from marketplace.services.exchange.parts import Parts
from marketplace.services.exchange.plan_records import Recorded
from marketplace.services.exchange.planning import policy_of
from marketplace.services.exchange.standing import (
    Asked,
    asked_of,
    rows_by_id,
    served_of,
)
from marketplace.services.exchange.translation import (
    QuantitiesTooLarge,
    translated,
)

IntArray = npt.NDArray[np.int64]

PAIRS_MAX = 30_000_000
PAIRS_AT_ONCE = 300_000  # of a touched part that is solved while somebody waits
SOLVE_S = 3.0

P = ParamSpec("P")
T = TypeVar("T")

How = Literal["exact", "bounded", "estimated"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Base:
    """A plan with what is worked out once for all questions about it.

    served    [G] units that the plan serves to each group of `asked`
    centres   where households are taken to stand; None: where they do, not for showing
    """

    recorded: Recorded
    parts: Parts | None  # None: too many pairs to be told apart
    asked: Asked
    served: IntArray
    centres: Centres | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Effect:
    """What the offer changes; nothing in it is rounded, so it is not for showing.

    offer_id      the new offer's id in the market, as if posted
    lines         lines of the touched parts as they would be, the new offer's among them
    touched       rows of the needs in the touched parts
    served        [G] units served to each group of the base's `asked` then
    drawn_max     at most so much of the offer can be used
    crowd         households that might get something of it at all
    """

    offer_id: int
    how: How
    lines: Columns
    touched: IntArray
    served: IntArray
    drawn_max: int
    crowd: int

    def own(self, column: str) -> IntArray:
        """A column of the lines that draw on the new offer."""
        mine = np.flatnonzero(ints(self.lines["offer_id"]) == self.offer_id)
        return ints(self.lines[column][row] for row in mine.tolist())

    @property
    def drawn(self) -> int:
        return int(self.own("units_drawn").sum())


def base_of(recorded: Recorded, *, with_parts: bool = True, centres: Centres | None = None) -> Base:
    """What every question about this plan starts from; the parts only where they are asked for."""
    percent = int(str(recorded.policy["floorSharePercent"]))
    asked = asked_of(recorded.market, floor_share_percent=percent)
    found = None
    with contextlib.suppress(matching.TooManyPairs):
        found = parts.parts_of(recorded.market, pairs_max=PAIRS_MAX) if with_parts else None
    served = served_of(asked, recorded.market, recorded.lines)
    return Base(recorded=recorded, parts=found, asked=asked, served=served, centres=centres)


def effect_of(base: Base, offered: Market, *, solve_s: float = SOLVE_S) -> Effect:
    """What the one offer of the market `offered` changes.

    offered   a market without needs, its offer's id above all others'
    solve_s   how long it may be solved; what is not proven by then is "bounded"

    By centres, an offer with a radius is only estimated: the plan measures it to households.
    """
    if base.centres is None:
        return _effect(base, offered, offered, solve_s)
    widest, has_radius = without_radius(offered), offered.offers["radius"][0] is not None
    placed = base.centres.placed(offered)
    if base.parts is not None:
        placed = without_few(base.parts, base.recorded.market, placed)
        widest = without_few(base.parts, base.recorded.market, widest)
    effect = _effect(base, placed, widest, solve_s)
    return replace(effect, how="estimated") if has_radius else effect


def _effect(base: Base, offered: Market, widest: Market, solve_s: float) -> Effect:
    """What the offer changes; no more of it is used than of `widest`, which goes further."""
    market = base.recorded.market
    if base.parts is None:
        everyone = np.arange(len(market.needs["id"]))
        return _estimate(base, offered, everyone, everyone)
    reached = parts.reached_by(base.parts, offered)
    most = reached if widest is offered else parts.reached_by(base.parts, widest)
    touched = np.unique(base.parts.need[reached])
    size = int(base.parts.pairs[touched].sum()) + len(reached)
    if size > PAIRS_AT_ONCE:
        return _estimate(base, offered, reached, most)
    needs, offers = parts.rows_of(base.parts, touched)
    cut = parts.joined(parts.cut(market, needs, offers), offered)
    solved = _solved(cut, base, until_s=solve_s)
    if solved is None:
        return _estimate(base, offered, reached, most)
    lines, how = solved
    served = base.served.copy()
    served[np.unique(base.asked.group[needs])] = 0
    row = rows_by_id(market.needs, lines["need_id"])
    np.add.at(served, base.asked.group[row], ints(lines["units_served"]))
    return Effect(
        offer_id=_id(offered),
        how=how,
        lines=lines,
        touched=needs,
        served=served,
        drawn_max=_drawn_max(base, offered, most),
        crowd=_crowd(base, most),
    )


def _solved(market: Market, base: Base, *, until_s: float) -> tuple[Columns, How] | None:
    """The best lines of a market that differ least from the recorded ones; None: out of time."""
    market = after(market, base.recorded.lines)
    policy = policy_of(base.recorded.policy)
    until = time.monotonic() + until_s

    def solve(problem: matching.Problem) -> matching.Plan:
        left_s = max(0.1, until - time.monotonic())
        return matching.solve(problem, policy, deadline_s=left_s, executor=_Here())

    try:
        groups = grouped(market.needs)
        pairs = pairs_of(market, groups, pairs_max=PAIRS_MAX)
        if base.centres is not None:
            pairs = base.centres.measured(market, groups, pairs)
        solved = rounds.solved(market, translated(market, groups, pairs), solve)
    except QuantitiesTooLarge:
        return None
    found = {plan.status for plan in solved.plans}
    if "deadline" in found:
        return None
    lines: Columns = {name: list(column) for name, column in solved.lines.items()}
    return lines, "exact" if found == {"optimal"} else "bounded"


class _Here(Executor):
    """Runs what it is given at once: this process is a child already, and can be ended."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = Future()
        future.set_running_or_notify_cancel()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


def after(market: Market, lines: Columns) -> Market:
    """The market as it is planned after these lines were proposed: with least change to them."""
    names = {"need": "need_id", "offer": "offer_id", "units": "units_served"}
    return replace(market, prior={name: lines[column] for name, column in names.items()})


def _estimate(base: Base, offered: Market, reached: IntArray, most: IntArray) -> Effect:
    """The offer given to what it reaches and the plan leaves open, in the order of urgency."""
    asked, market = base.asked, base.recorded.market
    groups = np.unique(asked.group[reached])
    groups = groups[np.lexsort((groups, -asked.severity[groups]))]
    left, draw = _left(offered), _draw(base, offered, groups)
    limit = offered.offers["household_max"][0]
    per_home = left if limit is None else int(str(limit))
    served, need_ids, units_served, units_drawn = base.served.copy(), [], [], []
    for till in (asked.floor, asked.units):  # everyone's floor share first
        for group, price in zip(groups.tolist(), draw.tolist(), strict=True):
            open_units = max(0, int(till[group] - served[group]))
            units = min(open_units, min(left, per_home) // price) if price else 0
            if units:
                served[group] += units
                left -= units * price
                need_ids.append(market.needs["id"][int(asked.first[group])])
                units_served.append(units)
                units_drawn.append(units * price)
    lines: Columns = {
        "need_id": need_ids,
        "offer_id": [_id(offered)] * len(need_ids),
        "units_served": list(units_served),
        "units_drawn": list(units_drawn),
    }
    return Effect(
        offer_id=_id(offered),
        how="estimated",
        lines=lines,
        touched=reached,
        served=served,
        drawn_max=_drawn_max(base, offered, most),
        crowd=_crowd(base, most),
    )


def _drawn_max(base: Base, offered: Market, reached: IntArray) -> int:
    groups = np.unique(base.asked.group[reached])
    wanted = base.asked.units[groups].astype(object) * _draw(base, offered, groups).astype(object)
    return int(min(_left(offered), int(wanted.sum()) if len(groups) else 0))


def _draw(base: Base, offered: Market, groups: IntArray) -> IntArray:
    """What one unit of a group draws from the offer, in the offer's unit; 0: it cannot be had."""
    if offered.offers["is_cash"][0]:
        return base.asked.value[groups]
    if offered.offers.get("is_service", [False])[0]:
        minutes = ints(base.recorded.market.needs["visit_minutes"])
        return minutes[base.asked.first[groups]]
    return np.ones(len(groups), np.int64)


def _crowd(base: Base, reached: IntArray) -> int:
    return len(np.unique(ints(base.recorded.market.needs["household"])[reached]))


def _left(offered: Market) -> int:
    return int(str(offered.offers["units"][0]))


def _id(offered: Market) -> int:
    return int(str(offered.offers["id"][0]))
