"""How messages reach households: the console, or a webhook such as that of an SMS gateway."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import orjson

from marketplace.services.outbound import Unreachable, post
from marketplace.services.signing import signed_headers
from marketplace.settings import Settings

log = logging.getLogger("aidloop.messages")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One message in the clear, for as long as it takes to send it.

    key    the same at every attempt, so that the other side can tell a repetition
    """

    key: str
    kind: str
    phone: str
    text: str
    created_at: datetime

    def __repr__(self) -> str:
        return f"Outgoing(key={self.key!r}, kind={self.kind!r})"  # never the phone, never the text


class NotSent(Exception):
    """The channel did not take it; `word` says why, and it is tried again."""

    def __init__(self, word: str) -> None:
        super().__init__(word)
        self.word = word


class Channel(Protocol):
    """Takes messages one by one; returning means that it took this one. Raises NotSent."""

    @property
    def name(self) -> str: ...

    async def send(self, message: Outgoing, *, now: datetime) -> None: ...


def channel_of(settings: Settings) -> Channel:
    """The channel that the settings name."""
    if settings.message_channel == "webhook":
        return WebhookChannel(settings.message_webhook_url, settings.message_webhook_secret)
    return ConsoleChannel(shows_text=settings.profile == "development")


@dataclass(frozen=True, slots=True)
class ConsoleChannel:
    """Says that a message was sent; what it says, and to whom, only in development."""

    shows_text: bool
    name: str = "console"

    async def send(self, message: Outgoing, *, now: datetime) -> None:
        if self.shows_text:
            print(f"[{message.kind}] {message.phone}: {message.text}", flush=True)  # noqa: T201
        else:
            log.warning(
                "a message (%s) went no further than this log: set AIDLOOP_MESSAGE_CHANNEL=webhook",
                message.kind,
            )


@dataclass(frozen=True, slots=True)
class ReplayChannel:
    """Takes everything and says nothing: for times that are lived through again, as in the demo."""

    name: str = "replay"

    async def send(self, message: Outgoing, *, now: datetime) -> None:
        return None


@dataclass(frozen=True, slots=True)
class WebhookChannel:
    """Posts a message to the operator's own gateway, signed as Standard Webhooks are."""

    url: str
    secret: str
    name: str = "webhook"

    def __repr__(self) -> str:
        return f"WebhookChannel({self.url!r})"

    async def send(self, message: Outgoing, *, now: datetime) -> None:
        body = orjson.dumps(
            {
                "type": "message.send",
                "timestamp": message.created_at.isoformat(),
                "data": {"to": message.phone, "text": message.text, "kind": message.kind},
            }
        )
        key = f"msg_{message.key}"
        headers = signed_headers([self.secret], message_key=key, now=now, body=body)
        headers["Idempotency-Key"] = key
        try:
            # The operator chose the gateway, which often stands in the own network.
            status = await post(self.url, body, headers, private_allowed=True)
        except Unreachable as gone:
            raise NotSent(gone.word) from None
        if not 200 <= status < 300:
            raise NotSent(f"HTTP_{status}")
