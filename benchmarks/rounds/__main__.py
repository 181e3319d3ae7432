"""python -m benchmarks.rounds: our policies beside ppe-match's strategies, on its own metrics."""

from __future__ import annotations

import argparse
import logging
import os
import warnings
from pathlib import Path

import pandas as pd
from ppe_match import strategies
from ppe_match.testing_framework import TestingFramework

from benchmarks.rounds.page import PEER, Row, keep, kept, page, table
from benchmarks.rounds.strategy import Strategy, Terms, strategy
from matching import Plan

OURS = {
    "floor first (default)": Terms(),
    "everyone a share (leximin)": Terms(order="leximin"),
    "small requests first": Terms(order="severity", urgency="small"),
    "small first, within 500 miles": Terms(order="severity", urgency="small", reach=500.0),
    "small first, within 200 miles": Terms(order="severity", urgency="small", reach=200.0),
    "oldest first": Terms(order="severity", urgency="old"),
    "two shipments a donor, within 250 miles": Terms(order="severity", shipments=2, reach=250.0),
    "two shipments a donor, within 150 miles": Terms(order="severity", shipments=2, reach=150.0),
    "three shipments a donor, within 250 miles": Terms(order="severity", shipments=3, reach=250.0),
}


THEIRS: dict[str, Strategy] = {
    PEER: strategies.proximity_match_strategy,
    "ppe-match: first come, first matched": strategies.FCFM_strategy,
}
PAGE = Path(__file__).parent.parent.parent / "docs" / "rounds.md"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rounds", description=__doc__)
    parser.add_argument("--days", type=int, default=7, help="days between two rounds")
    parser.add_argument("--donation-max", type=int, default=1000, help="as the framework's default")
    parser.add_argument("--only", default="", help="strategies whose name holds this text")
    parser.add_argument(
        "--results",
        type=Path,
        default=Path(os.environ.get("AIDLOOP_DATA_DIR", "var")) / "benchmarks" / "rounds.json",
        help="where the figures of each strategy are kept",
    )
    options = parser.parse_args()
    for name in ("ppe_match.testing_framework", "ppe_match.strategies"):
        logging.getLogger(name).handlers.clear()
    for name in (*THEIRS, *OURS):
        if options.only not in name:
            continue
        plans: list[Plan] = []
        chosen = THEIRS[name] if name in THEIRS else strategy(OURS[name], plans.append)
        unproven = None if name in THEIRS else plans
        row = _measured(name, chosen, unproven, options)
        print(table([row]), flush=True)
        rows = {each.name: each for each in kept(options.results)} | {name: row}
        known = [rows[each] for each in (*THEIRS, *OURS) if each in rows]
        keep(options.results, known)
        PAGE.write_text(page(known, days=options.days, donation_max=options.donation_max), "utf-8")


def _measured(
    name: str, chosen: Strategy, plans: list[Plan] | None, options: argparse.Namespace
) -> Row:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the framework's own use of pandas
        framework = TestingFramework(
            strategy=chosen, interval=options.days, max_donation_qty=options.donation_max
        )
        # Dates with and without fractions of a second: newer pandas leaves them text.
        for each in (framework.all_donors, framework.all_recipients):
            each["date"] = pd.to_datetime(each["date"], utc=True, format="ISO8601")
        framework.run()
    metrics: pd.DataFrame = framework.get_metrics()
    value = metrics.set_index("metric_name")["value"]
    return Row(
        name=name,
        fill=float(value["fill rate"]),
        fill_without_zeros=float(value["fill rate exc zeros"]),
        unit_miles=float(value["avg unit-miles"]),
        holding=float(value["avg holding time"]),
        shipments=float(value["avg number of shipments"]),
        units=int(framework.get_decisions().qty.sum()),
        unproven=None if plans is None else sum(plan.status != "optimal" for plan in plans),
    )


if __name__ == "__main__":
    main()
