"""The child process in which a job computes: it can be ended at any moment, and dies with us."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Mapping

from marketplace.domain.errors import Text
from marketplace.services.jobs import JobFailed

LENGTH_BYTES = 8
CHILD = "marketplace.services.solver_child"

Values = Mapping[str, object]
Report = Callable[[float, str], None]


class SolverDied(Exception):
    """The child ended without an answer: killed, out of memory, or a bug (see stderr)."""


class Solver:
    """One child interpreter: it takes one request, answers once, and ends.

    Started ahead of the request, it has already imported what is slow to import.
    """

    def __init__(self, process: Process) -> None:
        self._process = process

    @classmethod
    async def start(cls) -> Solver:
        """Start a child that waits for its request."""
        return cls(
            await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                CHILD,
                str(os.getpid()),
                stdin=PIPE,
                stdout=PIPE,
                start_new_session=True,  # Ctrl-C is for us; and the group can be ended as one
            )
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        return self._process.returncode is None

    async def compute(self, function: str, request: Values, report: Report) -> Values:
        """Run "module:function" in the child. Raises JobFailed as it does there, or SolverDied."""
        assert self._process.stdin is not None
        with contextlib.suppress(ConnectionError):  # the child is gone: told below
            self._process.stdin.write(framed({"function": function, "request": dict(request)}))
            await self._process.stdin.drain()
        while True:
            message = await self._message()
            if "progress" in message:
                report(float(str(message["progress"])), str(message["stage"]))
            elif "failed" in message:
                raise JobFailed(
                    str(message["failed"]), Text(str(message["en"]), str(message["zh"]))
                )
            else:
                result = message["result"]
                assert isinstance(result, dict), "the child answers with plain values"
                return result

    async def end(self) -> None:
        """Kill the child with whatever it started, and see it gone."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()

    async def _message(self) -> dict[str, object]:
        assert self._process.stdout is not None
        try:
            length = int.from_bytes(await self._process.stdout.readexactly(LENGTH_BYTES))
            message = json.loads(await self._process.stdout.readexactly(length))
        except asyncio.IncompleteReadError:
            raise SolverDied(f"ended with {await self._process.wait()}") from None
        assert isinstance(message, dict), "the child answers with objects"
        return message


def framed(message: Values) -> bytes:
    """A message as it goes through the pipe: its length, then JSON."""
    body = json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()
    return len(body).to_bytes(LENGTH_BYTES) + body
