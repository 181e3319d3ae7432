"""The page behind a printed code: a form to apply by and to follow an application, for anyone."""

from __future__ import annotations

from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import BaseRoute, Route

ASSETS = Path(__file__).parent / "assets"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def apply_routes() -> list[BaseRoute]:
    """The page and its two files, and no others."""
    return [
        Route("/apply", page),
        Route("/apply/apply.js", script),
        Route("/apply/apply.css", style),
    ]


async def page(_: Request) -> Response:
    return HTMLResponse((ASSETS / "apply.html").read_text(encoding="utf-8"), headers=HEADERS)


async def script(_: Request) -> Response:
    return FileResponse(ASSETS / "apply.js", headers=HEADERS)


async def style(_: Request) -> Response:
    return FileResponse(ASSETS / "apply.css", headers=HEADERS)
