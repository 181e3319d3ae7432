"""Requests that mean no good get a 4xx or a typed error, and the server goes on."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.fixtures.served import Served, served, settings_for

WHO = "{ viewer { role } }"
JSON = {"Content-Type": "application/json"}


@pytest.fixture(autouse=True)
def _keeps_serving(server: Served) -> Iterator[None]:
    yield
    assert server.ask(WHO).json()["data"] == {"viewer": {"role": "PUBLIC"}}


def code_of(response: httpx.Response) -> str:
    return str(response.json()["errors"][0]["extensions"]["code"])


@pytest.mark.parametrize(
    "body",
    [
        b"null",
        b"1",
        b'"text"',
        b"true",
        b"[]",
        b"",
        b"{",
        b"[" * 100_000,
        b'{"query":' * 50_000,
        b"\xff\xfe\x00",
        b'{"query": "\xff"}',
        b'{"query": "{ viewer { role } }", "variables": NaN}',
        b'{"query": null}',
        b'{"query": 7}',
        b'{"query": ["{ viewer { role } }"]}',
        b'{"query": "{ viewer { role } }", "variables": [1]}',
        b'{"query": "{ viewer { role } }", "variables": "x"}',
        b'{"query": "{ viewer { role } }", "extensions": 3}',
        b'{"query": "{ viewer { role } }", "operationName": 7}',
        b'{"query": "{ viewer { role } }", "operationName": "Other"}',
        b'{"query": ""}',
        b'{"query": "   "}',
        b'[{"query": "{ viewer { role } }"}]',
        b'{"query": "\\ud800"}',
    ],
    ids=lambda body: repr(body[:24]),
)
def test_a_body_that_is_no_request_gets_a_4xx(server: Served, body: bytes) -> None:
    response = server.client.post("/graphql", content=body, headers=JSON)

    assert 400 <= response.status_code < 500 or code_of(response).startswith("GRAPHQL_")
    assert response.json()["errors"]


def test_a_body_that_is_no_object_is_refused_in_the_readers_language(server: Served) -> None:
    said = {
        language: server.client.post(
            "/graphql", content=b"null", headers=JSON | {"Accept-Language": language}
        ).json()["errors"][0]["message"]
        for language in ("en", "zh-CN")
    }

    assert said == {
        "en": "The request must be a JSON object.",
        "zh-CN": "请求正文必须是 JSON 对象。",
    }


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "", "é"],
)
def test_a_content_type_that_a_form_can_send_is_refused(server: Served, content_type: str) -> None:
    response = server.client.post(
        "/graphql",
        content=json.dumps({"query": WHO}).encode(),
        headers={"Content-Type": content_type.encode()},
    )

    assert response.status_code == 400


def test_ten_megabytes_are_refused_unread(server: Served) -> None:
    body = b'{"query": "' + b" " * 10_000_000 + b'"}'

    response = _raw(server, f"Content-Length: {len(body)}", b"")

    assert response.startswith(b"HTTP/1.1 413")
    assert b"BODY_TOO_LARGE" in response


def test_ten_megabytes_in_chunks_are_refused_at_the_first_byte_too_many(server: Served) -> None:
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"

    response = _raw(server, "Transfer-Encoding: chunked", chunk * 17)

    assert response.startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize("length", ["-1", "1e9", "99999999999999999999999999"])
def test_a_content_length_that_is_a_lie_gets_a_4xx(server: Served, length: str) -> None:
    response = _raw(server, f"Content-Length: {length}", b"{}")

    assert response.startswith(b"HTTP/1.1 4")


def test_a_slow_body_gets_a_408(sqlite_url: str, tmp_path: Path) -> None:
    with served(settings_for(sqlite_url, tmp_path, body_deadline_s=1)) as slow:
        response = _raw(slow, "Content-Length: 100", b"{")

    assert response.startswith(b"HTTP/1.1 408")
    assert b"REQUEST_TIMEOUT" in response


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{" + "".join(f"a{i}: viewer {{ role }} " for i in range(2_000)) + "}", "GRAPHQL_PARSE"),
        ("{" + "".join(f"a{i}:__typename " for i in range(31)) + "}", "MAX_ALIASES"),
        ("{ viewer { role" + " @skip(if: false)" * 2_000 + " } }", "GRAPHQL_PARSE"),
        ("{ viewer { role" + " @skip(if: false)" * 51 + " } }", "MAX_DIRECTIVES"),
        ("{ viewer " * 50 + "}" * 50, "MAX_DEPTH"),
        ("{a" * 600 + "}" * 600, "GRAPHQL_PARSE"),
        ("{ viewer(a: " + "[" * 900 + "]" * 900 + ") { role } }", "GRAPHQL_"),
        ("{ viewer(a: " + "[" * 30 + "]" * 30 + ") { role } }", "MAX_INPUT_DEPTH"),
        ("{ viewer(a: " + "{a:" * 450 + "1" + "}" * 450 + ") { role } }", "GRAPHQL_"),
        ("query(" + "$a: [Int] " * 600 + ") { viewer { role } }", "GRAPHQL_"),
        ("{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }", "GRAPHQL_"),
        ("{" + "viewer { role } " * 480 + "}", "MAX_ALIASES"),
        ("{" + "__typename " * 1_900 + "}", "MAX_ALIASES"),
        ("{ __schema { types { fields { type { fields { type { fields { name }}}}}}}}", "GRAPHQL_"),
    ],
    ids=lambda value: value[:30],
)
def test_a_document_beyond_the_limits_gets_a_typed_error(
    server: Served, query: str, code: str
) -> None:
    response = server.ask(query, Accept="application/graphql-response+json")

    assert response.status_code == 400
    assert code_of(response).startswith(code)
    assert len(response.json()["errors"]) <= 10


def test_fragments_that_double_at_every_step_are_counted_once_and_refused(
    misbehaving: Served,
) -> None:
    steps = 100
    fragments = "".join(
        f"fragment F{i} on Thing {{ things(first: 2) {{ nodes {{ ...F{i + 1} }} }} "
        f"a: things(first: 2) {{ nodes {{ ...F{i + 1} }} }} }} "
        for i in range(10)
    )
    wide = "".join(f"fragment W{i} on Thing {{ ...W{i + 1} ...W{i + 1} }} " for i in range(steps))
    query = "{ things(first: 2) { nodes { ...F0 ...W0 } } } " + fragments + wide
    query += f"fragment F10 on Thing {{ name }} fragment W{steps} on Thing {{ name }}"

    response = misbehaving.ask(query)

    assert code_of(response).startswith(("MAX_", "GRAPHQL_"))


def test_a_huge_page_nested_is_refused_by_its_cost(misbehaving: Served) -> None:
    query = """query Q($n: Int = 100000) {
      things(first: $n) { nodes { things(first: 100000) { edges { node { name } } } } }
    }"""

    response = misbehaving.ask(query)

    assert code_of(response) == "MAX_COST_EXCEEDED"
    assert response.json()["extensions"]["cost"]["requested"] > 10**9


@pytest.mark.parametrize(
    "value", [2**31, -(2**31) - 1, 2**70, 1e300, 1.5, "12", True, None, [], {}]
)
def test_a_number_that_is_none_of_ours_is_refused(misbehaving: Served, value: object) -> None:
    response = misbehaving.ask("query Q($n: Int!) { whole(number: $n) }", {"n": value})

    assert code_of(response) == "GRAPHQL_VALIDATION_FAILED"


def test_a_number_without_an_end_is_refused(misbehaving: Served) -> None:
    body = '{"query": "query Q($n: Int!) { whole(number: $n) }", "variables": {"n": %s}}'
    for number in ("9" * 100_000, "1e999", "-1e999", "Infinity"):
        response = misbehaving.client.post("/graphql", content=body % number, headers=JSON)
        assert response.status_code == 400 or code_of(response) == "GRAPHQL_VALIDATION_FAILED"


@pytest.mark.parametrize("levels", [20, 120, 450])
def test_input_nested_without_end_is_refused(misbehaving: Served, levels: int) -> None:
    query = "mutation M($v: ThingInput!) { thingMake(input: $v) { thing { name } } }"
    value = '{"name": "x", "inside": [' * levels + '{"name": "x"}' + "]}" * levels

    response = misbehaving.client.post(
        "/graphql",
        content=f'{{"query": "{query}", "variables": {{"v": {value}}}}}',
        headers=JSON,
    )

    assert code_of(response) == "MAX_INPUT_DEPTH_EXCEEDED"


def test_a_mutation_by_get_is_refused(misbehaving: Served) -> None:
    query = 'mutation { thingMake(input: {name: "x"}) { thing { name } } }'

    response = misbehaving.client.get("/graphql", params={"query": query})

    assert response.status_code in (400, 405)
    assert "data" not in response.json()


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE"])
def test_other_methods_are_refused(server: Served, method: str) -> None:
    assert server.client.request(method, "/graphql").status_code == 405


@pytest.mark.parametrize(
    "path", ["/assets/../app.py", "/assets/%2e%2e/app.py", "/assets/x.js", "/assets/", "/nothing"]
)
def test_no_other_file_is_served(server: Served, path: str) -> None:
    assert server.client.get(path).status_code == 404


def _raw(server: Served, header: str, body: bytes) -> bytes:
    """What a socket is answered that sends these bytes and then only listens."""
    parts = urlsplit(server.url)
    head = f"POST /graphql HTTP/1.1\r\nHost: {parts.netloc}\r\n"
    head += f"Content-Type: application/json\r\n{header}\r\n\r\n"
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=20) as sent:
        sent.sendall(head.encode())
        with suppress(BrokenPipeError, ConnectionResetError):  # it may have heard enough
            sent.sendall(body)
        answer = b""
        with suppress(ConnectionResetError):
            while b"}]}" not in answer and b"Invalid HTTP" not in answer:
                part = sent.recv(65536)
                if not part:
                    break
                answer += part
        return answer
