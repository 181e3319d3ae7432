"""Answers of ruled components that hold on: found again by all that they depend on.

Levels count by their order within the component alone, as that is all that its bands are made of.
"""

import hashlib
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import fields, replace

import numpy as np

from matching.arrays import IntArray
from matching.backends import Backend
from matching.dispatch import Limits
from matching.plan import Component
from matching.ruled.component import RuledComponent
from matching.ruled.search import RuledAnswer
from matching.ruled.sending import Outcome, answered_ruled

_BY_ORDER = ("tranche_weight", "level", "steps")


def ruled_digest(component: RuledComponent) -> bytes:
    """SHA-256 of all that the answer of a component depends on."""
    sha = hashlib.sha256()
    _, place = np.unique(component.level, return_inverse=True)
    columns = {"level": place}
    for owner in (component.net, component):
        for field in fields(owner):
            if field.name not in (*_BY_ORDER, "net"):
                columns[field.name] = getattr(owner, field.name)
    for name, values in columns.items():
        if isinstance(values, np.ndarray):
            sha.update(f"{name}:{len(values)};".encode())
            sha.update(np.ascontiguousarray(values, "<i8").tobytes())
        else:
            sha.update(f"{name}={values};".encode())
    return sha.digest()


def answer_of(report: Component, x: IntArray) -> RuledAnswer:
    """The answer behind the report of a component that is proven, and its units."""
    return RuledAnswer(
        x=x,
        bands=report.bands,
        cost_bound=report.cost_bound or 0,
        change_bound=report.change_bound or 0,
        prefix_bound=np.cumsum(report.bound),
        seconds=0.0,
        solvers=(),
    )


def answered_or_known(
    components: Sequence[RuledComponent],
    known: Mapping[bytes, RuledAnswer],
    backend: Backend,
    executor: Executor | None,
    limits: Limits,
) -> list[Outcome]:
    """What is known of every component, and the rest solved."""
    found: dict[int, Outcome] = {}
    for c, part in enumerate(components if known else ()):
        answer = known.get(ruled_digest(part))
        if answer is not None:
            found[c] = Outcome(part, _renamed(answer, part), True)
            limits.told(len(part.net.pair_need), 1)
    rest = [c for c in range(len(components)) if c not in found]
    solved = answered_ruled([components[c] for c in rest], backend, executor, limits)
    found |= dict(zip(rest, solved, strict=True))
    return [found[c] for c in range(len(components))]


def _renamed(answer: RuledAnswer, part: RuledComponent) -> RuledAnswer:
    """The answer with its bands called by the levels that they now are."""
    names = zip(part.steps.first.tolist(), part.steps.last.tolist(), strict=True)
    if not answer.bands:
        return answer
    bands = [
        replace(band, first=first, last=last)
        for band, (first, last) in zip(answer.bands, names, strict=True)
    ]
    return replace(answer, bands=tuple(bands))
