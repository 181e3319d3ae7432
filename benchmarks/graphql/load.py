"""A small load generator: a few connections that ask the same question again and again."""

from __future__ import annotations

import http.client
import json
import threading
import time
from dataclasses import dataclass, field


@dataclass(slots=True)
class Load:
    """What came of a round: seconds of every answer, and how long the round took."""

    seconds: list[float] = field(default_factory=list)
    took_s: float = 0.0

    @property
    def rps(self) -> float:
        return len(self.seconds) / self.took_s

    @property
    def median_ms(self) -> float:
        return sorted(self.seconds)[len(self.seconds) // 2] * 1_000


def answer_of(port: int, document: str, key: str) -> object:
    """One answer, as data; raises where it holds errors."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    answer = json.loads(_ask(connection, document, key))
    connection.close()
    if answer.get("errors"):
        raise RuntimeError(answer["errors"])
    return answer["data"]


def load(
    port: int,
    document: str,
    key: str,
    *,
    connections: int,
    seconds: float | None = None,
    requests: int | None = None,
) -> Load:
    """Ask from several connections at once, for so long or so often."""
    result, lock, begun = Load(), threading.Lock(), time.perf_counter()
    left = [requests if requests is not None else 10**9]

    def go_on() -> bool:
        with lock:
            left[0] -= 1
            return left[0] >= 0 and (seconds is None or time.perf_counter() - begun < seconds)

    def work() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        while go_on():
            asked = time.perf_counter()
            _ask(connection, document, key)
            with lock:
                result.seconds.append(time.perf_counter() - asked)
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    result.took_s = time.perf_counter() - begun
    return result


def _ask(connection: http.client.HTTPConnection, document: str, key: str) -> bytes:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
    connection.request("POST", "/graphql", json.dumps({"query": document}), headers)
    response = connection.getresponse()
    body = response.read()
    if response.status != 200:
        raise RuntimeError(f"{response.status}: {body[:300]!r}")
    return body
