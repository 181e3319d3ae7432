"""The application: routes, and what lives as long as the server does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute

from marketplace.persistence.database import Database
from marketplace.settings import Settings
from schema.root import build_schema
from schema.view import View


def create_app(settings: Settings | None = None) -> Starlette:
    """The ASGI application; without settings they are read from the environment."""
    settings = settings or Settings.from_env()

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        app.state.database = Database(settings.url)
        try:
            yield
        finally:
            await app.state.database.close()

    view = View(build_schema(settings), settings)
    return Starlette(
        lifespan=lifespan,
        routes=[
            Route("/graphql", view, methods=["GET", "POST"]),
            WebSocketRoute("/graphql", view),
            Route("/healthz", healthz),
        ],
    )


async def healthz(request: Request) -> Response:
    return JSONResponse({"status": "ok"})
