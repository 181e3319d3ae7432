"""Starting worker programs, and seeing which processes still live."""

from __future__ import annotations

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.planning.workers import WITHIN_S, until


@dataclass(frozen=True, slots=True)
class Program:
    process: Process

    async def reaches(self, moment: str) -> None:
        """Wait until the program has printed this moment."""
        assert self.process.stdout is not None
        async with asyncio.timeout(WITHIN_S):
            while (line := await self.process.stdout.readline()) != f"{moment}\n".encode():
                assert line, f"ended before {moment}"

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    async def kill(self) -> None:
        """SIGKILL, as a power cut or the kernel's memory guard does."""
        self.process.kill()
        await self.process.wait()

    async def ends(self) -> int:
        async with asyncio.timeout(WITHIN_S):
            return await self.process.wait()

    async def says(self) -> str:
        """What it wrote to its log, once it has ended."""
        assert self.process.stderr is not None
        return (await self.process.stderr.read()).decode()

    def children(self) -> list[int]:
        """Process ids of its solver children, spare ones too."""
        return [pid for pid in processes() if parent_of(pid) == self.process.pid]


@asynccontextmanager
async def a_program(url: str, *, lease_s: int, moment: str = "") -> AsyncIterator[Program]:
    """A worker of its own, started; killed at the end of the block if it still lives."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.planning.program",
        url,
        str(lease_s),
        moment,
        stdout=PIPE,
        stderr=PIPE,
    )
    program = Program(process)
    try:
        await program.reaches("STARTED")
        yield program
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def all_gone(pids: list[int], within_s: float) -> None:
    async def gone() -> bool:
        return not any(is_alive(pid) for pid in pids)

    await until(gone, within_s)


def processes() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def is_alive(pid: int) -> bool:
    return state_of(pid) not in ("", "Z")


def is_stopped(pid: int) -> bool:
    return state_of(pid) == "T"


def state_of(pid: int) -> str:
    fields = _stat(pid)
    return fields[0] if fields else ""


def parent_of(pid: int) -> int:
    fields = _stat(pid)
    return int(fields[1]) if fields else 0


def _stat(pid: int) -> list[str]:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return []
    return text.rpartition(")")[2].split()
