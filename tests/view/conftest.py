"""Servers for these tests: the real graph, and the real graph with fields that misbehave."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from typing import Annotated

import pytest
import strawberry

from marketplace.domain.errors import Conflict, Forbidden, InvalidId, InvalidInput
from schema import root
from schema.payloads import Info, Payload, act_of, payload
from tests.fixtures.served import Served, served, settings_for

SECRET = "identity number 362502199001011234"


@strawberry.type
class Thing:
    name: str

    @strawberry.field
    def things(
        self, first: int | None = None, last: int | None = None, after: str | None = None
    ) -> ThingConnection:
        return ThingConnection(nodes=[], edges=[], total_count=0)


@strawberry.type
class ThingEdge:
    node: Thing


@strawberry.type
class ThingConnection:
    nodes: list[Thing]
    edges: list[ThingEdge]
    total_count: int


@strawberry.input
class ThingInput:
    name: str
    inside: list[ThingInput] | None = None
    idempotency_key: str | None = None


@strawberry.type
class ThingPayload(Payload):
    thing: Thing | None = strawberry.field(default=None)


@strawberry.type
class MisbehavingQuery:
    @strawberry.field
    def things(
        self, first: int | None = None, last: int | None = None, after: str | None = None
    ) -> ThingConnection:
        return ThingConnection(nodes=[], edges=[], total_count=0)

    @strawberry.field
    def boom(self) -> str | None:
        raise RuntimeError(f"SELECT * FROM households -- {SECRET} in /srv/aidloop/secret.py")

    @strawberry.field
    def bad_type(self) -> int | None:
        return SECRET  # type: ignore[return-value]

    @strawberry.field
    def refused(self) -> str | None:
        raise InvalidInput.of("first", "At most 100.", "最多 100。", code="TOO_LARGE")

    @strawberry.field
    def forbidden(self) -> str | None:
        raise Forbidden

    @strawberry.field
    def nameless(self, id: strawberry.ID) -> str | None:
        raise InvalidId

    @strawberry.field
    async def endless(self) -> str:
        await asyncio.Event().wait()
        return "never"

    @strawberry.field
    def whole(self, number: int) -> int:
        return number


@strawberry.type
class MisbehavingMutation:
    @strawberry.mutation
    async def thing_make(self, info: Info, input: ThingInput) -> ThingPayload:
        async def make() -> str:
            if input.name == "clash":
                raise Conflict.of("name", "Someone was first.", "已被他人修改。")
            if input.name == "forbidden":
                raise Forbidden
            act = act_of(info, input)
            return f"{act.idempotency_key} {act.input_digest}"

        async def read(name: str) -> Thing:
            return Thing(name=name)

        return await payload(ThingPayload, info, make(), read)


@strawberry.type
class MisbehavingSubscription:
    @strawberry.subscription
    async def count(self, info: Info, to: int) -> AsyncGenerator[int]:
        for number in range(to):
            yield number

    @strawberry.subscription
    async def wait(self, info: Info) -> AsyncGenerator[str]:
        yield "begun"
        await asyncio.Event().wait()

    @strawberry.subscription
    async def request_ids(
        self, info: Info, times: Annotated[int, strawberry.argument(description="how often")] = 1
    ) -> AsyncGenerator[str]:
        for _ in range(times):
            context = await info.context.renewed()
            yield f"{context.viewer.role} {context.request_id}"

    @strawberry.subscription
    async def fall(self, info: Info) -> AsyncGenerator[int]:
        yield 1
        raise RuntimeError(SECRET)


@pytest.fixture(scope="module")
def sqlite_url(sqlite_copy_of: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("view") / "aidloop.db"
    shutil.copy(sqlite_copy_of, path)
    return f"sqlite+aiosqlite:///{path}"


@pytest.fixture(scope="module")
def server(sqlite_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The application as it is, on SQLite."""
    with served(settings_for(sqlite_url, tmp_path_factory.mktemp("data"))) as running:
        yield running


@pytest.fixture(scope="module")
def misbehaving(sqlite_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The application with root fields that raise, hang, answer wrongly, or stream."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(root, "QUERIES", [*root.QUERIES, MisbehavingQuery])
        patch.setattr(root, "MUTATIONS", [*root.MUTATIONS, MisbehavingMutation])
        patch.setattr(root, "SUBSCRIPTIONS", [*root.SUBSCRIPTIONS, MisbehavingSubscription])
        folder = tmp_path_factory.mktemp("data")
        settings = settings_for(
            sqlite_url, folder, operation_timeout_s=1, subscriptions_per_connection_max=3
        )
        with served(settings) as running:
            yield running
