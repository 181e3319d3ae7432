"""A server that is told to stop answers what it has begun, and stops."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.fixtures.served import Served
from tests.view.test_websocket import socket as websocket

GRACE_S = 2


@contextmanager
def process(sqlite_url: str, folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], Served]]:
    """The application as an operator runs it, on a socket that was opened beforehand."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=128)
    command = [sys.executable, "-m", "uvicorn", "schema.app:create_app", "--factory"]
    command += ["--fd", str(listening.fileno()), "--log-level", "error"]
    command += ["--timeout-graceful-shutdown", str(GRACE_S)]
    environment = os.environ | {"AIDLOOP_DATABASE_URL": sqlite_url, "AIDLOOP_DATA_DIR": str(folder)}
    running = subprocess.Popen(
        command, env=environment, pass_fds=[listening.fileno()], stderr=subprocess.PIPE
    )
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    try:
        with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
            yield running, Served(url, client)
    finally:
        listening.close()
        running.kill()
        running.communicate()


def test_an_idle_server_stops_at_once(sqlite_url: str, tmp_path: Path) -> None:
    with process(sqlite_url, tmp_path) as (running, server):
        assert server.ask("{ viewer { role } }").status_code == 200
        server.client.close()

        running.send_signal(signal.SIGTERM)
        _, said = running.communicate(timeout=20)

    assert running.returncode in (0, -signal.SIGTERM)
    assert b"Traceback" not in said


def test_open_sockets_are_closed_with_a_reason_to_come_again(
    sqlite_url: str, tmp_path: Path
) -> None:
    with process(sqlite_url, tmp_path) as (running, server):
        # It may take long to come up on a busy machine, longer than a socket's opening may.
        assert server.ask("{ viewer { role } }").status_code == 200
        with websocket(server) as opened:
            opened.subscribe("1", "{ viewer { role } }")
            assert opened.next()["type"] == "next"

            running.send_signal(signal.SIGTERM)

            assert opened.closed_with() in (1001, 1012)
        running.communicate(timeout=20)
        assert running.returncode in (0, -signal.SIGTERM)


def test_a_request_whose_body_is_on_its_way_is_still_answered(
    sqlite_url: str, tmp_path: Path
) -> None:
    body = b'{"query": "{ viewer { role } }"}'
    with process(sqlite_url, tmp_path) as (running, server):
        assert server.ask("{ viewer { role } }").status_code == 200
        address = server.client.base_url
        with socket.create_connection((address.host, address.port or 0), timeout=20) as sent:
            head = f"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
            sent.sendall(f"{head}Content-Type: application/json\r\n\r\n".encode() + body[:10])
            running.send_signal(signal.SIGTERM)
            sent.sendall(body[10:])
            answer = sent.recv(65536)
        running.communicate(timeout=20)

    assert answer.startswith(b"HTTP/1.1 200")
