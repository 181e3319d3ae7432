"""python -m benchmarks.matching.good: what a plan does for people, against two greedy rules."""

import argparse
from dataclasses import dataclass

import numpy as np

from benchmarks.matching.instances import Shape, county
from benchmarks.matching.peers import Ints
from benchmarks.report import Goal, say, told
from matching import Policy, Problem, Tranches, drawn_units, served_units, solve, tranches

BANDS = 4  # parts of the floor, and of what lies beyond it, by units asked


@dataclass(frozen=True, slots=True, eq=False)
class Done:
    """A plan's units along each pair, however it was made."""

    name: str
    units: Ints


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.matching.good", description=__doc__)
    parser.add_argument("--needs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="1,000 needs")
    options = parser.parse_args()
    needs = 1_000 if options.quick else options.needs
    problem, policy = county(Shape(needs=needs, seed=options.seed)), Policy()
    plans = (
        Done("solve", solve(problem, policy).pair_units),
        Done("greedy by severity", greedy(problem, by_severity=True)),
        Done("first come, first served", greedy(problem, by_severity=False)),
    )
    return 0 if _print(problem, policy, plans) else 1


def greedy(problem: Problem, *, by_severity: bool) -> Ints:
    """Needs in order of severity, or as they came; each takes from its nearest offers."""
    order = np.arange(problem.n_needs)
    if by_severity:
        order = np.argsort(-problem.need_severity, kind="stable")
    by_need = np.lexsort((problem.pair_cost, problem.pair_need))
    start = np.searchsorted(problem.pair_need[by_need], np.arange(problem.n_needs + 1)).tolist()
    rows, offer = by_need.tolist(), problem.pair_offer[by_need].tolist()
    left, open_ = problem.offer_units.tolist(), problem.need_units.tolist()
    units = np.zeros(problem.n_pairs, np.int64)
    for i in order.tolist():
        for at in range(start[i], start[i + 1]):
            moved = min(open_[i], left[offer[at]])
            open_[i] -= moved
            left[offer[at]] -= moved
            units[rows[at]] = moved
    return units


def outranked_unjustly(problem: Problem, levels: Tranches, units: Ints) -> int:
    """Units left open although an offer that reaches them has something left, or serves a unit that
    comes after them."""
    served = served_units(problem, units)
    of_tranche = levels.served(served)
    last = np.full(problem.n_needs, -1, np.int64)  # level of the last unit that each need got
    got = of_tranche > 0
    np.maximum.at(last, levels.need[got], levels.level[got])
    latest = np.full(problem.n_offers, -1, np.int64)
    used = units > 0
    np.maximum.at(latest, problem.pair_offer[used], last[problem.pair_need[used]])
    latest[drawn_units(problem, units) < problem.offer_units] = levels.n_levels
    reach = np.full(problem.n_needs, -1, np.int64)
    np.maximum.at(reach, problem.pair_need, latest[problem.pair_offer])
    unjust = levels.level < reach[levels.need]
    return int((levels.units - of_tranche)[unjust].sum())


def _print(problem: Problem, policy: Policy, plans: tuple[Done, ...]) -> bool:
    levels = tranches(problem.need_units, problem.need_severity, policy)
    asked = levels.by_level(levels.units)
    bands = _bands(levels, asked)
    names = [f"{tier} {part}" for tier in ("floor", "beyond") for part in range(1, BANDS + 1)]
    say(f"{problem.n_needs:,} needs, {problem.n_offers:,} offers, {problem.n_pairs:,} pairs.\n")
    say(
        "Share of the units asked that is served, by precedence in the policy's order: the floor "
        "(a quarter of each need) and what lies beyond, each in four parts from most to least "
        "urgent. *Outranked unjustly*: units left open although an offer that reaches them has "
        "something left, or serves a unit that comes after them in that order.\n"
    )
    say("| plan | " + " | ".join(names) + " | needs with nothing | outranked unjustly | m a unit |")
    say("| --- |" + " ---: |" * (len(names) + 3))
    unjust: dict[str, int] = {}
    for plan in plans:
        served = served_units(problem, plan.units)
        by_level = levels.by_level(levels.served(served))
        shares = [f"{by_level[band].sum() / asked[band].sum():.1%}" for band in bands]
        unjust[plan.name] = outranked_unjustly(problem, levels, plan.units)
        far = int(np.dot(plan.units, problem.pair_cost)) / served.sum()
        say(
            f"| {plan.name} | {' | '.join(shares)} | {int((served == 0).sum()):,} | "
            f"{unjust[plan.name]:,} | {far:,.0f} |"
        )
    ours = unjust.pop("solve")
    others = ", ".join(f"{name} {count:,}" for name, count in unjust.items())
    what = "units outranked unjustly"
    return told(Goal(what=what, goal="0", measured=f"{ours:,} ({others})", met=ours == 0))


def _bands(levels: Tranches, asked: Ints) -> list[Ints]:
    """Levels of each part: four of the floor, four beyond it, about equal in units asked."""
    floor = np.array([key[0] == 0 for key in levels.keys])
    bands: list[Ints] = []
    for tier in (floor, ~floor):
        rows = np.flatnonzero(tier)
        total = np.cumsum(asked[rows])
        part = np.minimum((total - asked[rows] / 2) * BANDS / total[-1], BANDS - 1).astype(int)
        bands += [rows[part == b] for b in range(BANDS)]
    return bands


if __name__ == "__main__":
    raise SystemExit(main())
