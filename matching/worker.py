"""A child of ProcessExecutor: reads calls from standard input, answers on standard output."""

import os
import pickle
import select
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from matching.executor import read_message, write_message

try:
    import fcntl
except ImportError:  # not a POSIX system: an orphan ends after the call it is in
    fcntl = None  # type: ignore[assignment]


def main() -> None:
    """Serve until the parent closes the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not end up between our answers
    while True:
        try:
            message = read_message(sys.stdin.buffer)
            with _dying_with_parent():
                answer = _answer(message)
            write_message(answers, answer)
        except (EOFError, BrokenPipeError):
            return


@contextmanager
def _dying_with_parent() -> Iterator[None]:
    """While a call runs, a closed input pipe ends this process at once (SIGIO's default).

    The solver holds the GIL, so nothing in Python could notice that the parent was killed. No
    other input comes meanwhile: the parent waits for the answer.
    """
    if fcntl is None or not hasattr(os, "O_ASYNC"):
        yield
        return
    flags = fcntl.fcntl(0, fcntl.F_GETFL)
    fcntl.fcntl(0, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(0, fcntl.F_SETFL, flags | os.O_ASYNC)
    pipe = select.poll()
    pipe.register(0, 0)
    if pipe.poll(0):  # hung up before we listened
        raise EOFError
    try:
        yield
    finally:
        fcntl.fcntl(0, fcntl.F_SETFL, flags)


def _answer(message: bytes) -> bytes:
    try:
        fn, args, kwargs = pickle.loads(message)  # noqa: S301  # our own parent
        return pickle.dumps((True, fn(*args, **kwargs)), protocol=5)
    except Exception as error:
        return _failure(error)


def _failure(error: Exception) -> bytes:
    try:
        message = pickle.dumps((False, error), protocol=5)
        pickle.loads(message)  # noqa: S301  # some exceptions pickle but do not come back
    except Exception:
        return pickle.dumps((False, RuntimeError(repr(error))), protocol=5)
    return message
