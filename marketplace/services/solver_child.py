"""What runs inside the child process: one request from stdin, progress and one answer to stdout."""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from typing import BinaryIO, cast

from marketplace.services.jobs import JobFailed
from marketplace.services.solver import LENGTH_BYTES, Report, framed

PR_SET_PDEATHSIG = 1
# Loaded before the request comes, since it is slow; a name, so that the server never loads it.
AHEAD = "marketplace.services.exchange.planning"


def main(parent: int) -> None:
    """Serve one request, then end."""
    die_with(parent)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not fall between our frames
    importlib.import_module(AHEAD).warm_up()
    gc.disable()  # one request, then the end: looking for cycles among its many rows is for nothing
    head = sys.stdin.buffer.read(LENGTH_BYTES)
    if len(head) < LENGTH_BYTES:
        return  # not needed after all
    message = json.loads(sys.stdin.buffer.read(int.from_bytes(head)))
    threading.Thread(target=_end_without_parent, daemon=True).start()
    _answer(answers, _outcome(message, _reporter(answers)))


def die_with(parent: int) -> None:
    """Have the kernel kill this process when the one that started it ends, however it ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before we asked
        os._exit(1)


def _outcome(message: Mapping[str, object], report: Report) -> Mapping[str, object]:
    module, _, name = str(message["function"]).partition(":")
    compute = cast(
        "Callable[[Mapping[str, object], Report], Mapping[str, object]]",
        getattr(importlib.import_module(module), name),
    )
    try:
        return {
            "result": compute(cast("Mapping[str, object]", message["request"]), report),
        }
    except JobFailed as failed:
        return {"failed": failed.code, "en": failed.said.en, "zh": failed.said.zh}


def _reporter(answers: BinaryIO) -> Report:
    def report(progress: float, stage: str) -> None:
        _answer(answers, {"progress": progress, "stage": stage})

    return report


def _answer(answers: BinaryIO, message: Mapping[str, object]) -> None:
    answers.write(framed(message))
    answers.flush()


def _end_without_parent() -> None:
    """Where the kernel cannot tell us: the pipe closes when the parent is gone."""
    os.read(0, 1)  # not through a buffer, whose lock would trouble our own end
    os._exit(1)


if __name__ == "__main__":
    main(int(sys.argv[1]))
