"""What a worker's child computes in tests that kill: the real plan, halted where the test says."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping

from marketplace.domain.errors import Text
from marketplace.services.exchange import planning
from marketplace.services.jobs import JobFailed

HALT_AT = "HALT_AT"  # environment: a stage, at which the child waits until it is killed


def halting(request: Mapping[str, object], report: Callable[[float, str], None]) -> object:
    """The real computation, but at one stage it waits for ever."""

    def told(progress: float, stage: str) -> None:
        report(progress, stage)
        if stage == os.environ.get(HALT_AT):
            threading.Event().wait()

    return planning.compute(request, told)


def crashing(request: Mapping[str, object], report: Callable[[float, str], None]) -> object:
    """Ends as a child does that runs out of memory."""
    os._exit(9)


def refusing(request: Mapping[str, object], report: Callable[[float, str], None]) -> object:
    raise JobFailed("TOO_MUCH", Text("Too much.", "过多。"))
