"""The application: routes, the layers around them, and what lives as long as the server does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute

from marketplace.persistence.database import Database
from marketplace.services.chores import run_chores
from marketplace.services.exchange.impact_desk import close_desk
from marketplace.services.health import unready
from marketplace.services.registry.sealing import sealer_of
from marketplace.settings import Settings
from schema.apply_page import apply_routes
from schema.faults import log_surprise
from schema.graphiql import asset_routes
from schema.guard import Bounded, Observed
from schema.metrics import Metrics
from schema.plan_report import PlanReports
from schema.results_print import ResultLists
from schema.root import build_schema
from schema.sight import seen
from schema.view import LOCAL_ORIGIN, View


def create_app(settings: Settings | None = None) -> Starlette:
    """The ASGI application; without settings they are read from the environment."""
    settings = settings or Settings.from_env()
    sealer_of(settings)  # a production server without keys refuses to start, not to answer
    metrics = Metrics()
    schema = build_schema(settings)
    schema.observe = metrics.result
    view = View(schema, settings)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        database = app.state.database = Database(settings.url)
        try:
            async with _worker(database, settings):
                yield
        finally:
            await close_desk(database)
            await database.close()

    routes: list[BaseRoute] = [
        Route("/graphql", view, methods=["GET", "POST"]),
        WebSocketRoute("/graphql", view),
        Route("/healthz", healthz),
        Route("/readyz", readyz),
        Route("/metrics", metrics.page),
        Route("/plans/{reference}/report", PlanReports(settings).page),
        Route("/results/print", ResultLists(settings).page),
    ]
    routes += apply_routes()
    if settings.profile == "development":
        routes += [Route("/", to_graphql), Mount("/assets", routes=asset_routes())]
    return Starlette(lifespan=lifespan, routes=routes, middleware=_layers(settings, metrics))


@asynccontextmanager
async def _worker(database: Database, settings: Settings) -> AsyncIterator[None]:
    """A worker beside the server where the settings ask for one; its job at hand is handed back."""
    if not settings.worker_in_server:
        yield
        return
    stop = asyncio.Event()
    working = asyncio.create_task(run_chores(database, settings, stop=stop, sight=seen))
    working.add_done_callback(_tell)
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait([working])


def _tell(working: asyncio.Task[None]) -> None:
    """A worker outlives every error that it knows; one that it does not know must be heard of."""
    if not working.cancelled() and (cause := working.exception()) is not None:
        log_surprise(cause, "worker")


def _layers(settings: Settings, metrics: Metrics) -> list[Middleware]:
    return [
        Middleware(
            CORSMiddleware,  # outermost, so that a browser can read every answer
            allow_origins=settings.cors_origins,
            allow_origin_regex=LOCAL_ORIGIN.pattern if settings.profile == "development" else None,
            allow_methods=["GET", "POST"],
            allow_headers=[
                "Accept-Language",
                "Authorization",
                "Content-Type",
                "Idempotency-Key",
                "X-Request-Id",
            ],
            expose_headers=["X-Request-Id"],
            max_age=3600,
        ),
        Middleware(Observed, metrics=metrics, settings=settings),
        Middleware(Bounded, settings=settings),
    ]


async def healthz(request: Request) -> Response:
    """The process runs."""
    return JSONResponse({"status": "ok"})


async def readyz(request: Request) -> Response:
    """The process can do its work."""
    reason = await unready(request.app.state.database)
    if reason is None:
        return JSONResponse({"status": "ready"})
    return JSONResponse({"status": "unready", "reason": reason}, status_code=503)


async def to_graphql(request: Request) -> Response:
    return RedirectResponse("/graphql")
