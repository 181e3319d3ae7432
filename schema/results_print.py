"""GET /results/print: a desk's list of results to print and sign, and the link to it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated

import strawberry
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from marketplace.domain.errors import DomainError, InvalidInput, Language, Text, TopLevelError
from marketplace.services.exchange import results_list
from marketplace.services.exchange.results_list import ResultsAsked
from marketplace.services.exchange.results_page import html
from marketplace.services.registry.sealing import sealer_of
from marketplace.services.reports.style import page_policy
from marketplace.settings import Settings
from schema.context import language_of
from schema.passes import HEADERS, context_by_key_or_pass, refused
from schema.payloads import Info

STATUS_OF_CODE = {
    "UNAUTHENTICATED": 401,
    "FORBIDDEN": 403,
    "INVALID": 400,
    "TOO_LARGE": 400,
}
_LINK_ENDED = Text(
    "This link has ended, or was changed. Ask for a new one: resultsPrintLink.",
    "链接已失效或不完整，请重新获取（resultsPrintLink）。",
)


class ResultLists:
    """The endpoint; each request reads anew, so that what is printed is as of now."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    async def page(self, request: Request) -> Response:
        """The page, or why not, in the language that the browser asks for."""
        language = language_of(request.headers.get("accept-language"), self.settings.language)
        try:
            body = await self._page(request, language)
        except TopLevelError as cause:
            return refused(request, cause.code, cause.said, language, STATUS_OF_CODE)
        except DomainError as cause:
            fault = cause.faults[0]
            return refused(request, fault.code, fault.text, language, STATUS_OF_CODE)
        policy = f"{page_policy()}; frame-ancestors 'none'"
        sent = HEADERS | {"Content-Security-Policy": policy, "Content-Language": language}
        return HTMLResponse(body, headers=sent)

    async def _page(self, request: Request, language: Language) -> str:
        asked = _asked(request)

        def digest_of(passed: str, digests: Sequence[str]) -> str | None:
            sealer = sealer_of(self.settings)
            return results_list.key_of_pass(sealer, passed, asked, digests=digests)

        context = await context_by_key_or_pass(
            request, self.settings, language, digest_of=digest_of, ended=_LINK_ENDED
        )
        return html(await results_list.printed(context.database, context.viewer, asked), language)


@strawberry.type
class ResultsPrintQuery:
    @strawberry.field(
        description="Path of your desk's list of results for a browser, on this server, to be "
        "printed and signed: good for 30 minutes and only as long as the key that asked for it; "
        "whoever has it can open it. It names nobody. At most 1,000 results."
    )
    async def results_print_link(
        self,
        info: Info,
        from_: Annotated[
            date, strawberry.argument(name="from", description="The first day, by the calendar.")
        ],
        to: Annotated[date, strawberry.argument(description="The last day, included.")],
        only_waiting: Annotated[
            bool, strawberry.argument(description="Only what your desk has not acknowledged.")
        ] = False,
    ) -> str | None:
        context = info.context
        asked = ResultsAsked(starts_on=from_, ends_on=to, only_waiting=only_waiting)
        results_list.check_asked(context.database, context.viewer, asked)
        if context.viewer.account_id is None or context.key_digest is None:
            return None
        return results_list.link(
            sealer_of(context.settings),
            asked,
            account_id=context.viewer.account_id,
            key_digest=context.key_digest,
            now=context.database.now(),
        )


def _asked(request: Request) -> ResultsAsked:
    """Which list the address names. Raises InvalidInput."""
    given = request.query_params
    try:
        return ResultsAsked(
            starts_on=date.fromisoformat(given.get("from", "")),
            ends_on=date.fromisoformat(given.get("to", "")),
            only_waiting=given.get("waiting") == "1",
        )
    except ValueError:
        raise InvalidInput.of(
            "from",
            "Give the first and the last day as from=2026-11-01&to=2026-11-30.",
            "请以 from=2026-11-01&to=2026-11-30 的形式给出起止日期。",
        ) from None
