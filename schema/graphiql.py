"""GraphiQL in the browser, from an installed package: nothing is fetched from elsewhere."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from marketplace.settings import Settings

# A Python distribution that ships GraphiQL 2 and React as they are built; its Django parts are
# never imported.
PACKAGE = "graphene_django_graphiql_static"
BUILT = (
    "react.production.min.js",
    "react-dom.production.min.js",
    "graphiql.min.js",
    "graphiql.min.css",
    "graphql-ws.min.js",
)
OWN = ("graphiql.js", "graphiql.css")
ASSETS = Path(__file__).parent / "assets"
# GraphiQL writes styles into elements and carries its fonts in its style sheet.
POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self' data:; "
    "img-src 'self' data:; connect-src 'self' ws: wss:; frame-ancestors 'none'; base-uri 'none'"
)
PAGE_HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
A_WEEK = {"Cache-Control": "public, max-age=604800", "X-Content-Type-Options": "nosniff"}


def built_assets() -> Path | None:
    """The folder with GraphiQL's files, or None where the package is not installed whole."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(next(iter(spec.submodule_search_locations))) / "static" / PACKAGE
    return folder if all((folder / name).is_file() for name in BUILT) else None


def page(settings: Settings) -> Response:
    """GraphiQL with the example queries in its first tab; without it, how else to go on."""
    if built_assets() is None:
        return HTMLResponse(_read("without_graphiql.html"), headers=PAGE_HEADERS)
    # In a script element only "<" could end the data early.
    examples = orjson.dumps(_read("examples.graphql")).replace(b"<", b"\\u003c").decode()
    return HTMLResponse(
        _read("graphiql.html").replace("{{examples}}", examples), headers=PAGE_HEADERS
    )


def asset_routes() -> list[BaseRoute]:
    """Routes of the files that the page needs, and of no others."""
    return [Route("/{name}", asset)]


async def asset(request: Request) -> Response:
    """One of the named files; anything else is not found."""
    name = request.path_params["name"]
    if name in OWN:
        return FileResponse(ASSETS / name, headers=A_WEEK)
    built = built_assets()
    if name in BUILT and built is not None:
        return FileResponse(built / name, headers=A_WEEK)
    raise HTTPException(404)


def _read(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")
