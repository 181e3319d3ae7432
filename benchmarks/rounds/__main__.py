"""python -m benchmarks.rounds: our policies beside ppe-match's strategies, on its own metrics."""

from __future__ import annotations

import argparse
import logging
import time
import warnings

import pandas as pd
from ppe_match import strategies
from ppe_match.testing_framework import TestingFramework

from benchmarks.rounds.strategy import Strategy, Terms, strategy
from matching import Plan

METRICS = {
    "fill rate": "{:.2%}",
    "fill rate exc zeros": "{:.1%}",
    "avg unit-miles": "{:,.0f}",
    "avg holding time": "{:.1f}",
    "avg number of shipments": "{:.2f}",
}
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


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rounds", description=__doc__)
    parser.add_argument("--days", type=int, default=7, help="days between two rounds")
    parser.add_argument("--donation-max", type=int, default=1000, help="as the framework's default")
    parser.add_argument("--only", default="", help="strategies whose name holds this text")
    options = parser.parse_args()
    for name in ("ppe_match.testing_framework", "ppe_match.strategies"):
        logging.getLogger(name).handlers.clear()
    print("| strategy | " + " | ".join(METRICS) + " | unproven rounds | s |")
    print("| --- |" + " ---: |" * (len(METRICS) + 2))
    theirs: dict[str, Strategy] = {
        "ppe-match: proximity": strategies.proximity_match_strategy,
        "ppe-match: first come, first matched": strategies.FCFM_strategy,
    }
    for name, peer in theirs.items():
        if options.only in name:
            _row(name, peer, [], options)
    for name, terms in OURS.items():
        if options.only in name:
            plans: list[Plan] = []
            _row(name, strategy(terms, plans.append), plans, options)


def _row(name: str, chosen: Strategy, plans: list[Plan], options: argparse.Namespace) -> None:
    began = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the framework's own use of pandas
        framework = TestingFramework(
            strategy=chosen, interval=options.days, max_donation_qty=options.donation_max
        )
        # Dates with and without fractions of a second: newer pandas leaves them text.
        for table in (framework.all_donors, framework.all_recipients):
            table["date"] = pd.to_datetime(table["date"], utc=True, format="ISO8601")
        framework.run()
    metrics: pd.DataFrame = framework.get_metrics()
    value = metrics.set_index("metric_name")["value"]
    unproven = sum(plan.status != "optimal" for plan in plans) if plans else "-"
    said = " | ".join(form.format(value[metric]) for metric, form in METRICS.items())
    print(f"| {name} | {said} | {unproven} | {time.process_time() - began:.0f} |", flush=True)


if __name__ == "__main__":
    main()
