"""python -m benchmarks.matching.replanned: a replan after 0.1 % new needs over a cold solve.

Both in one process and in one run, turn by turn, so that other load falls on both alike.
"""

import argparse
import gc
import statistics
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import fields, replace
from typing import ParamSpec, TypeVar

import numpy as np

from benchmarks.matching.markets import counties
from benchmarks.report import at_most, say
from matching import Base, Plan, Policy, Problem, replan, solve

P = ParamSpec("P")
T = TypeVar("T")


class HereAndNow(Executor):
    """Runs everything in this process, so that its CPU time is all that a solve takes."""

    workers = 1

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.matching.replanned", description=__doc__
    )
    parser.add_argument("--needs", type=int, default=100_000)
    parser.add_argument("--counties", type=int, default=1_000, help="about as many components")
    parser.add_argument("--new", type=int, default=100, help="needs that the replan has to add")
    parser.add_argument("--runs", type=int, default=5, help="medians of so many runs")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    after = counties(options.needs, options.counties, seed=options.seed).problem()
    before = without(after, options.new, options.seed)
    policy = Policy()
    base = Base.of(before, policy, solve(before, policy))
    solved_again = int((base.places(after, policy) < 0).sum())
    runs = measured(after, policy, base, options.runs)
    plan = solve(after, policy)
    say(
        f"{after.n_needs:,} needs, {after.n_pairs:,} pairs, {len(plan.components):,} components, "
        f"of which {options.new} new needs touch {solved_again}; one process, "
        f"medians of {options.runs} runs\n"
    )
    say("| what | CPU s | wall s |\n| --- | ---: | ---: |")
    middle = {
        name: [statistics.median(column) for column in zip(*times, strict=True)]
        for name, times in runs.items()
    }
    for name, (cpu, wall) in middle.items():
        say(f"| {name} | {cpu:.3f} | {wall:.3f} |")
    ratio = [warm / cold for warm, cold in zip(middle["replan"], middle["solve"], strict=True)]
    at_most("replan after 0.1 % new needs over a cold solve (CPU)", ratio[0], 0.15)


def measured(
    problem: Problem, policy: Policy, base: Base, times: int
) -> dict[str, list[tuple[float, float]]]:
    """CPU and wall seconds of each, on a problem that has kept nothing from the run before."""
    here = HereAndNow()
    contenders: dict[str, Callable[[Problem], Plan]] = {
        "solve": lambda fresh: solve(fresh, policy, executor=here),
        "replan": lambda fresh: replan(fresh, policy, base, executor=here),
    }
    runs: dict[str, list[tuple[float, float]]] = {name: [] for name in contenders}
    for _ in range(times):
        plans = []
        for name, contender in contenders.items():
            fresh = replace(problem)
            gc.collect()
            cpu, wall = time.process_time(), time.perf_counter()
            plans.append(contender(fresh))
            runs[name].append((time.process_time() - cpu, time.perf_counter() - wall))
        if (plans[0].pair_units != plans[1].pair_units).any():
            raise SystemExit("The replan found another plan: there is nothing to compare.")
    return runs


def without(problem: Problem, needs: int, seed: int) -> Problem:
    """The problem as it was before so many of its needs, any of them, came."""
    gone = np.random.default_rng(seed).choice(problem.n_needs, needs, replace=False)
    kept = np.ones(problem.n_needs, np.bool_)
    kept[gone] = False
    columns = {field.name: getattr(problem, field.name) for field in fields(problem) if field.init}
    pairs = kept[problem.pair_need]
    for name, values in columns.items():
        side = name.partition("_")[0]
        columns[name] = values[{"need": kept, "pair": pairs}.get(side, slice(None))]
    columns["pair_need"] = (np.cumsum(kept) - 1)[columns["pair_need"]]
    return Problem(**columns)


if __name__ == "__main__":
    main()
