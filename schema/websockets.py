"""The protocol graphql-transport-ws, in which one bad operation harms no other."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from json import JSONDecodeError
from typing import Protocol, cast, runtime_checkable

from graphql import GraphQLError
from starlette.websockets import WebSocketDisconnect, WebSocketState
from strawberry.asgi import ASGIWebSocketAdapter
from strawberry.http.exceptions import (
    NonJsonMessageReceived,
    NonTextMessageReceived,
    WebSocketDisconnected,
)
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import (
    BaseGraphQLTransportWSHandler,
)
from strawberry.subscriptions.protocols.graphql_transport_ws.types import Message

from marketplace.settings import Settings
from schema.context import Connection, Context

ID_LENGTH_MAX = 200


@runtime_checkable
class HasSettings(Protocol):
    settings: Settings


class TextSocket(ASGIWebSocketAdapter):
    """Sends text frames, which clients expect, also where JSON is made as bytes."""

    async def iter_json(
        self, *, ignore_parsing_errors: bool = False
    ) -> AsyncGenerator[object, None]:
        """Messages as they come, none of them larger than the body of a request may be."""
        assert isinstance(self.view, HasSettings)
        length_max = self.view.settings.body_bytes_max
        while self.ws.application_state is not WebSocketState.DISCONNECTED:
            try:
                text = await self.ws.receive_text()
                if len(text) > length_max:
                    await self.close(1009, "Message too large")
                    return
                message = self.view.decode_json(text)
            except WebSocketDisconnect:
                return
            except KeyError:
                raise NonTextMessageReceived from None
            except JSONDecodeError:
                raise NonJsonMessageReceived from None
            yield message

    async def send_json(self, message: Mapping[str, object]) -> None:
        data = self.view.encode_json(message)
        try:
            await self.ws.send_text(data.decode() if isinstance(data, bytes) else data)
        except (WebSocketDisconnect, RuntimeError) as gone:
            # Starlette raises RuntimeError where we have closed the socket ourselves.
            raise WebSocketDisconnected from gone


class Handler(BaseGraphQLTransportWSHandler[Context | Connection, None]):
    """Strawberry's handler, which would end in a surprise on messages of a wrong shape."""

    async def handle_message(self, message: Message) -> None:
        fault = _fault_of(message)
        if fault is None:
            await super().handle_message(message)
        else:
            await self.handle_invalid_message(fault)

    @staticmethod
    def _get_pre_execution_close_reason(error: GraphQLError) -> str | None:
        """Never: a syntax error is the answer to its operation, not the end of the others."""
        return None


def _fault_of(message: object) -> str | None:
    """What is wrong with a message's shape by the protocol, if anything."""
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        return "A message is an object with a type"
    if message["type"] not in ("subscribe", "complete"):
        return None
    given = message.get("id")
    if not isinstance(given, str) or not 0 < len(given) <= ID_LENGTH_MAX:
        return f"A message needs an id of 1 to {ID_LENGTH_MAX} characters"
    if message["type"] == "complete":
        return None
    payload = message.get("payload")
    if not isinstance(payload, dict) or not isinstance(payload.get("query"), str):
        return "The payload of subscribe is an object with a query"
    payload = cast(dict[str, object], payload)
    if not isinstance(payload.get("variables"), dict | None):
        return "The variables of a payload are an object"
    if not isinstance(payload.get("operationName"), str | None):
        return "The operationName of a payload is text"
    return None
