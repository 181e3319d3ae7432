"""Edits of a problem, as days bring them: needs and offers come, go and change; rows move."""

from dataclasses import fields, replace

import numpy as np

from matching import Problem
from tests.matching.instances import permuted

COLUMNS = {field.name for field in fields(Problem) if field.init}


def edited(problem: Problem, seed: int, *, edits: int = 3, reordered: bool = True) -> Problem:
    """Some random edits, then (perhaps) all rows in another order."""
    r = np.random.default_rng(seed)
    for _ in range(edits):
        problem = r.choice([_fewer, _more_needs, _more_offers, _changed, _committed])(problem, r)
    return permuted(problem, seed) if reordered else problem


def with_prior(problem: Problem, pair_units: np.ndarray) -> Problem:
    return replace(problem, pair_prior=pair_units)


def with_offer(problem: Problem, units: int, needs: list[int]) -> Problem:
    """One offer more, which reaches these needs."""
    return _grown(problem, {"offer_units": [units]}, needs, [problem.n_offers] * len(needs))


def with_needs(problem: Problem, units: list[int], severity: int, offers: list[int]) -> Problem:
    """Needs more, each of which one offer reaches."""
    columns = {"need_units": units, "need_severity": [severity] * len(units)}
    rows = [problem.n_needs + i for i in range(len(units))]
    return _grown(problem, columns, rows, offers)


def _grown(
    problem: Problem, columns: dict[str, list[int]], needs: list[int], offers: list[int]
) -> Problem:
    """More rows: those named, others by default."""
    default = {"need_value": 1, "need_min": 1, "offer_min_lot": 1, "pair_draw": 1}
    grown = columns | {"pair_need": needs, "pair_offer": offers}
    sizes = {
        "need": len(columns.get("need_units", [])),
        "offer": len(columns.get("offer_units", [])),
        "pair": len(needs),
    }
    whole = {}
    for name in COLUMNS:
        size = sizes[name.split("_")[0]]
        more = grown.get(name, [default.get(name, 10**18 if name == "pair_max" else 0)] * size)
        if name == "need_household" and size:
            more = [10**6 + problem.n_needs + i for i in range(size)]
        whole[name] = np.append(getattr(problem, name), np.array(more, np.int64))
    return Problem(**whole)


def _fewer(problem: Problem, r: np.random.Generator) -> Problem:
    """A need or an offer goes."""
    needs, offers = np.ones(problem.n_needs, bool), np.ones(problem.n_offers, bool)
    gone = needs if r.random() < 0.5 else offers
    if len(gone) > 1:
        gone[r.integers(len(gone))] = False
    pairs = needs[problem.pair_need] & offers[problem.pair_offer]
    kept = {"need": needs, "offer": offers, "pair": pairs}
    columns = {name: getattr(problem, name)[kept[name.split("_")[0]]] for name in COLUMNS}
    columns["pair_need"] = (np.cumsum(needs) - 1)[columns["pair_need"]]
    columns["pair_offer"] = (np.cumsum(offers) - 1)[columns["pair_offer"]]
    return Problem(**columns)


def _more_needs(problem: Problem, r: np.random.Generator) -> Problem:
    units = r.integers(1, 9, int(r.integers(1, 3))).tolist()
    offers = r.integers(0, problem.n_offers, len(units)).tolist()
    return with_needs(problem, units, int(r.integers(1, 6)), offers)


def _more_offers(problem: Problem, r: np.random.Generator) -> Problem:
    most = min(4, problem.n_needs)
    needs = r.choice(problem.n_needs, int(r.integers(1, most + 1)), replace=False)
    return with_offer(problem, int(r.integers(1, 20)), needs.tolist())


def _changed(problem: Problem, r: np.random.Generator) -> Problem:
    column = str(r.choice(["offer_units", "need_units", "need_severity"]))
    values = getattr(problem, column).copy()
    values[r.integers(len(values))] = r.integers(1, 9)
    return replace(problem, **{column: values})


def _committed(problem: Problem, r: np.random.Generator) -> Problem:
    """A unit of one pair is committed: no longer asked for, nor left."""
    pairs = np.flatnonzero(
        (problem.need_units[problem.pair_need] > 1) & (problem.offer_units[problem.pair_offer] > 1)
    )
    if not len(pairs):
        return problem
    k = int(r.choice(pairs))
    need, offer = problem.need_units.copy(), problem.offer_units.copy()
    done = problem.pair_committed.copy()
    need[problem.pair_need[k]] -= 1
    offer[problem.pair_offer[k]] -= 1
    done[k] += 1
    return replace(problem, need_units=need, offer_units=offer, pair_committed=done)
