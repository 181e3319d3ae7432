"""The optimizer as a strategy of ppe-match's testing framework: four tables in, shipments out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from matching import Plan, Policy, Problem, solve

Strategy = Callable[[object, pd.DataFrame, pd.DataFrame, pd.DataFrame], pd.DataFrame]
Ints = npt.NDArray[np.int64]

MILLIMILES = 1000
SEVERITY_MAX = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a strategy of ours aims at.

    order       of the policy: leximin gives everyone a share first, severity goes by `urgency`
    urgency     equal: all requests alike; small: the smaller a request, the sooner it is met, which
                is what a mean of fill rates rewards; old: the longer it waits, the sooner
    reach       at most so many miles; None: any distance
    trip        miles that one more shipment is worth; 0: as many shipments as it takes
    shipments   at most so many by a donor, over all rounds and kinds, each of them one request in
                full, larger ones first; 0: any number, and parts of requests
    """

    order: Literal["floor", "leximin", "severity", "weighted"] = "floor"
    urgency: Literal["equal", "small", "old"] = "equal"
    reach: float | None = None
    trip: int = 0
    shipments: int = 0


def strategy(terms: Terms, on_plan: Callable[[Plan], None] = lambda _plan: None) -> Strategy:
    """A function that ppe-match's framework can call in every round; `on_plan` sees each plan."""
    sent: Counter[str] = Counter()  # shipments so far, by donor

    def decide(
        date: object, donors: pd.DataFrame, recipients: pd.DataFrame, miles: pd.DataFrame
    ) -> pd.DataFrame:
        recipients, donors = _whole(recipients), _whole(donors)
        if terms.shipments:
            donors = _with_turns(donors, sent, terms.shipments)
        pairs = _pairs(donors, recipients, miles, terms.reach)
        if terms.shipments:
            pairs = pairs[pairs.asked * pairs.turns <= pairs.left]
        if not len(pairs):
            return _shipments(donors, recipients, pairs, np.zeros(0, np.int64))
        pose = _in_requests if terms.shipments else _in_units
        plan = solve(pose(donors, recipients, pairs, terms), Policy(order=terms.order))
        on_plan(plan)
        each = pairs.asked.to_numpy(np.int64) if terms.shipments else 1
        shipments = _shipments(donors, recipients, pairs, plan.pair_units * each)
        sent.update(shipments.don_id)
        return shipments

    return decide


def _in_units(
    donors: pd.DataFrame, recipients: pd.DataFrame, pairs: pd.DataFrame, terms: Terms
) -> Problem:
    """Requests and donations in units, any part of either along a pair."""
    return Problem(
        need_units=recipients.qty.to_numpy(np.int64),
        need_severity=_severity(recipients, terms),
        offer_units=donors.qty.to_numpy(np.int64),
        pair_need=pairs.recipient.to_numpy(np.int64),
        pair_offer=pairs.donor.to_numpy(np.int64),
        pair_cost=np.rint(pairs.distance.to_numpy() * MILLIMILES).astype(np.int64),
        pair_fixed_cost=terms.trip * MILLIMILES,  # type: ignore[arg-type]  # fills the column
    )


def _in_requests(
    donors: pd.DataFrame, recipients: pd.DataFrame, pairs: pd.DataFrame, terms: Terms
) -> Problem:
    """A request is one unit, a donor has as many as turns. Only pairs whose request fits into each
    turn's part of the donation are there, so that any requests fit together: still a pure flow.

    Larger requests come first. That costs no request its place: of all sets that can be served
    together those with the largest are as many as any (a matroid's bases are all of one size).
    """
    unit_miles = pairs.distance.to_numpy() * pairs.asked.to_numpy()
    return Problem(
        need_units=np.ones(len(recipients), np.int64),
        need_severity=np.minimum(recipients.qty.to_numpy(np.int64), SEVERITY_MAX),
        offer_units=donors.turns.to_numpy(np.int64),
        pair_need=pairs.recipient.to_numpy(np.int64),
        pair_offer=pairs.donor.to_numpy(np.int64),
        pair_cost=np.rint(unit_miles * MILLIMILES).astype(np.int64),
    )


def _with_turns(donors: pd.DataFrame, sent: Counter[str], most: int) -> pd.DataFrame:
    """The donors who may still ship; what is left of `most` is dealt out over a donor's kinds, the
    largest quantity first."""
    left = most - donors.don_id.map(sent).fillna(0).to_numpy(np.int64)
    kinds = donors.groupby("don_id").qty.transform("size").to_numpy(np.int64)
    place = donors.groupby("don_id").qty.rank(method="first", ascending=False).to_numpy(np.int64)
    turns = np.maximum(left, 0) // kinds + (place <= np.maximum(left, 0) % kinds)
    with_turns = donors.assign(turns=turns)
    return with_turns[with_turns.turns > 0].reset_index(drop=True)


def _whole(table: pd.DataFrame) -> pd.DataFrame:
    """Rows with at least one whole unit."""
    whole: pd.DataFrame = table[table.qty >= 1].reset_index(drop=True)
    return whole


def _pairs(
    donors: pd.DataFrame, recipients: pd.DataFrame, miles: pd.DataFrame, reach: float | None
) -> pd.DataFrame:
    """Every donor with every recipient of its kind: their rows, quantities and the distance."""
    turns = donors.turns if "turns" in donors else 0
    left = donors[["don_id", "ppe"]].assign(
        donor=np.arange(len(donors)), left=donors.qty, turns=turns
    )
    right = recipients[["rec_id", "ppe"]].assign(
        recipient=np.arange(len(recipients)), asked=recipients.qty
    )
    both = left.merge(right, on="ppe").merge(miles, on=["don_id", "rec_id"])
    near = both if reach is None else both[both.distance <= reach]
    ordered: pd.DataFrame = near.sort_values(["recipient", "donor"])
    return ordered


def _severity(recipients: pd.DataFrame, terms: Terms) -> Ints:
    if terms.urgency == "small":
        asked = recipients.qty.to_numpy(np.int64)
        return np.maximum(1, SEVERITY_MAX // np.maximum(1, asked))
    if terms.urgency == "old":
        newest_first = recipients.date.rank(method="dense", ascending=False)
        return newest_first.to_numpy(np.int64)
    return np.ones(len(recipients), np.int64)


def _shipments(
    donors: pd.DataFrame, recipients: pd.DataFrame, pairs: pd.DataFrame, units: Ints
) -> pd.DataFrame:
    used = np.flatnonzero(units)
    donor, recipient = pairs.donor.to_numpy()[used], pairs.recipient.to_numpy()[used]
    return pd.DataFrame(
        {
            "don_id": donors.don_id.to_numpy()[donor],
            "rec_id": recipients.rec_id.to_numpy()[recipient],
            "ppe": donors.ppe.to_numpy()[donor],
            "qty": units[used].astype(float),
        }
    )
