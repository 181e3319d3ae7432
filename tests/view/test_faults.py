"""What a client is told when something goes wrong, and what is not told."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from tests.fixtures.served import Served, served, settings_for
from tests.view.conftest import SECRET

NEW = "application/graphql-response+json"


@pytest.mark.parametrize("query", ["{ boom }", "{ badType }", "{ whole(number: 1) boom }"])
def test_a_surprise_is_masked_and_logged_once_with_its_request_id(
    misbehaving: Served, caplog: pytest.LogCaptureFixture, query: str
) -> None:
    with caplog.at_level(logging.ERROR):
        response = misbehaving.ask(query, X_Request_Id="request-0001")

    (error,) = response.json()["errors"]
    assert error["extensions"] == {"code": "INTERNAL", "requestId": "request-0001"}
    assert error["message"].endswith("request-0001")
    for hidden in (SECRET, "SELECT", "/srv", "Traceback", ".py", "RuntimeError"):
        assert hidden not in response.text
    (record,) = [r for r in caplog.records if r.name == "aidloop.error"]
    line = json.loads(record.getMessage())
    assert line["request_id"] == "request-0001"
    assert "Traceback" in line["traceback"]
    assert [r.name for r in caplog.records if r.levelno >= logging.ERROR] == ["aidloop.error"]


def test_what_went_well_beside_a_surprise_is_still_answered(misbehaving: Served) -> None:
    assert misbehaving.ask("{ whole(number: 1) boom }").json()["data"] == {
        "whole": 1,
        "boom": None,
    }


@pytest.mark.parametrize(
    ("language", "message"), [("en", "At most 100."), ("zh-CN", "最多 100。"), ("zh", "最多 100。")]
)
def test_a_refusal_keeps_its_code_and_is_said_in_the_clients_language(
    misbehaving: Served, language: str, message: str
) -> None:
    (error,) = misbehaving.ask("{ refused }", Accept_Language=language).json()["errors"]

    assert error["message"] == message
    assert error["extensions"] == {"code": "TOO_LARGE", "fields": [["first"]]}
    assert error["path"] == ["refused"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{ forbidden }", "FORBIDDEN"),
        ('{ nameless(id: "zzz") }', "INVALID_ID"),
        ("{ viewer { nothing } }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ viewer {", "GRAPHQL_PARSE_FAILED"),
        ("query Q($n: Int!) { whole(number: $n) }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ endless }", "TIMEOUT"),
    ],
)
def test_every_error_has_a_code(misbehaving: Served, query: str, code: str) -> None:
    (error,) = misbehaving.ask(query).json()["errors"]

    assert error["extensions"]["code"] == code


APPLY = """mutation ($input: ApplicationSubmitInput!) {
  applicationSubmit(input: $input) { userErrors { code } } }"""


def test_an_id_that_is_none_is_named_by_its_place_in_the_arguments(server: Served) -> None:
    given = {"name": "A", "phone": "10012345678", "regionId": "zzz"}
    bare = server.ask('{ a: node(id: "zzz") { id } b: node(id: "T2ZmZXI6Nw") { id } }').json()
    in_input = server.ask(APPLY, {"input": given}).json()
    in_list = server.ask("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": ["zzz"]})
    in_where = server.ask('{ offers(first: 1, where: {category: {eq: "zzz"}}) { totalCount } }')

    placed = [
        error["extensions"]
        for answer in (bare, in_input, in_list.json(), in_where.json())
        for error in answer["errors"]
    ]
    assert placed == [
        {"code": "INVALID_ID", "fields": [path]}
        for path in (["id"], ["input", "regionId"], ["ids", "0"], ["where", "category", "eq"])
    ]


@pytest.mark.parametrize(
    ("query", "variables", "english", "chinese"),
    [
        (
            "query ($v: DateTime) { needs(where: {createdAt: {gte: $v}}) { totalCount } }",
            {"v": "2026-11-24"},
            "with a time zone, such as 2026-11-24T08:00:00Z.",
            "须为带时区的 RFC 3339 文本，例如 2026-11-24T08:00:00Z。",
        ),
        (
            '{ loopStatistics(from: "2023-02-30", to: "2023-03-01") { visits } }',
            None,
            "Date names a day that does not exist.",
            "Date 所示日期不存在。",
        ),
    ],
)
def test_what_a_scalar_refuses_is_said_in_the_clients_language(
    server: Served, query: str, variables: object, english: str, chinese: str
) -> None:
    for language, said in (("en", english), ("zh-CN", chinese)):
        (error,) = server.ask(query, variables, Accept_Language=language).json()["errors"]
        assert error["message"].endswith(said)
        assert error["extensions"] == {"code": "GRAPHQL_VALIDATION_FAILED"}


def test_an_operation_that_takes_too_long_is_stopped_with_a_503(misbehaving: Served) -> None:
    response = misbehaving.ask("{ endless }", Accept=NEW)

    assert response.status_code == 503
    assert "longer than 1 seconds" in response.json()["errors"][0]["message"]


def test_a_list_of_errors_is_cut(misbehaving: Served) -> None:
    query = "{" + " ".join(f"nothing{i}" for i in range(200)) + "}"

    assert len(misbehaving.ask(query).json()["errors"]) == 10


def test_a_database_that_is_not_there_is_a_masked_500(tmp_path: Path) -> None:
    settings = settings_for(f"sqlite+aiosqlite:///{tmp_path}/empty.db", tmp_path)
    with served(settings) as broken:
        response = broken.ask("{ viewer { role } }", key="some-key", Origin="http://localhost:3000")
        unready = broken.client.get("/readyz")
        alive = broken.client.get("/healthz")

    assert response.status_code == 500
    (error,) = response.json()["errors"]
    assert error["extensions"]["code"] == "INTERNAL"
    # A page in a browser must be able to read it, too.
    assert response.headers["access-control-allow-origin"] == "http://localhost:3000"
    assert error["extensions"]["requestId"] == response.headers["x-request-id"]
    assert "api_keys" not in response.text
    assert str(tmp_path) not in response.text
    assert (unready.status_code, alive.status_code) == (503, 200)
    assert "aidloop migrate" in unready.json()["reason"]


def test_a_subscription_without_a_stream_is_told_what_it_needs(
    misbehaving: Served, caplog: pytest.LogCaptureFixture
) -> None:
    response = misbehaving.ask("subscription { count(to: 2) }", Accept="application/json")

    (error,) = response.json()["errors"]
    assert error["extensions"] == {"code": "STREAM_NEEDED"}
    assert "text/event-stream" in error["message"]
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


OFFER_POST = """mutation ($q: BigInt!) { offerPost(input: {
  kind: GOODS, categoryId: "x", quantity: $q }) { userErrors { code } } }"""


def test_a_number_beyond_64_bits_is_told_the_bounds(sqlite_url: str, tmp_path: Path) -> None:
    with served(settings_for(sqlite_url, tmp_path)) as server:
        answers = [
            server.ask(OFFER_POST, {"q": number}).json()["errors"][0]["message"]
            for number in (str(10**30), str(2**63), "-" + "9" * 40)
        ]

    assert all("must lie between -9223372036854775808" in message for message in answers)
