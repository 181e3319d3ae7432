"""A plan's file held against the files it was made from, with nothing of ours in between."""

import csv
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Totals:
    """What the lines of a plan add up to."""

    lines: int
    units: int
    cost: Decimal


def check_plan(plan: Path, needs: Path, offers: Path, pairs: Path) -> Totals:
    """Raise AssertionError unless the plan is feasible; return its totals.

    Every line moves something along a listed pair at that pair's cost, no pair has two lines, no
    need gets more than it asked for, and no offer gives more than it has.
    """
    asked = _quantities(needs, "need_id")
    had = _quantities(offers, "offer_id")
    lines: dict[tuple[str, str], tuple[int, Decimal]] = {}
    with plan.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            pair, units = (row["need_id"], row["offer_id"]), int(row["units"])
            assert units > 0, f"{pair} moves {units}"
            assert pair not in lines, f"{pair} has two lines"
            lines[pair] = units, Decimal(row["unit_cost"])
    _check_costs(lines, pairs)
    got: Counter[str] = Counter()
    gave: Counter[str] = Counter()
    for (need, offer), (units, _) in lines.items():
        got[need] += units
        gave[offer] += units
    for sums, limits in ((got, asked), (gave, had)):
        for name, units in sums.items():
            assert units <= limits[name], f"{name}: {units} of {limits[name]}"
    return Totals(len(lines), got.total(), sum((u * c for u, c in lines.values()), Decimal(0)))


def _check_costs(lines: dict[tuple[str, str], tuple[int, Decimal]], pairs: Path) -> None:
    wanted = set(lines)
    with pairs.open(encoding="utf-8") as file:
        next(file)
        for line in file:
            need, offer, cost = line.rstrip("\n").split(",")
            if (need, offer) in wanted:
                wanted.discard((need, offer))
                # Costs are counted in ten-thousandths.
                off = abs(Decimal(cost) - lines[need, offer][1])
                assert off <= Decimal("0.00005"), f"{need}, {offer}: {cost}"
    assert not wanted, f"{len(wanted)} lines have no pair, such as {min(wanted)}"


def _quantities(path: Path, key: str) -> dict[str, int]:
    with path.open(newline="", encoding="utf-8") as file:
        return {row[key]: int(row["quantity"]) for row in csv.DictReader(file)}
