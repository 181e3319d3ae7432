"""An assessment in plain words: for the household itself, and for whoever has to explain it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from marketplace.domain.errors import Language, Text
from marketplace.domain.registry.assessments import EligibilityClass

NAMES = {
    EligibilityClass.SUBSISTENCE_ALLOWANCE: Text("subsistence allowance", "低保"),
    EligibilityClass.EXTREME_POVERTY: Text("extreme poverty", "特困"),
    EligibilityClass.LOW_INCOME_EDGE: Text("low-income edge", "低保边缘"),
    EligibilityClass.RIGID_EXPENDITURE: Text("poor by rigid expenditure", "刚性支出困难"),
    EligibilityClass.NONE: Text("none", "不属于救助对象"),
}


def told(
    trace: object,
    *,
    computed: EligibilityClass,
    override: EligibilityClass | None,
    override_reason: str | None,
    valid_until: date | None,
    has_lapsed: bool,
    due_on: date | None,
    language: Language,
) -> list[str]:
    """Sentences in the order in which the class and the severity came about.

    trace      as it was kept: a list of {"step", "en", "zh", "points"}; anything else tells nothing
    override   the class that a second person approved instead, if any
    """
    said = [str(step["zh" if language == "zh-CN" else "en"]) for step in _steps(trace)]
    more = [*_overridden(computed, override, override_reason)]
    more += _validity(override or computed, valid_until, has_lapsed)
    if due_on is not None:
        more.append(
            Text(
                f"The household is looked at again on {due_on}, or earlier when things change.",
                f"下次复核日期为 {due_on}，家庭情况有变化时可提前。",
            )
        )
    more.append(
        Text(
            "Whoever holds this to be wrong may appeal; another person then decides.",
            "如对结果有异议，可以提出申诉，由其他工作人员重新审定。",
        )
    )
    return [*said, *(text.said_in(language) for text in more)]


def _steps(trace: object) -> Sequence[dict[str, object]]:
    return trace if isinstance(trace, list) else []


def _overridden(
    computed: EligibilityClass, override: EligibilityClass | None, reason: str | None
) -> list[Text]:
    if override is None:
        return []
    was, now, why = NAMES[computed], NAMES[override], reason or ""
    return [
        Text(
            f"Two people set the class to {now.en} instead of the computed {was.en}: {why}",
            f"经两人审定，类别由测算的“{was.zh}”调整为“{now.zh}”：{why}",
        )
    ]


def _validity(of: EligibilityClass, until: date | None, has_lapsed: bool) -> list[Text]:
    if until is None:
        return []
    name = NAMES[of]
    if has_lapsed:
        return [
            Text(
                f"The recognition ({name.en}) ran out on {until}; until the household is assessed "
                "anew it has no class.",
                f"“{name.zh}”认定已于 {until} 到期，重新核对前不再属于该类别。",
            )
        ]
    return [
        Text(f"The recognition ({name.en}) holds until {until}.", f"“{name.zh}”认定至 {until}。")
    ]
