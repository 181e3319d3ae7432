"""CPU seconds of this process and its ended children, and contests in which all take turns."""

from __future__ import annotations

import gc
import resource
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(slots=True, kw_only=True)
class Contender:
    """Something to be timed. `runs` below 0: as many as the contest has."""

    run: Callable[[], object]
    runs: int = -1
    seconds: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def spread(self) -> str:
        return f"{min(self.seconds):.2f} to {max(self.seconds):.2f}"


def cpu_s() -> float:
    """CPU seconds so far, ended children included: some peers solve in a process of their own."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def contest(
    contenders: Mapping[str, Contender],
    runs: int,
    check: Callable[[str, object], None] = lambda _name, _answer: None,
) -> None:
    """Everyone once, then everyone again: other load on the machine falls on all alike."""
    for turn in range(runs):
        for name, contender in contenders.items():
            if 0 <= contender.runs <= turn:
                continue
            gc.collect()
            began = cpu_s()
            answer = contender.run()
            contender.seconds.append(cpu_s() - began)
            check(name, answer)


def peak_gb() -> float:
    """Most memory this process has held so far (Linux only; 0 elsewhere)."""
    try:
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024**2
    except OSError:
        pass
    return 0.0
