"""loopStatistics: what the closed loop came to in a span of days, computed from the records."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import strawberry
from strawberry import ID

from marketplace.domain.ids import key_of
from marketplace.domain.oversight.statistics import Figure, Span
from marketplace.services.oversight import statistics
from schema.payloads import Info

FROM = "The first day, by the county's calendar (UTC+8)."
TO = "The last day, included; at most ten years after the first."
REGION = (
    "Only this region with all below it; left out: everywhere. Officers are told exactly of their "
    "own; everyone else of counties, and of townships by whole quarters."
)
HIDDEN = " Null where it is of so few households that you are not told."


@strawberry.type(
    description="Figures of the closed loop in a span of days. For everyone but officers of the "
    "region and supervision, a figure with one to four households behind it is null; of a "
    "township, if that is so of any township of its county in any quarter, so that no difference "
    "of two answers tells of fewer."
)
class LoopStatistics:
    person_times_checked: int | None = strawberry.field(
        description="排查匹配人次: people of households in the three monitored categories, each "
        "time they were checked, by `monitoringCheckRecord` and the day of the check." + HIDDEN
    )
    subsistence_allowance_enrolled: int | None = strawberry.field(
        description="新纳入低保人数: people of households that were granted the subsistence "
        "allowance for the first time, by the day of the decision. People are those of the "
        "assessment that stood then." + HIDDEN
    )
    temporary_assistance_granted: int | None = strawberry.field(
        description="临时救助人数: people of households that were granted temporary assistance, "
        "each household once however often, by the day of the decision." + HIDDEN
    )
    person_times_helped_by_charity: int | None = strawberry.field(
        description="慈善救助人次: people of the household, for every delivery that was confirmed "
        "with something received, by the day of the confirmation." + HIDDEN
    )
    visits: int | None = strawberry.field(
        description="探访服务人次: people reached by home visits, free clinics, doorstep haircuts "
        "and wish trips, each time, by the day of the visit." + HIDDEN
    )
    acknowledged_in_time_share: float | None = strawberry.field(
        description="Share, 0 to 1, of the deliveries confirmed in this span whose results all "
        "desks acknowledged in time; those that are not yet due are left out. Null without any."
    )
    median_days_from_need_to_delivery: float | None = strawberry.field(
        description="Median of days from writing a need down to handing over, over the deliveries "
        "confirmed in this span. Null without any."
    )


@strawberry.type
class StatisticsQuery:
    @strawberry.field(
        description="What the closed loop came to from one day to another; for everyone, with "
        "figures of few households hidden from who need not know."
    )
    async def loop_statistics(
        self,
        info: Info,
        from_: Annotated[date, strawberry.argument(name="from", description=FROM)],
        to: Annotated[date, strawberry.argument(description=TO)],
        region_id: Annotated[ID | None, strawberry.argument(description=REGION)] = None,
    ) -> LoopStatistics:
        asked = statistics.Ask(
            span=Span(first=from_, last=to),
            region_id=None if region_id is None else key_of("Region", region_id),
        )
        found = await statistics.loop(info.context.database, info.context.viewer, asked)
        return LoopStatistics(
            person_times_checked=found.persons[Figure.CHECKED],
            subsistence_allowance_enrolled=found.persons[Figure.ENROLLED],
            temporary_assistance_granted=found.persons[Figure.TEMPORARY],
            person_times_helped_by_charity=found.persons[Figure.HELPED],
            visits=found.persons[Figure.VISITS],
            acknowledged_in_time_share=found.acknowledged_in_time,
            median_days_from_need_to_delivery=found.median_days,
        )
