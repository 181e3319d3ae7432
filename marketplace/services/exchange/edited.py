"""Edited markets: what the desk has settled is taken out of a market, and put back as lines.

Each edit fixes how much of one offer goes to one need: that much is reserved beforehand, and the
two may meet no further. So what is solved is the problem that the edits leave, exactly; a proof of
it says that the plan is the best there is given the edits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from marketplace.domain.errors import Text
from marketplace.domain.ids import reference
from marketplace.persistence.database import Reading
from marketplace.persistence.exchange import plan_records
from marketplace.persistence.exchange.market import Columns, Market
from marketplace.services.exchange import parts
from marketplace.services.exchange.groups import grouped, optional
from marketplace.services.exchange.households import household_room
from marketplace.services.exchange.numbers import UNLIMITED, ints, rows_of
from marketplace.services.exchange.pairs import pairs_of
from marketplace.services.exchange.rounds import Lines, Solved, together, without
from marketplace.services.exchange.translation import CASH_FOR_GOODS_M
from marketplace.services.exchange.visits import visits_max
from marketplace.services.jobs import JobFailed

NO_LINES: Lines = {
    name: []
    for name in ("need_id", "offer_id", "units_served", "units_drawn", "cost", "offer_version")
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """So many units, in the need's unit, of an offer for a need; 0: it is forbidden."""

    need_id: int
    offer_id: int
    units: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Edited:
    """What is left to be solved, and the lines that stand beforehand."""

    whole: Market
    market: Market
    lines: Lines = field(default_factory=lambda: dict(NO_LINES))
    edits: int = 0

    def completed(self, solved: Solved) -> Solved:
        """What was solved, with the lines that stand. Raises JobFailed where that is of no use."""
        if not self.edits:
            return solved
        lines = together(self.lines, solved.lines)
        _check_useful(self.whole, self.lines, lines)
        return replace(solved, lines=lines)

    def proof(self, of_solved: dict[str, object]) -> dict[str, object]:
        """The proof of what was solved says that edits were given."""
        return of_solved | {"edits": self.edits} if self.edits else of_solved


def edits_of(request: Mapping[str, object]) -> list[Edit]:
    """The edits that a plan's request names; none where it is an ordinary one."""
    named = request.get("edits")
    found = named if isinstance(named, list) else []
    return [Edit(need_id=need, offer_id=offer, units=units) for need, offer, units in found]


async def with_prior(db: Reading, market: Market, request: Mapping[str, object]) -> Market:
    """The market with the edited plan as the earlier proposal; unchanged for an ordinary plan."""
    base = request.get("edited_plan_id")
    if base is None:
        return market
    lines = await plan_records.lines_of(db, int(str(base)))
    prior: Columns = {
        "need": [line["need_id"] for line in lines],
        "offer": [line["offer_id"] for line in lines],
        "units": [line["units_served"] for line in lines],
    }
    return replace(market, prior=prior)


def edited(market: Market, edits: list[Edit]) -> Edited:
    """The market that edits leave. Raises JobFailed naming the edit that cannot be kept to."""
    if not edits:
        return Edited(whole=market, market=market)
    lines: Lines = {name: [] for name in NO_LINES}
    left = market
    for edit in edits:
        if edit.units:
            line = _line(left, edit)
            left = _without(left, line)
            lines = together(lines, line)
    open_needs = np.flatnonzero(ints(left.needs["units"]) > 0)
    open_offers = np.flatnonzero(ints(left.offers["units"]) > 0)
    left = parts.cut(left, open_needs, open_offers)
    forbidden: Columns = {
        "need": [edit.need_id for edit in edits],
        "offer": [edit.offer_id for edit in edits],
    }
    left = replace(left, forbidden=forbidden)
    return Edited(whole=market, market=left, lines=lines, edits=len(edits))


def _line(market: Market, edit: Edit) -> Lines:
    """The line that an edit asks for, by all rules of the market. Raises JobFailed."""
    needs, offers = market.needs, market.offers
    if edit.need_id not in needs["id"] or edit.offer_id not in offers["id"]:
        raise _impossible(market, edit, _GONE)
    row = rows_of(needs["id"], [edit.need_id])
    of_offer = rows_of(offers["id"], [edit.offer_id])
    one = parts.cut(market, row, of_offer)
    groups = grouped(one.needs)
    pairs = pairs_of(one, groups, pairs_max=1)
    cash, wants_cash = bool(one.offers["is_cash"][0]), one.needs["kind"][0] == "CASH"
    price = 1 if wants_cash else int(ints(one.needs["price"])[0])
    if not len(pairs.need) or (price <= 0 if cash else wants_cash):
        raise _impossible(market, edit, _RULES)
    minutes = int(np.maximum(1, optional(one.needs, "visit_minutes"))[0])
    is_service = bool(optional(one.offers, "is_service")[0])
    step = price if cash else minutes if is_service else 1
    drawn = edit.units * step
    days = visits_max(one, groups, pairs)
    room = min(int(days.pair[0]), int(days.need[0]), int(days.offer[0]))
    most = int(household_room(one, groups, pairs)[0])
    pack = 1 if cash else int(ints(one.offers["pack"])[0])
    deliveries = int(ints(one.offers["deliveries_max"], none=UNLIMITED)[0])
    if edit.units > int(ints(one.needs["units"])[0]) or drawn > int(ints(one.offers["units"])[0]):
        raise _impossible(market, edit, _TOO_MUCH)
    if (
        edit.units % pack
        or edit.units > room
        or drawn > most
        or drawn < int(ints(one.offers["delivery_min"])[0])
        or sum(ints(one.deliveries["count"]).tolist()) >= deliveries
    ):
        raise _impossible(market, edit, _RULES)
    cost = int(pairs.cost[0]) if not cash else 0 if wants_cash else CASH_FOR_GOODS_M
    return {
        "need_id": [edit.need_id],
        "offer_id": [edit.offer_id],
        "units_served": [edit.units],
        "units_drawn": [drawn],
        "cost": [cost],
        "offer_version": [int(str(one.offers["version"][0]))],
    }


def _without(market: Market, line: Lines) -> Market:
    """The market as it would be if the line were reserved, its visits counted."""
    left = without(market, line)
    (row,) = rows_of(market.offers["id"], line["offer_id"]).tolist()
    if not optional(market.offers, "is_service")[row]:
        return left
    visits: Columns = {
        "need": [*market.visits["need"], *line["need_id"]],
        "offer": [*market.visits["offer"], *line["offer_id"]],
        "count": [*market.visits["count"], *line["units_served"]],
    }
    return replace(left, visits=visits)


def _check_useful(market: Market, fixed: Lines, lines: Lines) -> None:
    """Raise JobFailed if a need with lines of the desk gets less than is of use to it."""
    served: Counter[int] = Counter()
    for need_id, units in zip(lines["need_id"], lines["units_served"], strict=True):
        served[need_id] += units
    for need_id in sorted(set(fixed["need_id"])):
        (row,) = rows_of(market.needs["id"], [need_id]).tolist()
        missing = ints(market.needs["quantity_min"])[row] - ints(market.needs["covered"])[row]
        if served[need_id] < missing:
            name = _name(market.needs, "N", need_id)
            raise JobFailed(
                "EDITS_IMPOSSIBLE",
                Text(
                    f"With these edits need {name} would get less than is of use to it. Give it "
                    "more, or forbid that line instead.",
                    f"按这些调整，需求 {name} 得到的数量少于其最低有用数量。"
                    "请增加数量，或改为禁止该匹配。",
                ),
            )


_GONE = Text(
    "one of them is no longer in the market",
    "其中一方已不在匹配范围内",
)
_RULES = Text(
    "the offer's rules do not allow it (category, place, groups, packs, deliveries, or the most "
    "for one household)",
    "不符合该供给的规则（类别、区域、分群、包装、配送次数或每户上限）",
)
_TOO_MUCH = Text("there is less left of one of them", "其中一方的剩余数量不足")


def _impossible(market: Market, edit: Edit, why: Text) -> JobFailed:
    offer = _name(market.offers, "O", edit.offer_id)
    need = _name(market.needs, "N", edit.need_id)
    return JobFailed(
        "EDITS_IMPOSSIBLE",
        Text(
            f"{edit.units} of offer {offer} for need {need} cannot be kept to: {why.en}. Edit the "
            "plan again without it.",
            f"无法保留供给 {offer} 对需求 {need} 的 {edit.units}：{why.zh}。请去掉该项后重新调整。",
        ),
    )


def _name(columns: Columns, letter: str, key: int) -> str:
    """The reference of a row; its bare number where it is not there any more."""
    if key not in columns["id"]:
        return f"{letter} {key}"
    (row,) = rows_of(columns["id"], [key]).tolist()
    return reference(letter, int(str(columns["year"][row])), key)
