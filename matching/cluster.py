"""Many machines: an executor over a Dask cluster, whose work can be ended as that of processes can.

Each call runs in a child process of a Dask worker. The flow solver holds the GIL, so a thread of
the worker would keep it from answering the scheduler, which would take it for dead; and a call
that is not wanted any more can be ended. Needs the extra `dask`; the workers need this package.
"""

import contextlib
import pickle
import threading
import time
import warnings
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, wait
from typing import ParamSpec, TypeVar

from matching.executor import ProcessExecutor

P = ParamSpec("P")
T = TypeVar("T")

CONNECT_S = 10.0
WATCH_S = 0.5
ALONE_S = 10.0  # how long a cluster may have no worker at all
POLL_S = 0.1
RETRIES = 2  # of a call whose child process died; of a worker that died, the scheduler counts


class ClusterExecutor(Executor):
    """Runs functions on the workers of a Dask scheduler, such as tcp://10.0.0.5:8786.

    Whatever breaks the cluster (no scheduler, no worker for ten seconds, a worker lost once too
    often) fails its futures with BrokenExecutor, upon which `solve` does the rest in processes of
    its own. A worker that dies is no such case: the scheduler gives its calls to another. Raises
    BrokenExecutor where none answers, ImportError without the extra.
    """

    def __init__(self, address: str, *, connect_s: float = CONNECT_S) -> None:
        from distributed import Client

        self.address, self._connect_s = address, connect_s
        self._open: set[Future[object]] = set()
        self._lock = threading.Lock()
        self._closed = threading.Event()
        try:
            self._client = Client(  # type: ignore[no-untyped-call]
                address, timeout=connect_s, set_as_default=False, name="aidloop"
            )
        except (OSError, ValueError) as error:
            raise BrokenExecutor(f"No Dask scheduler answers at {address}: {error}") from error
        try:
            self._client.wait_for_workers(1, timeout=connect_s)
        except Exception as error:
            self._client.close()  # type: ignore[no-untyped-call]
            raise BrokenExecutor(f"The Dask scheduler at {address} has no worker.") from error
        self._pool = self._client.get_executor(pure=False, retries=RETRIES)  # type: ignore[no-untyped-call]
        self.workers = max(1, self._threads())
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        if self._closed.is_set():
            raise RuntimeError("The executor has been shut down.")
        message = pickle.dumps((fn, args, kwargs), protocol=5)
        future: Future[T] = Future()
        with self._lock:
            self._open.add(future)  # type: ignore[arg-type]
        try:
            with warnings.catch_warnings():
                # The arrays of a chunk go with their call: scattered, they would die with a worker.
                warnings.filterwarnings("ignore", "Sending large graph", UserWarning)
                inner = self._pool.submit(run_apart, message)
        except Exception as error:
            self._settle(future, BrokenExecutor(f"The Dask cluster is lost: {error!r}"))
            return future
        inner.add_done_callback(lambda done: self._pass_on(done, future))
        future.add_done_callback(lambda done: inner.cancel() if done.cancelled() else None)
        return future

    def kill(self) -> None:
        """Cancel every call; the workers end those that they are in."""
        with self._lock:
            futures = list(self._open)
        for future in futures:
            future.cancel()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        if cancel_futures:
            self.kill()
        elif wait:
            with self._lock:
                futures = list(self._open)
            for future in futures:
                with contextlib.suppress(BaseException):
                    future.exception()
        self._closed.set()
        self._client.close(timeout=self._connect_s)  # type: ignore[no-untyped-call]

    def _pass_on(self, inner: "Future[T]", outer: "Future[T]") -> None:
        """What became of a call, in the words of concurrent.futures."""
        from distributed import KilledWorker

        if inner.cancelled():
            self._settle(outer, BrokenExecutor(f"The Dask cluster at {self.address} is lost."))
            return
        error = inner.exception()
        if error is None:
            with self._lock:
                self._open.discard(outer)
            if outer.set_running_or_notify_cancel():
                outer.set_result(inner.result())
        elif isinstance(error, KilledWorker | CancelledError | OSError):
            self._settle(outer, BrokenExecutor(f"The Dask cluster gave a call up: {error}"))
        else:
            self._settle(outer, error)

    def _settle(self, future: "Future[T]", error: BaseException) -> None:
        with self._lock:
            self._open.discard(future)
        with contextlib.suppress(Exception):  # settled or cancelled meanwhile
            if not future.done() and future.set_running_or_notify_cancel():
                future.set_exception(error)

    def _watch(self) -> None:
        """Fail what waits when the scheduler is gone, or when no worker comes to do it."""
        alone_since: float | None = None
        while not self._closed.wait(WATCH_S):
            if self._client.status not in ("running", "connecting"):
                self._fail_all(f"The Dask scheduler at {self.address} is lost.")
                continue
            if self._threads():
                alone_since = None
                continue
            alone_since = alone_since or time.monotonic()
            if time.monotonic() - alone_since > ALONE_S:
                self._fail_all(f"The Dask cluster at {self.address} has no worker left.")

    def _fail_all(self, reason: str) -> None:
        with self._lock:
            futures = list(self._open)
        for future in futures:
            self._settle(future, BrokenExecutor(reason))

    def _threads(self) -> int:
        try:
            return sum(self._client.nthreads().values())  # type: ignore[no-untyped-call]
        except Exception:  # the scheduler does not answer
            return 0


def run_apart(message: bytes) -> object:
    """On a Dask worker: run a pickled call in a child process, and end it when it is released."""
    from distributed import get_worker

    worker = get_worker()
    key = worker.get_current_task()
    child = _idle.pop() if _idle else ProcessExecutor(1)
    try:
        future = child.submit(_called, message)
        while not wait([future], POLL_S).done:
            task = worker.state.tasks.get(key)
            if task is None or task.state in ("cancelled", "released", "forgotten"):
                child.kill()
                raise CancelledError("The call was released.")
        return future.result()
    finally:
        _idle.append(child)


def _called(message: bytes) -> object:
    fn, args, kwargs = pickle.loads(message)  # noqa: S301  # from our own client
    return fn(*args, **kwargs)


_idle: list[ProcessExecutor] = []  # children kept for the next call of this Dask worker
