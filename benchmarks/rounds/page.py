"""docs/rounds.md: every strategy by the framework's five metrics, and where which one is better."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

PEER = "ppe-match: proximity"

TEXT = """# Weekly rounds, by another package's own measures

Written by `make rounds`, not by hand. The requests and donations that GetUsPPE.org received from
April to July 2020 ([real-data.md](real-data.md)) go through the testing framework of the package
`ppe-match` 0.1.4: every {days} days a strategy sees what is open and says what is shipped. The
framework leaves out donations above {donation_max:,} units. `benchmarks/rounds/strategy.py` gives
it `matching.solve` as a strategy; the figures are the framework's own five metrics:

- **fill rate**: mean share of a request that is met, over requests, then over kinds of things;
- **without zeros**: the same over requests that got anything;
- **unit-miles**: mean miles of a unit; **holding**: mean days that a unit waited with its donor;
- **shipments**: mean number of shipments of a donor who ships at all.

They count requests, not units, so units moved stand beside them. *Better* says on how many of the
five a strategy is better than `ppe-match`'s proximity matching.

{table}

## Where we win, and where we do not

A policy decides it; there is no strategy that is best on everything.

- The **default** (a floor for everyone first) is not made for these metrics: it gives many requests
  a part, so that its fill rate is *below* proximity matching's, and donors ship more parcels. What
  it buys is that many requests get something, within days.
- **Small requests first** fills the most requests by far, with the most parcels. A reach brings the
  miles down for a part of the fill rate.
- **At most so many shipments a donor** (`Terms(shipments=2, reach=…)`) is the trade that a charity
  with few hands wants: each shipment is one request in full. It needs no mixed-integer program: a
  request is a unit, a donor has as many units as shipments left, and only requests that fit into
  each of them are paired, so it stays an exact flow with its proof. {few} It
  moves **fewer units**: what is left with a donor after the last shipment stays there.
- A price for each shipment (`Terms(trip=…)`, `pair_fixed_cost`) makes the market of each kind one
  mixed-integer program a round: too slow here, and not needed with the bound above.

In the marketplace the same terms are an offer's radius, its most needs (`offer_max_needs`) and the
plan's policy.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A strategy's metrics. `units` is None where only the framework's own five were kept."""

    name: str
    fill: float
    fill_without_zeros: float
    unit_miles: float
    holding: float
    shipments: float
    units: int | None
    unproven: int | None

    def better_than(self, other: Row) -> int:
        """On how many of the five."""
        return sum(
            (
                self.fill > other.fill,
                self.fill_without_zeros > other.fill_without_zeros,
                self.unit_miles < other.unit_miles,
                self.holding < other.holding,
                self.shipments < other.shipments,
            )
        )


def keep(file: Path, rows: list[Row]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps([asdict(row) for row in rows], indent=1), encoding="utf-8")


def kept(file: Path) -> list[Row]:
    """Rows of earlier runs."""
    if not file.exists():
        return []
    return [Row(**row) for row in json.loads(file.read_text("utf-8"))]


def table(rows: list[Row]) -> str:
    """Markdown."""
    peer = next((row for row in rows if row.name == PEER), None)
    lines = [
        "| strategy | fill rate | without zeros | unit-miles | holding, days | shipments "
        "| better, of 5 | units moved |",
        "| --- |" + " ---: |" * 7,
    ]
    for row in rows:
        better = "-" if peer is None or row is peer else str(row.better_than(peer))
        units = "-" if row.units is None else f"{row.units:,}"
        lines.append(
            f"| {row.name} | {row.fill:.2%} | {row.fill_without_zeros:.1%} "
            f"| {row.unit_miles:,.0f} | {row.holding:.1f} | {row.shipments:.2f} "
            f"| {better} | {units} |"
        )
    return "\n".join(lines)


def page(rows: list[Row], *, days: int, donation_max: int) -> str:
    return TEXT.format(table=table(rows), days=days, donation_max=donation_max, few=_few(rows))


def _few(rows: list[Row]) -> str:
    """What the rows say of bounded shipments, and nothing where they were not measured."""
    peer = next((row for row in rows if row.name == PEER), None)
    bounded = [row for row in rows if "shipments a donor" in row.name]
    if peer is None or not bounded:
        return "Its figures are not in this table yet."
    best = max(bounded, key=lambda row: row.better_than(peer))
    return f"At best it is better than proximity on {best.better_than(peer)} of the five."
