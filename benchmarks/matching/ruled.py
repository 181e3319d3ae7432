"""python -m benchmarks.matching.ruled: markets with rules, beside HiGHS and CP-SAT alone."""

import argparse
import time
from dataclasses import dataclass

import numpy as np

from benchmarks.clock import cpu_s
from benchmarks.matching.ruled_markets import rules, visits
from benchmarks.matching.ruled_peers import Peer, Reached, by_bands, components_of, cp_sat, highs
from benchmarks.report import Goal, say, told
from matching import Plan, Policy, Problem, solve, violations
from matching.ruled.search import EFFORT_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One who solved a market, and how long it took, by the clock and of CPUs."""

    name: str
    reached: Reached
    wall_s: float
    cpu_s: float


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.matching.ruled", description=__doc__
    )
    parser.add_argument("--seconds", type=float, default=2 * EFFORT_S, help="of each peer")
    parser.add_argument("--only", default="", help="markets whose name holds this text")
    parser.add_argument("--quick", action="store_true", help="small markets, 2 seconds")
    options = parser.parse_args()
    size = 4 if options.quick else 1
    seconds = 2.0 if options.quick else options.seconds
    markets = {
        "rules-200": rules(200 // size),
        "rules-600": rules(600 // size),
        "services": visits(400 // size),
    }
    say(
        f"One run each; up to {EFFORT_S:.0f} s by the clock for `solve`, {seconds:.0f} s for each "
        "peer (building its models aside). All decide band after band, then cost; a band's value "
        "is compared only where those before it are equal.\n"
    )
    fine = True
    for name, problem in markets.items():
        if options.only in name:
            fine &= _compared(name, problem, seconds)
    return 0 if fine else 1


def _compared(name: str, problem: Problem, seconds: float) -> bool:
    policy = Policy()
    began, cpu = time.monotonic(), cpu_s()
    plan = solve(problem, policy)
    ours = Side(
        name="**solve**",
        reached=_ours(plan),
        wall_s=time.monotonic() - began,
        cpu_s=cpu_s() - cpu,
    )
    assert violations(problem, plan) == []
    sides = [ours, *(_peer(problem, policy, *peer, seconds) for peer in _PEERS)]
    parts = components_of(problem, policy)
    say(
        f"\n**{name}**: {problem.n_needs} needs, {problem.n_offers} offers, {problem.n_pairs:,} "
        f"pairs, {len(parts)} components with rules; `solve`: {plan.status}, "
        f"gap {plan.gap:.4%}\n"
    )
    n = max(part.steps.n_bands for part in parts)
    say("| | " + " | ".join(f"band {b + 1}" for b in range(n)) + " | cost | unproven | s | CPU s |")
    say("| --- |" + " ---: |" * (n + 4))
    for side in sides:
        values = " | ".join(f"{value:,}" for value in side.reached.values[:n])
        reached = side.reached
        stages = f"{reached.cost:,} | {reached.unproven} | {side.wall_s:.1f} | {side.cpu_s:.1f}"
        say(f"| {side.name} | {values} | {stages} |")
    say()
    judged = [_judged(name, ours, side) for side in sides[1:]]
    return all(judged)


_PEERS: tuple[tuple[str, Peer], ...] = (("highspy", highs), ("CP-SAT", cp_sat))


def _peer(problem: Problem, policy: Policy, name: str, peer: Peer, seconds: float) -> Side:
    began, cpu = time.monotonic(), cpu_s()
    reached = by_bands(problem, policy, peer, seconds)
    wall_s = time.monotonic() - began
    return Side(name=name, reached=reached, wall_s=wall_s, cpu_s=cpu_s() - cpu)


def _ours(plan: Plan) -> Reached:
    ruled = [part for part in plan.components if part.kind == "mip"]
    values = np.zeros(8, np.int64)
    for part in ruled:
        for b, band in enumerate(part.bands):
            values[b] += band.served
    return Reached(
        values=values.tolist(),
        cost=sum(part.cost for part in ruled),
        unproven=sum(len(part.unproven) for part in ruled),
    )


def _judged(name: str, ours: Side, other: Side) -> bool:
    """As good by the first band that differs, then by cost."""
    mine = (*ours.reached.values, -ours.reached.cost)
    theirs = (*other.reached.values, -other.reached.cost)
    first = next((b for b, (a, c) in enumerate(zip(mine, theirs, strict=True)) if a != c), None)
    if first is None:
        said = "the same plan value"
    else:
        where = f"band {first + 1}" if first < len(mine) - 1 else "cost"
        said = f"{'better' if mine > theirs else 'worse'} at {where}: " + (
            f"{abs(mine[first]):,} to {abs(theirs[first]):,}"
        )
    said += f", in {ours.cpu_s:.1f} to {other.cpu_s:.1f} CPU s"
    what, goal = f"{name} against {other.name}", "as good or better, in half the time"
    if not any(other.reached.values):  # it may only have had too little of the machine
        said = f"it found no plan, in {other.cpu_s:.1f} CPU s"
        return told(Goal(what=what, goal=goal, measured=said))
    return told(Goal(what=what, goal=goal, measured=said, met=mine >= theirs))


if __name__ == "__main__":
    raise SystemExit(main())
