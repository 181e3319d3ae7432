"""A child of ProcessExecutor: reads calls from standard input, answers on standard output."""

import os
import pickle
import sys

from matching.executor import read_message, write_message


def main() -> None:
    """Serve until the parent closes the pipe."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not end up between our answers
    while True:
        try:
            message = read_message(sys.stdin.buffer)
        except EOFError:
            return
        try:
            fn, args, kwargs = pickle.loads(message)  # noqa: S301  # our own parent
            answer = pickle.dumps((True, fn(*args, **kwargs)), protocol=5)
        except Exception as error:
            answer = _failure(error)
        try:
            write_message(answers, answer)
        except BrokenPipeError:
            return


def _failure(error: Exception) -> bytes:
    try:
        message = pickle.dumps((False, error), protocol=5)
        pickle.loads(message)  # noqa: S301  # some exceptions pickle but do not come back
    except Exception:
        return pickle.dumps((False, RuntimeError(repr(error))), protocol=5)
    return message
