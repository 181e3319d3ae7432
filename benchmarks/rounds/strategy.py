"""The optimizer as a strategy of ppe-match's testing framework: four tables in, shipments out."""

from __future__ import annotations

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
    """

    order: Literal["floor", "leximin", "severity", "weighted"] = "floor"
    urgency: Literal["equal", "small", "old"] = "equal"
    reach: float | None = None
    trip: int = 0


def strategy(terms: Terms, on_plan: Callable[[Plan], None] = lambda _plan: None) -> Strategy:
    """A function that ppe-match's framework can call in every round; `on_plan` sees each plan."""

    def decide(
        date: object, donors: pd.DataFrame, recipients: pd.DataFrame, miles: pd.DataFrame
    ) -> pd.DataFrame:
        donors, recipients = _whole(donors), _whole(recipients)
        pairs = _pairs(donors, recipients, miles, terms.reach)
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
        return _shipments(donors, recipients, pairs, plan.pair_units)

    return decide


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
