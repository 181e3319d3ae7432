"""python -m benchmarks.matching.whole: a whole run over its bare solver calls; time and memory."""

import argparse
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, replace

from benchmarks.clock import peak_gb
from benchmarks.matching.bare import bare_calls
from benchmarks.matching.markets import Market, counties, region
from benchmarks.matching.replanned import HereAndNow
from benchmarks.report import at_most, reported, say
from matching import Policy, solve
from matching.backends import Backend

MOST_TIMES = 2.0
LARGE_NEEDS = 1_000_000
LARGE_S, LARGE_GB = 60.0, 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Took:
    """CPU seconds of one run in one process."""

    pairs: int
    components: int
    candidates: float
    solve: float
    bare: float
    calls: int

    @property
    def whole(self) -> float:
        return self.candidates + self.solve


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.matching.whole", description=__doc__
    )
    parser.add_argument("--needs", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--large-only", action="store_true", help="a million needs in counties")
    parser.add_argument("--quick", action="store_true", help="5,000 needs, 2 runs")
    parser.add_argument("--one", choices=("time", "memory"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.quick:
        options.needs, options.runs = 5_000, 2
    if options.one:
        return _large_one(options.one, options.needs)
    if options.large_only:
        return 0 if _large(50_000 if options.quick else LARGE_NEEDS) else 1
    market = region(options.needs)
    fine = _over_bare(market, "ortools", options.runs)
    fine &= _over_bare(market, "pylmcf", options.runs)
    return 0 if fine else 1


def run_once(market: Market, backend: Backend) -> Took:
    """Candidates, build, split, solve, cost, check and certificate, in this process alone."""
    market = replace(market)
    with bare_calls(backend) as bare:
        began = time.process_time()
        problem = market.problem()
        found = time.process_time()
        plan = solve(problem, Policy(), executor=HereAndNow(), backend=backend)
        ended = time.process_time()
    assert plan.certificate.optimal
    return Took(
        pairs=problem.n_pairs,
        components=len(plan.components),
        candidates=found - began,
        solve=ended - found,
        bare=bare.seconds,
        calls=bare.calls,
    )


def _over_bare(market: Market, backend: Backend, runs: int) -> bool:
    took = [run_once(market, backend) for _ in range(runs)]
    last = took[-1]
    say(
        f"\n{len(market.units):,} needs, {last.pairs:,} pairs, {last.components:,} components, "
        f"{backend}; CPU seconds in one process, medians of {runs} runs:\n"
    )
    say("| candidates | solve, check and proof | whole run | of which bare solver calls |")
    say("| ---: | ---: | ---: | ---: |")
    middle = [
        statistics.median(getattr(one, name) for one in took)
        for name in ("candidates", "solve", "whole", "bare")
    ]
    say(f"| {' | '.join(f'{value:.2f}' for value in middle)} ({last.calls} calls) |")
    ratio = statistics.median(one.whole / one.bare for one in took)
    what = f"whole run at {len(market.units):,} needs over its bare solver calls ({backend})"
    if backend == "pylmcf":  # its calls are so short that the rest weighs more: not what was asked
        return reported(what, f"{ratio:.2f}×")
    return at_most(what, ratio, MOST_TIMES)


def _large(needs: int) -> bool:
    """Processes of their own, so that each has its own peak."""
    fine = True
    for kind in ("time", "memory"):
        command = [sys.executable, "-m", "benchmarks.matching.whole", "--one", kind]
        done = subprocess.run([*command, "--needs", str(needs)], check=False)
        fine &= done.returncode == 0
    return fine


def _large_one(kind: str, needs: int) -> int:
    """`time`: offers with a radius; `memory`: all reach their whole county, 13 pairs a need."""
    backend: Backend = "pylmcf"
    market = (
        counties(needs, needs // 125)
        if kind == "time"
        else counties(needs, needs // 153, radius_km=1_000.0)
    )
    took = run_once(market, backend)
    peak = peak_gb()
    say(
        f"\n{needs:,} needs, {took.pairs:,} pairs, {took.components:,} components, {backend}: "
        f"{took.whole:.0f} s of one core, peak {peak:.2f} GB (one run)"
    )
    if kind == "time":
        what = f"{needs:,} needs in {took.components:,} components, whole run"
        return 0 if at_most(what, took.whole, LARGE_S, " s of one core") else 1
    return 0 if at_most(f"peak memory, {took.pairs:,} pairs", peak, LARGE_GB, " GB") else 1


if __name__ == "__main__":
    raise SystemExit(main())
