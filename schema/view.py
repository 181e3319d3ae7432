"""GraphQL over HTTP, server-sent events and websockets, by the letter of their specifications."""

from __future__ import annotations

import re
from collections.abc import Mapping

import orjson
from cross_web import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.exceptions import ConnectionRejectionError
from strawberry.http import GraphQLHTTPResponse
from strawberry.http.base import BaseRequestProtocol
from strawberry.http.streaming import HTTPStreamTransport, SSETransport
from strawberry.subscriptions import GRAPHQL_SSE_PROTOCOL, GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types.execution import ExecutionResult
from strawberry.types.unset import UNSET, UnsetType

from marketplace.domain.callers import whence
from marketplace.domain.errors import Text, TopLevelError, Unauthenticated
from marketplace.settings import Settings
from schema.context import Connection, Context, context_of, language_of
from schema.engine import TIMEOUT, Schema
from schema.faults import INTERNAL
from schema.graphiql import page
from schema.limits import RATE_LIMITED
from schema.negotiation import (
    GRAPHQL_RESPONSE,
    HTML,
    JSON,
    quality,
    wants_event_stream,
    wants_graphql_response,
)
from schema.websockets import Handler, TextSocket

LOCAL_ORIGIN = re.compile(r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?")
BAD_REQUEST = "BAD_REQUEST"
NO_OBJECT = Text("The request must be a JSON object.", "请求正文必须是 JSON 对象。")
# The status of an answer without data, for clients that take application/graphql-response+json.
STATUS_OF_CODE = {
    "UNAUTHENTICATED": 401,
    "FORBIDDEN": 403,
    RATE_LIMITED: 429,
    INTERNAL: 500,
    TIMEOUT: 503,
}


class LineFeedEvents(SSETransport):
    """Events whose lines end in LF alone: urql looks for an empty line as two of these."""

    def encode_event(self, event: str, data: str | None = None) -> str:
        return super().encode_event(event, data).replace("\r\n", "\n")

    def encode_comment(self, comment: str) -> str:
        return super().encode_comment(comment).replace("\r\n", "\n")


class View(GraphQL[Context | Connection, None]):
    """The endpoint /graphql. Private steps of strawberry's view are widened; the audit pins it."""

    graphql_transport_ws_handler_class = Handler
    websocket_adapter_class = TextSocket
    stream_transport_classes_by_protocol = {GRAPHQL_SSE_PROTOCOL: LineFeedEvents}  # noqa: RUF012

    def __init__(self, schema: Schema, settings: Settings) -> None:
        super().__init__(
            schema,
            graphql_ide="graphiql" if settings.profile == "development" else None,
            subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL, GRAPHQL_SSE_PROTOCOL),
            max_subscriptions_per_connection=settings.subscriptions_per_connection_max,
            allowed_origins=settings.cors_origins,
        )
        self.settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        request = Request(scope, receive)
        language = language_of(request.headers.get("accept-language"), self.settings.language)
        try:
            response = await self.run(request)
        except HTTPException as fault:
            reason = NO_OBJECT.said_in(language) if fault.reason == NO_OBJECT.en else fault.reason
            response = _failed(request, fault.status_code, reason, BAD_REQUEST)
        except TopLevelError as cause:
            status = 401 if isinstance(cause, Unauthenticated) else 403
            response = _failed(request, status, cause.said.said_in(language), cause.code)
        await response(scope, receive, send)

    async def get_context(
        self, request: Request | WebSocket, response: Response | WebSocket
    ) -> Context | Connection:
        headers, database = request.headers, request.app.state.database
        address = whence(request.client.host if request.client else "")
        if isinstance(request, WebSocket):
            return Connection(headers, database, self.settings, address=address)
        return await context_of(
            database,
            self.settings,
            authorization=headers.get("authorization"),
            language=language_of(headers.get("accept-language"), self.settings.language),
            request_id=request.state.request_id,
            idempotency_key=headers.get("idempotency-key"),
            address=address,
            by_get=request.method == "GET",
        )

    async def on_ws_connect(self, context: Context | Connection) -> UnsetType:
        assert isinstance(context, Connection)
        try:
            await context.operation()
        except TopLevelError:
            raise ConnectionRejectionError from None  # closes with 4403, as the protocol says
        acknowledged: UnsetType = UNSET
        return acknowledged

    def is_websocket_origin_allowed(self, request: WebSocket, origin: str) -> bool:
        local = self.settings.profile == "development" and LOCAL_ORIGIN.fullmatch(origin)
        return bool(local) or super().is_websocket_origin_allowed(request, origin)

    # ------------------------------------------------------------ what comes in

    def decode_json(self, data: str | bytes) -> object:
        return orjson.loads(data)

    def parse_json(self, data: str | bytes) -> object:
        value = super().parse_json(data)
        if isinstance(value, dict | list):
            return value
        raise HTTPException(400, NO_OBJECT.en)

    def should_render_graphql_ide(self, request: BaseRequestProtocol) -> bool:
        """Only for those who name text/html: a program that takes anything gets JSON."""
        if request.method != "GET" or request.query_params.get("query") is not None:
            return False
        accept = request.headers.get("accept") or ""
        return quality(accept, HTML) > max(
            0.0, quality(accept, JSON), quality(accept, GRAPHQL_RESPONSE)
        )

    async def render_graphql_ide(self, request: Request) -> Response:
        return page(self.settings)

    def _get_stream_transport_from_headers(
        self, headers: Mapping[str, str]
    ) -> HTTPStreamTransport | None:
        accept = headers.get("accept") or headers.get("Accept") or ""
        return super()._get_stream_transport_from_headers(
            headers if wants_event_stream(accept) else {}
        )

    # ------------------------------------------------------------ what goes out

    def encode_json(self, data: object) -> bytes:
        return orjson.dumps(data)

    async def get_sub_response(self, request: Request | WebSocket) -> Response:
        response = await super().get_sub_response(request)
        response.media_type = _media_type(request)
        return response

    async def process_result(
        self, request: Request, result: ExecutionResult
    ) -> GraphQLHTTPResponse:
        answer = await super().process_result(request, result)
        # A request that failed before it ran has no data at all, not even null.
        if result.data is None and result.errors and all(e.path is None for e in result.errors):
            answer.pop("data", None)
        return answer

    def create_response(
        self,
        response_data: GraphQLHTTPResponse | list[GraphQLHTTPResponse],
        sub_response: Response,
    ) -> Response:
        media_type = sub_response.media_type or JSON
        status = 200
        if media_type == GRAPHQL_RESPONSE and "data" not in response_data:
            status = STATUS_OF_CODE.get(_first(response_data, "code"), 400)
        answer = _answer(response_data, status, media_type)
        if status == 429:
            answer.headers["Retry-After"] = str(_first(response_data, "retryAfterSeconds"))
        return answer


def _failed(request: Request, status: int, message: str, code: str) -> Response:
    """A well-formed GraphQL answer for what is not well-formed GraphQL over HTTP."""
    content = {"errors": [{"message": message, "extensions": {"code": code}}]}
    response = _answer(content, status, _media_type(request))
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _answer(content: object, status: int, media_type: str) -> Response:
    return Response(orjson.dumps(content), status, media_type=f"{media_type}; charset=utf-8")


def _media_type(request: Request | WebSocket) -> str:
    accept = request.headers.get("accept") or ""
    return GRAPHQL_RESPONSE if wants_graphql_response(accept) else JSON


def _first(answer: object, extension: str) -> str:
    """An extension of the first error."""
    assert isinstance(answer, dict)
    for error in answer.get("errors") or ():
        return str(error.get("extensions", {}).get(extension, ""))
    return ""
