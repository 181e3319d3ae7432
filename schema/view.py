"""GraphQL over HTTP, server-sent events and websockets, by the letter of their specifications."""

from __future__ import annotations

import uuid

from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL

from marketplace.settings import Settings
from schema.context import Context, digest_of_key, given_request_id, language_of, viewer_of
from schema.engine import Schema


class View(GraphQL[Context, None]):
    """The endpoint /graphql."""

    def __init__(self, schema: Schema, settings: Settings) -> None:
        super().__init__(
            schema,
            graphql_ide="graphiql" if settings.profile == "development" else None,
            subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL,),
            max_subscriptions_per_connection=settings.subscriptions_per_connection_max,
        )
        self.settings = settings

    async def get_context(
        self, request: Request | WebSocket, response: Response | WebSocket
    ) -> Context:
        headers = request.headers
        database = request.app.state.database
        language = language_of(headers.get("accept-language"), self.settings.language)
        digest = digest_of_key(headers.get("authorization"))
        return Context(
            viewer=await viewer_of(database, digest, language),
            database=database,
            settings=self.settings,
            request_id=given_request_id(headers.get("x-request-id")) or uuid.uuid4().hex,
            idempotency_key=headers.get("idempotency-key"),
            language=language,
            key_digest=digest,
        )
