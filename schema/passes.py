"""Pages for a browser that cannot send a key: whose link it is, and how a page is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from html import escape

import sqlalchemy as sa
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from marketplace.domain.errors import Language, Text, Unauthenticated
from marketplace.persistence.tables.house import api_keys
from marketplace.services.exchange.report_links import account_of
from marketplace.settings import Settings
from schema.context import Context, context_of, viewer_of
from schema.guard import refusal
from schema.negotiation import HTML, JSON, quality

HEADERS = {
    "Cache-Control": "private, no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Vary": "Accept-Language, Authorization",
}
PLAIN_POLICY = "default-src 'none'; frame-ancestors 'none'"


async def context_by_key_or_pass(
    request: Request,
    settings: Settings,
    language: Language,
    *,
    digest_of: Callable[[str, Sequence[str]], str | None],
    ended: Text,
) -> Context:
    """The viewer by the Authorization header, or by the pass of a link.

    digest_of    from a pass and the digests of its account's keys to the one that it was made with
    ended        what to say where the pass is none, or no longer good

    Raises Unauthenticated.
    """
    context = await context_of(
        request.app.state.database,
        settings,
        authorization=request.headers.get("authorization"),
        language=language,
        by_get=True,
    )
    passed = request.query_params.get("pass")
    if context.key_digest is not None or passed is None:
        return context
    account_id = account_of(passed, now=context.database.now())
    if account_id is None:
        raise Unauthenticated(ended)
    async with context.database.read() as db:
        rows = await db.rows(
            sa.select(api_keys.c.digest).where(api_keys.c.account_id == account_id)
        )
    digest = digest_of(passed, [row["digest"] for row in rows])
    if digest is None:
        raise Unauthenticated(ended)
    viewer = await viewer_of(context.database, digest, language)
    return replace(context, viewer=viewer, key_digest=digest)


def refused(
    request: Request, code: str, text: Text, language: Language, statuses: Mapping[str, int]
) -> Response:
    """As a small page, or as JSON for those who like it better; 503 for a code without a status."""
    status = statuses.get(code, 503)
    said = text.said_in(language)
    accept = request.headers.get("accept") or ""
    if quality(accept, JSON) > quality(accept, HTML):
        response = refusal(status, said, code)
    else:
        body = (
            f'<!doctype html><html lang="{language}"><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>Aidloop · {status}</title><main><h1>{status}</h1>"
            f"<p>{escape(said)}</p></main></html>"
        )
        response = HTMLResponse(body, status)
        response.headers["Content-Security-Policy"] = PLAIN_POLICY
    response.headers.update(HEADERS)
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response
