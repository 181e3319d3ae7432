"""GET /plans/{reference}/report: the picture of a plan as a page, for those who may read plans."""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from marketplace.domain.errors import DomainError, Language, NotFound, Text, TopLevelError
from marketplace.services.exchange import plan_records, plan_report
from marketplace.services.exchange.report_links import key_of_pass
from marketplace.services.registry.sealing import sealer_of
from marketplace.services.reports.drawing import CannotDraw
from marketplace.services.reports.style import page_policy
from marketplace.settings import Settings
from schema.context import Context, language_of
from schema.exchange.plans_proof import proof_of
from schema.passes import HEADERS, context_by_key_or_pass, refused

REFERENCE = re.compile(r"M-(\d{4})-(\d{6,18})")
PAGES_KEPT = 16
STATUS_OF_CODE = {
    "UNAUTHENTICATED": 401,
    "FORBIDDEN": 403,
    "NOT_FOUND": 404,
    "NOT_FINISHED": 409,
    "FAILED": 409,
    "GONE": 410,
}

Key = tuple[int, str, Language]


class PlanReports:
    """The endpoint. One page is drawn at a time; the last ones are kept, who may read is not."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.drawing = asyncio.Lock()
        self.pages: OrderedDict[Key, str] = OrderedDict()

    async def page(self, request: Request) -> Response:
        """The page, or why not, in the language that the browser asks for."""
        language = language_of(request.headers.get("accept-language"), self.settings.language)
        try:
            plan_id, year = _plan_of(request.path_params["reference"])
            context = await self._context(request, plan_id, language)
            html = await self._page(context, plan_id, year)
        except TopLevelError as cause:
            return refused(request, cause.code, cause.said, language, STATUS_OF_CODE)
        except DomainError as cause:
            fault = cause.faults[0]
            return refused(request, fault.code, fault.text, language, STATUS_OF_CODE)
        except CannotDraw as cause:
            return refused(request, "UNAVAILABLE", cause.said, language, STATUS_OF_CODE)
        policy = f"{page_policy()}; frame-ancestors 'none'"
        sent = HEADERS | {"Content-Security-Policy": policy, "Content-Language": language}
        return HTMLResponse(html, headers=sent)

    async def _context(self, request: Request, plan_id: int, language: Language) -> Context:
        """By the Authorization header, or by a link's pass. Raises Unauthenticated."""

        def digest_of(passed: str, digests: Sequence[str]) -> str | None:
            return key_of_pass(sealer_of(self.settings), passed, plan_id=plan_id, digests=digests)

        return await context_by_key_or_pass(
            request, self.settings, language, digest_of=digest_of, ended=_LINK_ENDED
        )

    async def _page(self, context: Context, plan_id: int, year: int) -> str:
        plan = await plan_report.reportable(context.database, context.viewer, plan_id, year=year)
        key = (plan_id, str(plan.row["status"]), context.language)
        if not await plan_records.is_kept(context.database, plan_id):
            self._forget(plan_id)  # the page shows what was let go of; drawing tells so
        if key in self.pages:
            self.pages.move_to_end(key)
            return self.pages[key]
        async with self.drawing:
            if key not in self.pages:
                self.pages[key] = await self._drawn(context, plan)
                while len(self.pages) > PAGES_KEPT:
                    self.pages.popitem(last=False)
            return self.pages[key]

    def _forget(self, plan_id: int) -> None:
        for key in [key for key in self.pages if key[0] == plan_id]:
            del self.pages[key]

    async def _drawn(self, context: Context, plan: plan_report.Reportable) -> str:
        proof = proof_of(context, plan.proof, plan.left_aside)
        return await plan_report.page(
            context.database,
            plan,
            proof="–" if proof is None else proof.sentence,
            proven=proof is not None and proof.optimal,
            language=context.language,
            deadline_s=self.settings.operation_timeout_s,
        )


_LINK_ENDED = Text(
    "This link has ended, or was changed. Ask for a new one: Plan.reportLink.",
    "链接已失效或不完整，请重新获取（Plan.reportLink）。",
)


def _plan_of(text: str) -> tuple[int, int]:
    found = REFERENCE.fullmatch(text)
    if found is None or not text.isascii():
        raise NotFound
    return int(found[2]), int(found[1])
