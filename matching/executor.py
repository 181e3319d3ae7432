"""Processes that can be ended: an executor whose work stops at once when told to.

The flow solver holds the GIL and knows no interrupt, so only ending its process ends it. Workers
are plain `python -c` children that talk over pipes: no re-import of the caller's main module, and
usable inside a process that may not have children of the multiprocessing kind.
"""

import atexit
import os
import pickle
import queue
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import contextmanager
from pathlib import Path
from typing import IO, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_HEAD = struct.Struct(">Q")
_CODE = "from matching.worker import main; main()"


class ProcessExecutor(Executor):
    """Runs functions in child processes, started when first needed and kept for the next call.

    `kill` ends every child at once and cancels what waits; the executor stays usable. A child that
    dies by itself fails its own future with BrokenExecutor and is replaced.
    """

    def __init__(self, max_workers: int | None = None) -> None:
        self.workers = max_workers or usable_cpus()
        self._tasks: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._children: dict[int, subprocess.Popen[bytes]] = {}
        self._lock = threading.Lock()
        self._closed = False
        self._kills = 0

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = Future()
        with self._lock:
            if self._closed:
                raise RuntimeError("The executor has been shut down.")
            if len(self._threads) < self.workers:
                slot = len(self._threads)
                thread = threading.Thread(target=self._serve, args=(slot,), daemon=True)
                self._threads.append(thread)
                thread.start()
        message = pickle.dumps((fn, args, kwargs), protocol=5)
        self._tasks.put(_Task(future, message, self._kills))
        return future

    def kill(self) -> None:
        """End all children now; what they were doing fails, what waits is cancelled."""
        while True:
            try:
                task = self._tasks.get_nowait()
            except queue.Empty:
                break
            if task is not None:
                task.future.cancel()
        with self._lock:
            self._kills += 1
            children = list(self._children.values())
        for child in children:
            child.kill()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        with self._lock:
            self._closed = True
            threads = list(self._threads)
        if cancel_futures:
            self.kill()
        for _ in threads:
            self._tasks.put(None)
        if wait:
            for thread in threads:
                thread.join()

    @property
    def pids(self) -> list[int]:
        """Process ids of the children alive."""
        with self._lock:
            return [child.pid for child in self._children.values() if child.poll() is None]

    def _serve(self, slot: int) -> None:
        """One thread per child: send a task, wait for its answer."""
        while (task := self._tasks.get()) is not None:
            if not task.future.set_running_or_notify_cancel():
                continue
            try:
                done, value = self._ask(slot, task)
            except (OSError, EOFError) as error:
                self._end(slot)
                task.future.set_exception(BrokenExecutor(f"A worker process ended: {error}"))
                continue
            if done:
                task.future.set_result(value)
            else:
                assert isinstance(value, BaseException)
                task.future.set_exception(value)
        self._end(slot)

    def _ask(self, slot: int, task: "_Task") -> tuple[bool, object]:
        child = self._child(slot)
        assert child.stdin is not None
        assert child.stdout is not None
        if task.kills != self._kills:  # killed before the child that would do it was there
            raise EOFError("killed")
        write_message(child.stdin, task.message)
        done, value = pickle.loads(read_message(child.stdout))  # noqa: S301  # our own child
        return done, value

    def _child(self, slot: int) -> subprocess.Popen[bytes]:
        with self._lock:
            child = self._children.get(slot)
        if child is not None:
            return child
        ours = str(Path(__file__).resolve().parent.parent)
        path = os.pathsep.join([ours, *(p for p in sys.path if p)])
        child = subprocess.Popen(  # noqa: S603  # the interpreter that runs us
            [sys.executable, "-c", _CODE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": path},
        )
        with self._lock:
            self._children[slot] = child
            _alive.add(child)
        return child

    def _end(self, slot: int) -> None:
        with self._lock:
            child = self._children.pop(slot, None)
        if child is not None:
            _end_child(child)


class _Task:
    def __init__(self, future: "Future[T]", message: bytes, kills: int) -> None:
        self.future: Future[object] = future  # type: ignore[assignment]
        self.message = message
        self.kills = kills


def usable_cpus() -> int:
    """Processors this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1


@contextmanager
def shared_executor() -> Iterator[ProcessExecutor]:
    """The process-wide executor, or a passing one while another solve in this process has it."""
    if _shared_lock.acquire(blocking=False):
        try:
            if not _shared:
                _shared.append(ProcessExecutor())
            yield _shared[0]
        finally:
            _shared_lock.release()
    else:
        passing = ProcessExecutor()
        try:
            yield passing
        finally:
            passing.shutdown(wait=False, cancel_futures=True)


def write_message(pipe: IO[bytes], message: bytes) -> None:
    """One message, its length first."""
    pipe.write(_HEAD.pack(len(message)))
    pipe.write(message)
    pipe.flush()


def read_message(pipe: IO[bytes]) -> bytes:
    """The next message. Raises EOFError when the other side is gone."""
    head = pipe.read(_HEAD.size)
    if len(head) < _HEAD.size:
        raise EOFError("no answer")
    (size,) = _HEAD.unpack(head)
    message = pipe.read(size)
    if len(message) < size:
        raise EOFError("half an answer")
    return message


def _end_child(child: subprocess.Popen[bytes]) -> None:
    _alive.discard(child)
    child.kill()
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            try:
                pipe.close()
            except OSError:  # unsent bytes to a child that is gone
                continue
    child.wait()


def _end_all() -> None:
    for child in list(_alive):
        _end_child(child)


def _after_fork() -> None:
    """A forked child has neither our threads nor a right to our children."""
    global _shared_lock
    _alive.clear()
    _shared.clear()
    _shared_lock = threading.Lock()


_alive: set[subprocess.Popen[bytes]] = set()
_shared: list[ProcessExecutor] = []
_shared_lock = threading.Lock()
atexit.register(_end_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
