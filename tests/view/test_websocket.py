"""graphql-transport-ws, spoken raw: one bad operation harms no other on the same socket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from marketplace.domain.permissions import Role
from marketplace.persistence.database import Database
from tests.fixtures.served import Served, add_account

PROTOCOL = Subprotocol("graphql-transport-ws")
Message = dict[str, object]


class Socket:
    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    def send(self, **message: object) -> None:
        self.connection.send(json.dumps(message))

    def next(self) -> Message:
        data = self.connection.recv(timeout=10)
        assert isinstance(data, str), "clients expect text frames"
        return cast(Message, json.loads(data))

    def subscribe(self, id: str, query: str, variables: object = None) -> None:
        self.send(id=id, type="subscribe", payload={"query": query, "variables": variables})

    def closed_with(self) -> int:
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                self.connection.recv(timeout=10)
        assert closed.value.rcvd is not None
        return closed.value.rcvd.code


@contextmanager
def socket(
    server: Served,
    *,
    init: Message | None = None,
    headers: dict[str, str] | None = None,
    origin: str | None = None,
    acknowledged: bool = True,
) -> Iterator[Socket]:
    with connect(
        server.socket_url,
        subprotocols=[PROTOCOL],
        additional_headers=headers,
        origin=Origin(origin) if origin else None,
        proxy=None,
    ) as connection:
        opened = Socket(connection)
        if acknowledged:
            opened.send(type="connection_init", payload=init or {})
            assert opened.next() == {"type": "connection_ack"}
        yield opened


@pytest.fixture
def open_socket(misbehaving: Served) -> Iterator[Socket]:
    with socket(misbehaving, init={"Accept-Language": "en"}) as opened:
        yield opened


def test_a_query_a_mutation_and_a_subscription_are_answered(open_socket: Socket) -> None:
    open_socket.subscribe("q", "{ viewer { role language } }")
    answer, done = open_socket.next(), open_socket.next()
    open_socket.subscribe("m", 'mutation { thingMake(input: {name: "x"}) { thing { name } } }')
    made, _ = open_socket.next(), open_socket.next()
    open_socket.subscribe("s", "subscription S($to: Int!) { count(to: $to) }", {"to": 3})
    counted = [open_socket.next() for _ in range(4)]

    assert answer["payload"]["data"] == {"viewer": {"role": "PUBLIC", "language": "en"}}  # type: ignore[index]
    assert done == {"id": "q", "type": "complete"}
    assert made["payload"]["data"]["thingMake"]["thing"]  # type: ignore[index]
    assert [m.get("payload", {}).get("data") for m in counted] == [  # type: ignore[attr-defined]
        {"count": 0},
        {"count": 1},
        {"count": 2},
        None,
    ]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{ viewer {", "GRAPHQL_PARSE_FAILED"),
        ("", "GRAPHQL_VALIDATION_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ viewer " * 50 + "}" * 50, "MAX_DEPTH_EXCEEDED"),
        ("fragment A on Query { viewer { role } }", "GRAPHQL_VALIDATION_FAILED"),
    ],
    ids=lambda value: value[:20],
)
def test_a_mistake_ends_its_operation_and_no_other(
    open_socket: Socket, query: str, code: str
) -> None:
    open_socket.subscribe("other", "subscription { wait }")
    assert open_socket.next()["payload"]["data"] == {"wait": "begun"}  # type: ignore[index]

    open_socket.subscribe("bad", query)
    error = open_socket.next()
    open_socket.subscribe("good", "{ viewer { role } }")

    assert (error["id"], error["type"]) == ("bad", "error")
    assert error["payload"][0]["extensions"]["code"] == code  # type: ignore[index]
    assert open_socket.next()["id"] == "good"


def test_a_surprise_in_the_middle_of_a_subscription_is_masked(open_socket: Socket) -> None:
    open_socket.subscribe("s", "subscription { fall }")

    first, second = open_socket.next(), open_socket.next()

    assert first["payload"]["data"] == {"fall": 1}  # type: ignore[index]
    assert second["payload"]["errors"][0]["extensions"]["code"] == "INTERNAL"  # type: ignore[index]
    assert "362502" not in json.dumps(second)


def test_a_query_over_a_socket_is_stopped_in_time_too(open_socket: Socket) -> None:
    open_socket.subscribe("q", "{ endless }")

    message = json.dumps(open_socket.next())

    assert "TIMEOUT" in message


def test_one_subscription_more_than_allowed_is_refused_alone(open_socket: Socket) -> None:
    for number in range(3):
        open_socket.subscribe(str(number), "subscription { wait }")
        assert open_socket.next()["type"] == "next"

    open_socket.subscribe("one too many", "subscription { wait }")
    refused = open_socket.next()
    open_socket.send(id="0", type="complete")
    open_socket.subscribe("again", "subscription { wait }")

    assert (refused["id"], refused["type"]) == ("one too many", "error")
    assert open_socket.next()["id"] == "again"


@pytest.mark.parametrize(
    "message",
    [
        "null",
        "[]",
        '"x"',
        "{",
        "[" * 100_000,
        '{"type": 7}',
        '{"type": "unknown"}',
        '{"type": "subscribe"}',
        '{"type": "subscribe", "id": 7, "payload": {"query": "{ __typename }"}}',
        '{"type": "subscribe", "id": "", "payload": {"query": "{ __typename }"}}',
        '{"type": "subscribe", "id": "1", "payload": "x"}',
        '{"type": "subscribe", "id": "1", "payload": {}}',
        '{"type": "subscribe", "id": "1", "payload": {"query": 7}}',
        '{"type": "subscribe", "id": "1", "payload": {"query": "{a}", "variables": [1]}}',
        '{"type": "subscribe", "id": "1", "payload": {"query": "{a}", "operationName": 1}}',
        '{"type": "complete"}',
        b"\x00\x01",
    ],
    ids=lambda message: repr(message[:40]),
)
def test_a_message_of_the_wrong_shape_closes_the_socket_with_4400(
    misbehaving: Served, open_socket: Socket, message: str | bytes
) -> None:
    open_socket.connection.send(message)

    assert open_socket.closed_with() == 4400
    assert misbehaving.ask("{ viewer { role } }").status_code == 200


def test_a_message_that_is_too_large_closes_the_socket(
    misbehaving: Served, open_socket: Socket
) -> None:
    open_socket.subscribe("1", "{ viewer { role } } #" + " " * 1_100_000)

    assert open_socket.closed_with() == 1009
    assert misbehaving.ask("{ viewer { role } }").status_code == 200


def test_nothing_is_answered_before_the_connection_is_initialised(misbehaving: Served) -> None:
    with socket(misbehaving, acknowledged=False) as opened:
        opened.subscribe("1", "{ viewer { role } }")
        assert opened.closed_with() == 4401


@pytest.mark.parametrize("init", [{"Authorization": "Bearer nobody"}, {"Authorization": "Basic x"}])
def test_a_key_that_does_not_stand_closes_the_socket_with_4403(
    misbehaving: Served, init: Message
) -> None:
    with socket(misbehaving, acknowledged=False) as opened:
        opened.send(type="connection_init", payload=init)
        assert opened.closed_with() == 4403


def test_a_strange_origin_is_refused_at_the_handshake(misbehaving: Served) -> None:
    with (
        pytest.raises(InvalidStatus) as refused,
        socket(misbehaving, origin="http://evil.example"),
    ):
        pass

    assert refused.value.response.status_code == 403


def test_the_old_protocol_is_not_spoken(misbehaving: Served) -> None:
    with connect(
        misbehaving.socket_url, subprotocols=[Subprotocol("graphql-ws")], proxy=None
    ) as connection:
        assert Socket(connection).closed_with() == 4406


@pytest.mark.parametrize("place", ["connection_init", "header"])
async def test_each_operation_has_a_context_and_a_look_at_the_key_of_its_own(
    misbehaving: Served, sqlite_url: str, place: str
) -> None:
    database = Database(sqlite_url)
    key = await add_account(database, Role.AUDITOR)
    bearer = {"Authorization": f"Bearer {key}"}
    given: dict[str, dict[str, str]] = (
        {"init": bearer} if place == "connection_init" else {"headers": bearer}
    )

    with socket(misbehaving, **given) as opened:  # type: ignore[arg-type]
        opened.subscribe("1", "subscription { requestIds(times: 2) }")
        first, second, _ = opened.next(), opened.next(), opened.next()
        opened.subscribe("2", "subscription { requestIds }")
        third, _ = opened.next(), opened.next()
        await _revoke_all(database)
        opened.subscribe("3", "{ viewer { role } }")
        refused = opened.next()
    await database.close()

    ids = [m["payload"]["data"]["requestIds"] for m in (first, second, third)]  # type: ignore[index]
    assert all(i.startswith("AUDITOR ") for i in ids)
    assert ids[0] == ids[1] != ids[2]
    assert refused["type"] == "error"
    assert refused["payload"][0]["extensions"]["code"] == "UNAUTHENTICATED"  # type: ignore[index]


async def _revoke_all(database: Database) -> None:
    import sqlalchemy as sa

    from marketplace.persistence.tables import api_keys

    async with database.write() as db:
        await db.execute(sa.update(api_keys).values(revoked_at=database.now()))
