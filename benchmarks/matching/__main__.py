"""python -m benchmarks.matching: CPU seconds of solve against its peers, at the same optimum."""

import argparse
import importlib.util
from collections.abc import Callable, Iterable

from benchmarks.clock import Contender, contest
from benchmarks.matching.instances import Shape, county
from benchmarks.matching.networks import networkx_simplex, ortools_whole, pylmcf_whole
from benchmarks.matching.peers import Answer, highs, pulp_cbc, scipy_milp
from benchmarks.report import at_least, at_most, reported, say
from matching import Plan, Policy, Problem, certify, explanations, marginals, solve

FAST = importlib.util.find_spec("pylmcf") is not None
OURS, OURS_FAST = "**solve**", "**solve, `fast`**"
HIGHS = ("highspy, one model", "highspy, a model a component")
# What is above how many times solve, and with `fast`: the goals that were set.
GOALS = (
    ("highspy, fastest formulation", HIGHS, 5.0, 10.0),
    ("scipy.optimize.milp", ("scipy.optimize.milp",), 8.0, None),
    ("PuLP with CBC", ("PuLP with CBC",), 12.0, None),
    ("networkx", ("networkx.network_simplex",), 80.0, None),
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.matching", description=__doc__)
    parser.add_argument("--needs", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=5, help="medians of so many runs")
    parser.add_argument("--slow-runs", type=int, default=1, help="of networkx")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="1,000 needs, 2 runs")
    options = parser.parse_args()
    if options.quick:
        options.needs, options.runs, options.slow_runs = 1_000, 2, 1
    problem = county(Shape(needs=options.needs, seed=options.seed))
    say(
        f"{problem.n_needs:,} needs, {problem.n_offers:,} offers, {problem.n_pairs:,} pairs; "
        f"CPU seconds, child processes included; medians of {options.runs} runs, in turn "
        f"({options.slow_runs} run of networkx). `solve` splits, solves, decides cost, checks and "
        "certifies; peers only solve. All found the same units at every level and the same cost.\n"
    )
    plan = solve(problem)
    field = _field(problem, plan, options.slow_runs)
    contest(field, options.runs, _same(plan))
    _print(field)
    return 0 if _judge(field) else 1


def _field(problem: Problem, plan: Plan, slow_runs: int) -> dict[str, Contender]:
    """Everyone who takes part; peers answer with what they found, to be compared."""
    policy = Policy()

    def whole(solver: Callable[[Problem, Policy], Answer]) -> Contender:
        return Contender(run=lambda: solver(problem, policy))

    field = {
        OURS: Contender(run=lambda: _answer(solve(problem, policy))),
        "solve, leximin": Contender(run=lambda: solve(problem, Policy(order="leximin"))),
        "solve, weighted": Contender(run=lambda: solve(problem, Policy(order="weighted"))),
        "certify": Contender(run=lambda: certify(problem, policy, plan).optimal),
        "marginals": Contender(run=lambda: marginals(problem, policy, plan)),
        "explanations": Contender(run=lambda: explanations(problem, policy, plan)),
        "OR-Tools, one network": whole(ortools_whole),
    }
    if FAST:
        fast = Contender(run=lambda: _answer(solve(problem, policy, backend="pylmcf")))
        field |= {OURS_FAST: fast, "pylmcf, one network": whole(pylmcf_whole)}
    return field | {
        HIGHS[0]: Contender(run=lambda: highs(problem, policy, split=False)),
        HIGHS[1]: Contender(run=lambda: highs(problem, policy, split=True)),
        "scipy.optimize.milp": whole(scipy_milp),
        "PuLP with CBC": whole(pulp_cbc),
        "networkx.network_simplex": Contender(
            run=lambda: networkx_simplex(problem, policy), runs=slow_runs
        ),
    }


def _same(plan: Plan) -> Callable[[str, object], None]:
    """No ratio without the same optimum."""
    ours = Answer(plan.level_served.tolist(), plan.cost)

    def check(name: str, answer: object) -> None:
        if isinstance(answer, Answer) and answer != ours:
            raise SystemExit(f"{name} found another optimum: no ratio is worth anything.")

    return check


def _answer(plan: Plan) -> Answer:
    assert plan.certificate.optimal
    return Answer(plan.level_served.tolist(), plan.cost)


def _print(field: dict[str, Contender]) -> None:
    say("| what | CPU s | least to most | times `solve` | times `solve`, `fast` |")
    say("| --- | ---: | ---: | ---: | ---: |")
    for name, one in sorted(field.items(), key=lambda item: item[1].median):
        fast = f"{one.median / field[OURS_FAST].median:.2f}" if FAST else "-"
        ours = one.median / field[OURS].median
        say(f"| {name} | {one.median:.3f} | {one.spread} | {ours:.2f} | {fast} |")


def _judge(field: dict[str, Contender]) -> bool:
    def median(names: Iterable[str]) -> float:
        return min(field[name].median for name in names)

    met = True
    for name, peers, least, least_fast in GOALS:
        over = median(peers) / field[OURS].median
        over_fast = median(peers) / field[OURS_FAST].median if FAST else 0.0
        note = f" ({over_fast:.1f}× with `fast`)" if FAST and least_fast is None else ""
        met &= at_least(f"{name}, over `solve`", over, least, note)
        if FAST and least_fast is not None:
            met &= at_least(f"{name}, over `solve` with `fast`", over_fast, least_fast)
    leximin = field["solve, leximin"].median / field["solve, weighted"].median
    met &= at_most("leximin over weighted", leximin, 2.0)
    for name in ("certify", "marginals", "explanations"):
        share = field[name].median / field[OURS].median
        met &= at_most(f"{name} over `solve`", share, 0.35)
    reported("OR-Tools, one network, over `solve`", _times(field, "OR-Tools, one network"))
    return met


def _times(field: dict[str, Contender], name: str) -> str:
    return f"{field[name].median / field[OURS].median:.1f}×"


if __name__ == "__main__":
    raise SystemExit(main())
