"""python -m benchmarks.matching: CPU seconds of solve against HiGHS, at equal levels and cost."""

import argparse
import gc
import importlib.util
import statistics
import time
from collections.abc import Callable

import numpy as np

from benchmarks.matching.instances import Shape, county
from benchmarks.matching.peers import Answer, greedy, highs
from matching import Plan, Policy, Problem, certify, solve

Runs = dict[str, list[float]]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.matching", description=__doc__)
    parser.add_argument("--needs", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=5, help="medians of so many runs")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--skip-highs", action="store_true", help="only our own figures")
    options = parser.parse_args()
    problem = county(Shape(needs=options.needs, seed=options.seed))
    print(
        f"{problem.n_needs:,} needs, {problem.n_offers:,} offers, {problem.n_pairs:,} pairs, "
        f"medians of {options.runs} runs, CPU seconds\n"
    )
    plan = solve(problem)
    runs = _measured(problem, plan, options.runs, with_highs=not options.skip_highs)
    _print_table(runs)
    _print_good(problem, plan)


def _measured(problem: Problem, plan: Plan, times: int, *, with_highs: bool) -> Runs:
    """All contenders in turn, so that other load on the machine falls on all alike."""
    policy = Policy()
    answer = Answer(plan.level_served.tolist(), plan.cost)
    contenders: dict[str, Callable[[], object]] = {
        "solve": lambda: _answer(solve(problem, policy)),
        "solve, leximin": lambda: solve(problem, Policy(order="leximin")),
        "solve, weighted": lambda: solve(problem, Policy(order="weighted")),
        "certify alone": lambda: certify(problem, policy, plan).optimal,
    }
    if importlib.util.find_spec("pylmcf"):
        contenders["solve, pylmcf"] = lambda: _answer(solve(problem, policy, backend="pylmcf"))
    if with_highs:
        contenders["highspy, one model"] = lambda: highs(problem, policy, split=False)
        contenders["highspy, a model a component"] = lambda: highs(problem, policy, split=True)
    runs: Runs = {name: [] for name in contenders}
    for _ in range(times):
        for name, contender in contenders.items():
            gc.collect()
            began = time.process_time()
            result = contender()
            runs[name].append(time.process_time() - began)
            if isinstance(result, Answer) and result != answer:
                raise SystemExit(f"{name} found another optimum: compare levels and cost first.")
    return runs


def _answer(plan: Plan) -> Answer:
    assert plan.certificate.optimal
    return Answer(plan.level_served.tolist(), plan.cost)


def _print_table(runs: Runs) -> None:
    medians = {name: statistics.median(seconds) for name, seconds in runs.items()}
    print("| what | CPU s | least–most | times `solve` |\n| --- | ---: | ---: | ---: |")
    for name, seconds in runs.items():
        spread = f"{min(seconds):.2f}–{max(seconds):.2f}"
        ratio = medians[name] / medians["solve"]
        print(f"| {name} | {medians[name]:.3f} | {spread} | {ratio:.2f} |")
    leximin = medians["solve, leximin"] / medians["solve, weighted"]
    print(f"\nleximin over weighted: {leximin:.2f}")
    if "solve, pylmcf" in medians and "highspy, one model" in medians:
        for name in ("highspy, one model", "highspy, a model a component"):
            print(f"{name} over solve with pylmcf: {medians[name] / medians['solve, pylmcf']:.1f}")


def _print_good(problem: Problem, plan: Plan) -> None:
    """Share of the need served in the floor and beyond it, against greedy rules."""
    rows = {
        "solve": Answer(plan.level_served.tolist(), plan.cost),
        "greedy by severity": greedy(problem, plan.policy, by_severity=True),
        "first come, first served": greedy(problem, plan.policy, by_severity=False),
    }
    floor = np.array([key[0] == 0 for key in plan.level_keys])
    asked = plan.level_asked
    print("\n| plan | floor served | rest served | mean metres a unit |")
    print("| --- | ---: | ---: | ---: |")
    for name, answer in rows.items():
        served = np.array(answer.level_served)
        in_floor = served[floor].sum() / asked[floor].sum()
        rest = served[~floor].sum() / asked[~floor].sum()
        print(f"| {name} | {in_floor:.1%} | {rest:.1%} | {answer.cost / served.sum():,.0f} |")


if __name__ == "__main__":
    main()
