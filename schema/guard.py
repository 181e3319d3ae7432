"""The outer ASGI layers: request ids, metrics, a last answer to surprises, body limits."""

from __future__ import annotations

import asyncio
import time

import orjson
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from marketplace.domain.errors import Language, Text
from marketplace.settings import Settings
from schema.context import given_request_id, language_of, new_request_id
from schema.faults import INTERNAL, SURPRISE, log_surprise
from schema.metrics import Metrics

TOO_LARGE = Text(
    "The request body is larger than {} bytes. Send less at once.",
    "请求正文超过 {} 字节，请减少一次发送的内容。",
)
TOO_LATE = Text(
    "The request body did not arrive within {} seconds. Try again on a better connection.",
    "请求正文未能在 {} 秒内送达，请在网络良好时重试。",
)


class Observed:
    """Gives each request its id, measures it, and answers what nobody foresaw with a masked 500."""

    def __init__(self, app: ASGIApp, metrics: Metrics, settings: Settings) -> None:
        self.app = app
        self.metrics = metrics
        self.settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            with self.metrics.socket():
                await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        request_id = given_request_id(headers.get("x-request-id")) or new_request_id()
        scope.setdefault("state", {})["request_id"] = request_id
        status = 0

        async def observed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-Id"] = request_id
            await send(message)

        started = time.perf_counter()
        with self.metrics.request():
            try:
                await self.app(scope, receive, observed)
            except Exception as surprise:
                log_surprise(surprise, request_id, route=scope["path"])
                if status:  # too late for another answer; the server closes the connection
                    raise
                language = _language(headers, self.settings)
                message = SURPRISE.said_in(language).format(request_id)
                await refusal(500, message, INTERNAL, requestId=request_id)(
                    scope, receive, observed
                )
            finally:
                self.metrics.done(scope["path"], status, time.perf_counter() - started)


class Bounded:
    """Takes in a body of limited size within limited time before anything else sees it."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        limit, deadline_s = self.settings.body_bytes_max, self.settings.body_deadline_s
        language = _language(headers, self.settings)
        try:
            async with asyncio.timeout(deadline_s):
                body = await _body(headers, receive, limit)
        except TimeoutError:
            text = TOO_LATE.said_in(language).format(deadline_s)
            await refusal(408, text, "REQUEST_TIMEOUT", close=True)(scope, receive, send)
            return
        except _TooLarge:
            text = TOO_LARGE.said_in(language).format(limit)
            await refusal(413, text, "BODY_TOO_LARGE", close=True)(scope, receive, send)
            return
        if body is not None:  # None: the client went away
            await self.app(scope, _again(body, receive), send)


def refusal(
    status: int, message: str, code: str, *, close: bool = False, **extensions: str
) -> Response:
    """An answer in the shape of GraphQL's errors, for what never came as far as GraphQL."""
    content = {"errors": [{"message": message, "extensions": {"code": code, **extensions}}]}
    headers = {"Connection": "close"} if close else None
    return Response(orjson.dumps(content), status, headers, "application/json; charset=utf-8")


class _TooLarge(Exception):
    pass


async def _body(headers: Headers, receive: Receive, limit: int) -> bytes | None:
    announced = headers.get("content-length", "0")
    if announced.isdecimal() and int(announced[:20]) > limit:
        raise _TooLarge
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        part = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise _TooLarge
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)


def _again(body: bytes, receive: Receive) -> Receive:
    """The body once more as one message, then whatever the client does next."""
    told = False

    async def again() -> Message:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def _language(headers: Headers, settings: Settings) -> Language:
    return language_of(headers.get("accept-language"), settings.language)
