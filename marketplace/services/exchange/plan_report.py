"""A plan's report: who may read it, and its page, which a process of its own makes."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from marketplace.domain.errors import Conflict, Language, NotFound, Text
from marketplace.domain.exchange.plans import PlanStatus
from marketplace.domain.permissions import Viewer
from marketplace.domain.states import in_chinese
from marketplace.persistence.database import Database, Row
from marketplace.persistence.exchange import plans
from marketplace.services.exchange import plan_records
from marketplace.services.exchange.plans import check_reader
from marketplace.services.reports.drawing import CannotDraw, check_can_draw

CHILD = "marketplace.services.exchange.plan_report_child"
TOO_LATE = Text(
    "The picture was not drawn in time. Try again later.", "未能及时生成图示，请稍后重试。"
)
SHOWN = frozenset({PlanStatus.PROPOSED, PlanStatus.APPROVED, PlanStatus.DISCARDED})


class Gone(Conflict):
    """The market that a plan was made from is let go of after some time; so is its picture."""

    code = "GONE"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Reportable:
    """A plan that its reader may see and that is there to be shown."""

    plan_id: int
    row: Row

    @property
    def left_aside(self) -> Sequence[Mapping[str, object]] | None:
        return cast("Sequence[Mapping[str, object]] | None", self.row["left_aside"])

    @property
    def proof(self) -> Mapping[str, object] | None:
        return cast("Mapping[str, object] | None", self.row["proof"])


async def reportable(
    database: Database, viewer: Viewer, plan_id: int, *, year: int | None = None
) -> Reportable:
    """The plan, if this viewer may read plans and it is finished.

    year   of the reference that it was asked for by: must be the plan's

    Raises Unauthenticated, Forbidden, NotFound, or Conflict (NOT_FINISHED, FAILED).
    """
    async with database.read() as db:
        row = await plans.find(db, plan_id)
    check_reader(viewer, row)
    if row is None or (year is not None and row["created_at"].year != year):
        raise NotFound
    status = PlanStatus(row["status"])
    if status in SHOWN:
        return Reportable(plan_id=plan_id, row=row)
    if status in (PlanStatus.QUEUED, PlanStatus.RUNNING):
        raise Conflict.of(
            "", "The plan is still being computed. Try again in a minute.",
            "方案仍在计算中，请稍后再试。", code="NOT_FINISHED",
        )  # fmt: skip
    raise Conflict.of(
        "", f"The plan is {status}: there is nothing to show. Create another one.",
        f"方案状态为{in_chinese(status)}，没有可显示的内容，请重新创建方案。", code="FAILED",
    )  # fmt: skip


async def page(
    database: Database,
    plan: Reportable,
    *,
    proof: str,
    proven: bool,
    language: Language,
    deadline_s: float,
) -> str:
    """The page as HTML. A child reads, counts and draws: the drawing engine stops all else.

    proof    the plan's proof in one sentence, in the reader's language

    Raises Gone where the plan's market is let go of, CannotDraw without the extra `report`, or
    where it takes longer than the deadline.
    """
    check_can_draw()
    asked = {
        "database_url": database.url.render_as_string(hide_password=False),
        "plan_id": plan.plan_id,
        "proof": proof,
        "proven": proven,
        "language": language,
    }
    answer = await _asked(json.dumps(asked).encode(), deadline_s)
    html: str | None = json.loads(answer)["html"]
    if html is not None:
        return html
    days = plan_records.KEPT_FOR.days
    raise Gone.of(
        "",
        f"What this plan was made from is kept for {days} days and is let go of. Its totals "
        "and its proof stay in the API.",
        f"方案所依据的数据保存 {days} 天，现已清除；其汇总与证明仍可通过接口查询。",
    )


async def _asked(request: bytes, deadline_s: float) -> bytes:
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", CHILD, stdin=pipe, stdout=pipe
    )
    try:
        async with asyncio.timeout(deadline_s):
            answer, _ = await child.communicate(request)
    except TimeoutError:
        raise CannotDraw(TOO_LATE) from None
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode != 0:
        raise RuntimeError(f"The process that draws plans ended with {child.returncode}.")
    return answer
