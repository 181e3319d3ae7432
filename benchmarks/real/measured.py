"""Run a command and say how long it took and how much memory it and its children held at most."""

import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class Measured:
    """Exit code, wall seconds, and the largest sum over all processes in MB (0: not known)."""

    code: int
    seconds: float
    peak_mb: float


def run_measured(command: list[str], *, quiet: bool) -> Measured:
    """Run to the end. Memory shared between processes is counted once (PSS; Linux only)."""
    start = time.perf_counter()
    out = subprocess.DEVNULL if quiet else None
    peak = 0
    with subprocess.Popen(command, stdout=out, stderr=out) as process:
        while True:
            try:
                process.wait(POLL_S)
                break
            except subprocess.TimeoutExpired:
                peak = max(peak, sum(map(_pss_kb, _family(process.pid))))
    return Measured(process.returncode, time.perf_counter() - start, peak / 1e3)


def _family(root: int) -> set[int]:
    """The process and all that descend from it."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(stat.parent.name)] = int(fields[1])
    family = {root}
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    return family


def _pss_kb(pid: int) -> int:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    except OSError:
        pass
    return 0
