"""CPU seconds of the bare flow solver calls inside a solve: a clock round each of them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ortools.graph.python import min_cost_flow

from matching.backends import Backend


@dataclass(slots=True)
class Bare:
    """What the solver calls took so far."""

    seconds: float = 0.0
    calls: int = 0


@contextmanager
def bare_calls(backend: Backend) -> Iterator[Bare]:
    """Count what the solver itself takes in this process, until the block ends."""
    bare = Bare()
    if backend == "pylmcf":
        with _pylmcf(bare):
            yield bare
        return
    original = min_cost_flow.SimpleMinCostFlow

    class Timed(original):  # type: ignore[misc, valid-type]
        def solve(self) -> object:
            began = time.process_time()
            status = super().solve()
            bare.seconds += time.process_time() - began
            bare.calls += 1
            return status

    min_cost_flow.SimpleMinCostFlow = Timed
    try:
        yield bare
    finally:
        min_cost_flow.SimpleMinCostFlow = original


@contextmanager
def _pylmcf(bare: Bare) -> Iterator[None]:
    from pylmcf import pylmcf_cpp

    original = pylmcf_cpp.lmcf

    def timed(*columns: object) -> object:
        began = time.process_time()
        units = original(*columns)
        bare.seconds += time.process_time() - began
        bare.calls += 1
        return units

    pylmcf_cpp.lmcf = timed
    try:
        yield
    finally:
        pylmcf_cpp.lmcf = original
