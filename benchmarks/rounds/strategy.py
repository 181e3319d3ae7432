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
    shipments   about so many of a donor's things of one kind, over all rounds; 0: no limit. A pair
                is left out unless the request fits into what the donor has left, and so many more
                of its size do not: so few requests use it up, and each is met in full
    """

    order: Literal["floor", "leximin", "severity", "weighted"] = "floor"
    urgency: Literal["equal", "small", "old"] = "equal"
    reach: float | None = None
    trip: int = 0
    shipments: int = 0


def strategy(terms: Terms, on_plan: Callable[[Plan], None] = lambda _plan: None) -> Strategy:
    """A function that ppe-match's framework can call in every round; `on_plan` sees each plan."""
    sent: Counter[tuple[str, str]] = Counter()  # shipments so far, by donor and kind

    def decide(
        date: object, donors: pd.DataFrame, recipients: pd.DataFrame, miles: pd.DataFrame
    ) -> pd.DataFrame:
        donors, recipients = _with_turns(_whole(donors), sent, terms), _whole(recipients)
        pairs = _pairs(donors, recipients, miles, terms.reach)
        if terms.shipments:
            pairs = _fitting(donors, recipients, pairs)
        if not len(pairs):
            return _shipments(donors, recipients, pairs, np.zeros(0, np.int64))
        problem = Problem(
            need_units=recipients.qty.to_numpy(np.int64),
            need_severity=_severity(recipients, terms),
            offer_units=donors.qty.to_numpy(np.int64),
            pair_need=pairs.recipient.to_numpy(np.int64),
            pair_offer=pairs.donor.to_numpy(np.int64),
            pair_cost=np.rint(pairs.distance.to_numpy() * MILLIMILES).astype(np.int64),
            pair_fixed_cost=terms.trip * MILLIMILES,  # type: ignore[arg-type]  # fills the column
        )
        plan = solve(problem, Policy(order=terms.order))
        on_plan(plan)
        shipments = _shipments(donors, recipients, pairs, plan.pair_units)
        sent.update(zip(shipments.don_id, shipments.ppe, strict=True))
        return shipments

    return decide


def _with_turns(donors: pd.DataFrame, sent: Counter[tuple[str, str]], terms: Terms) -> pd.DataFrame:
    """The donors who may still ship, with how often (0: any number of times)."""
    if not terms.shipments:
        return donors.assign(turns=0)
    before = [sent[key] for key in zip(donors.don_id, donors.ppe, strict=True)]
    left = donors.assign(turns=terms.shipments - np.array(before, np.int64))
    return left[left.turns > 0].reset_index(drop=True)


def _whole(table: pd.DataFrame) -> pd.DataFrame:
    """Rows with at least one whole unit."""
    whole: pd.DataFrame = table[table.qty >= 1].reset_index(drop=True)
    return whole


def _pairs(
    donors: pd.DataFrame, recipients: pd.DataFrame, miles: pd.DataFrame, reach: float | None
) -> pd.DataFrame:
    """Every donor with every recipient of its kind: their rows and the distance."""
    left = donors[["don_id", "ppe"]].assign(donor=np.arange(len(donors)))
    right = recipients[["rec_id", "ppe"]].assign(recipient=np.arange(len(recipients)))
    both = left.merge(right, on="ppe").merge(miles, on=["don_id", "rec_id"])
    near = both if reach is None else both[both.distance <= reach]
    ordered: pd.DataFrame = near.sort_values(["recipient", "donor"])
    return ordered


def _fitting(donors: pd.DataFrame, recipients: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """Pairs whose request fits, but does not fit once more than the donor has turns."""
    asked = recipients.qty.to_numpy()[pairs.recipient]
    left, turns = donors.qty.to_numpy()[pairs.donor], donors.turns.to_numpy()[pairs.donor]
    fitting: pd.DataFrame = pairs[(asked <= left) & (asked * (turns + 1) > left)]
    return fitting


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
