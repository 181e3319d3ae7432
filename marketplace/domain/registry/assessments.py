"""An assessment: what a household lives on, what it must spend, and what follows from that.

The formula, version 1. All amounts are whole fen a month for the whole household of n heads, and
every part is rounded down, so that the severity is exactly the sum of what the trace shows:

    severity = 1 + shortfall + burden + groups - property, at least 1 and at most 100
    shortfall  0..54   54 x (1 - left / (2 x line x n)), left = income less rigid expenditure
    burden     0..24   25 x rigid / (rigid + income + line)
    groups     0..20   points of the household's target groups, added up
    property   0..20   20 x what the property exceeds its limit by, as a share of the limit

Less income, more rigid expenditure, less property, one more head or one more group never lowers it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from marketplace.domain.checks import fault, within
from marketplace.domain.errors import Fault, InvalidInput, Text
from marketplace.domain.registry.households import TargetGroup, groups_of

FORMULA_VERSION = "1"
AMOUNT_FEN_MAX = 10_000_000_000  # a hundred million yuan: beyond, someone typed fen for yuan
SHORTFALL_POINTS = 54
BURDEN_POINTS = 25
GROUP_POINTS_MAX = 20
PROPERTY_POINTS = 20
GROUP_POINTS = {
    TargetGroup.ELDERLY_ALONE: 5,
    TargetGroup.ELDERLY_LEFT_BEHIND: 3,
    TargetGroup.CHILD_LEFT_BEHIND: 3,
    TargetGroup.CHILD_WITHOUT_SUPPORT: 6,
    TargetGroup.STUDENT: 2,
    TargetGroup.DISABLED: 5,
    TargetGroup.SEVERELY_ILL: 6,
    TargetGroup.SINGLE_PARENT: 3,
    TargetGroup.DISASTER_AFFECTED: 6,
    TargetGroup.UNEMPLOYED: 2,
}


class EligibilityClass(StrEnum):
    """救助类别: which lane of government assistance a household may take."""

    SUBSISTENCE_ALLOWANCE = "SUBSISTENCE_ALLOWANCE"
    EXTREME_POVERTY = "EXTREME_POVERTY"
    LOW_INCOME_EDGE = "LOW_INCOME_EDGE"
    RIGID_EXPENDITURE = "RIGID_EXPENDITURE"
    NONE = "NONE"


class Area(StrEnum):
    URBAN = "URBAN"
    RURAL = "RURAL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """The lines of one county and area, as published for a year.

    subsistence_fen_month           低保标准, per head
    disposable_income_fen_month     average disposable income, per head
    edge_percent                    low-income edge: income up to so much of the subsistence line
    property_months                 property per head up to so many months of the subsistence line
    edge_property_months            the same for the wider classes
    *_review_months                 a household of this class is looked at again after so many
    rigid_valid_months              a recognition for rigid expenditure runs out after so many
    is_assumption                   no official figure: for trial use only
    """

    version: str
    county_code: str
    area: Area
    valid_from: date
    subsistence_fen_month: int
    disposable_income_fen_month: int
    edge_percent: int
    property_months: int
    edge_property_months: int
    is_assumption: bool
    note: Text
    subsistence_review_months: int = 12
    extreme_review_months: int = 12
    edge_review_months: int = 6
    rigid_review_months: int = 12
    rigid_valid_months: int = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What was found: fen a month for the whole household, property in fen.

    unsupported   nobody in it can work, and nobody is bound and able to support it
    """

    member_count: int
    income_fen_month: int
    property_fen: int
    medical_fen_month: int = 0
    education_fen_month: int = 0
    disability_care_fen_month: int = 0
    housing_fen_month: int = 0
    disaster_fen_month: int = 0
    target_groups: int = 0
    unsupported: bool = False

    @property
    def rigid_fen_month(self) -> int:
        """刚性支出: what cannot be avoided, of every kind."""
        return (
            self.medical_fen_month
            + self.education_fen_month
            + self.disability_care_fen_month
            + self.housing_fen_month
            + self.disaster_fen_month
        )


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the trace; `points` where it adds to the severity or takes from it."""

    code: str
    text: Text
    points: int | None = None

    def row(self) -> dict[str, object]:
        return {"step": self.code, "en": self.text.en, "zh": self.text.zh, "points": self.points}


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessed:
    """What follows, and the lines that it follows from."""

    eligibility_class: EligibilityClass
    severity: int
    policy_version: str
    trace: tuple[Step, ...]
    lines: Lines


def assess(found: Circumstances, lines: Lines) -> Assessed:
    """Class and severity with every step that led there.

    Raises InvalidInput for amounts that no household has.
    """
    faults = list(_faults(found))
    if faults:
        raise InvalidInput(*faults)
    eligibility, reason = _class(found, lines)
    parts = (
        _shortfall(found, lines),
        _burden(found, lines),
        _groups(found),
        _property(found, lines),
    )
    severity = min(100, max(1, 1 + sum(step.points or 0 for step in parts)))
    result = Step(
        "severity",
        Text(
            f"Severity: 1 plus these points, at least 1 and at most 100: {severity}.",
            f"困难程度：1 加以上各项得分，限于 1 至 100，得 {severity}。",
        ),
    )
    return Assessed(
        eligibility_class=eligibility,
        severity=severity,
        policy_version=f"{lines.version}/{lines.area.lower()}/f{FORMULA_VERSION}",
        trace=(_lines_step(lines), reason, *parts, result),
        lines=lines,
    )


def _class(found: Circumstances, lines: Lines) -> tuple[EligibilityClass, Step]:
    n, line = found.member_count, lines.subsistence_fen_month
    income, left = found.income_fen_month, found.income_fen_month - found.rigid_fen_month
    modest = found.property_fen <= lines.property_months * line * n
    wider = found.property_fen <= lines.edge_property_months * line * n
    per_head = yuan(income // n)
    if found.unsupported and income <= line * n and modest:
        return EligibilityClass.EXTREME_POVERTY, _reason(
            "Nobody can work or is bound to give support, and the income per head of "
            f"{per_head} yuan is not above the subsistence line.",
            f"无劳动能力、无法定赡养抚养义务人，人均月收入 {per_head} 元未超过低保标准：特困。",
        )
    if income < line * n and modest:
        return EligibilityClass.SUBSISTENCE_ALLOWANCE, _reason(
            f"The income per head of {per_head} yuan is below the subsistence line, and the "
            "property is within its limit.",
            f"人均月收入 {per_head} 元低于低保标准，财产未超限：低保。",
        )
    if income * 100 <= line * n * lines.edge_percent and wider:
        return EligibilityClass.LOW_INCOME_EDGE, _reason(
            f"The income per head of {per_head} yuan is within {lines.edge_percent} % of the "
            "subsistence line, and the property within the wider limit.",
            f"人均月收入 {per_head} 元未超过低保标准的 {lines.edge_percent}%，"
            "财产未超过放宽后的限额：低保边缘。",
        )
    if income <= lines.disposable_income_fen_month * n and left < line * n and wider:
        return EligibilityClass.RIGID_EXPENDITURE, _reason(
            f"After rigid expenditure {yuan(max(0, left) // n)} yuan per head are left, below the "
            "subsistence line.",
            f"扣除刚性支出后人均余 {yuan(max(0, left) // n)} 元，低于低保标准：刚性支出困难。",
        )
    return EligibilityClass.NONE, _reason(
        f"With an income per head of {per_head} yuan and this property no class applies.",
        f"人均月收入 {per_head} 元，结合财产与刚性支出情况，不属于任何救助类别。",
    )


def _lines_step(lines: Lines) -> Step:
    line, assumed = yuan(lines.subsistence_fen_month), lines.is_assumption
    return Step(
        "lines",
        Text(
            f"Lines {lines.version}, {lines.area.lower()}: subsistence line {line} yuan per head "
            f"and month{' (an assumption, no official figure)' if assumed else ''}.",
            f"采用 {lines.version}（{'城市' if lines.area is Area.URBAN else '农村'}）标准："
            f"低保标准每人每月 {line} 元{'（试用假设值，非官方数据）' if assumed else ''}。",
        ),
    )


def _reason(en: str, zh: str) -> Step:
    return Step("class", Text(en, zh))


def _shortfall(found: Circumstances, lines: Lines) -> Step:
    enough = 2 * lines.subsistence_fen_month * found.member_count
    left = max(0, found.income_fen_month - found.rigid_fen_month)
    points = SHORTFALL_POINTS * max(0, enough - left) // enough
    return Step(
        "shortfall",
        Text(
            f"{yuan(left)} yuan a month are left after rigid expenditure, of {yuan(enough)} that "
            f"{found.member_count} heads need twice the line for: {points} points.",
            f"扣除刚性支出后每月余 {yuan(left)} 元，{found.member_count} 人按两倍低保标准计需 "
            f"{yuan(enough)} 元：{points} 分。",
        ),
        points,
    )


def _burden(found: Circumstances, lines: Lines) -> Step:
    rigid = found.rigid_fen_month
    points = BURDEN_POINTS * rigid // (rigid + found.income_fen_month + lines.subsistence_fen_month)
    return Step(
        "burden",
        Text(
            f"Rigid expenditure of {yuan(rigid)} yuan against {yuan(found.income_fen_month)} yuan "
            f"of income: {points} points.",
            f"刚性支出 {yuan(rigid)} 元，收入 {yuan(found.income_fen_month)} 元：{points} 分。",
        ),
        points,
    )


def _groups(found: Circumstances) -> Step:
    groups = groups_of(found.target_groups)
    points = min(GROUP_POINTS_MAX, sum(GROUP_POINTS[group] for group in groups))
    named = ", ".join(group.lower().replace("_", " ") for group in groups) or "none"
    labels = "、".join(group.label.zh for group in groups) or "无"
    return Step(
        "groups",
        Text(f"Groups: {named}: {points} points.", f"对象类别：{labels}：{points} 分。"),
        points,
    )


def _property(found: Circumstances, lines: Lines) -> Step:
    limit = lines.property_months * lines.subsistence_fen_month * found.member_count
    excess = max(0, found.property_fen - limit)
    points = min(PROPERTY_POINTS, PROPERTY_POINTS * excess // limit)
    return Step(
        "property",
        Text(
            f"Property of {yuan(found.property_fen)} yuan, limit {yuan(limit)}: "
            f"{points} points less.",
            f"财产 {yuan(found.property_fen)} 元，限额 {yuan(limit)} 元：减 {points} 分。",
        ),
        -points,
    )


def yuan(fen: int) -> str:
    """Fen as yuan, without idle zeros.

    >>> yuan(96_000), yuan(105)
    ('960', '1.05')
    """
    return str(fen // 100) if fen % 100 == 0 else f"{fen // 100}.{fen % 100:02d}"


def area_of(village_code: str) -> Area:
    """Urban or rural by the bureau's numbering: committees of residents are 001-199 and 400-499.

    >>> area_of("361027100001"), area_of("361027100200"), area_of("361027100201-2")
    (<Area.URBAN: 'URBAN'>, <Area.RURAL: 'RURAL'>, <Area.RURAL: 'RURAL'>)
    """
    last = village_code[9:12]
    urban = last.isdigit() and (1 <= int(last) <= 199 or 400 <= int(last) <= 499)
    return Area.URBAN if urban else Area.RURAL


def _faults(found: Circumstances) -> Iterator[Fault]:
    yield from within("member_count", found.member_count, 1, 50)
    for name in (
        "income_fen_month",
        "property_fen",
        "medical_fen_month",
        "education_fen_month",
        "disability_care_fen_month",
        "housing_fen_month",
        "disaster_fen_month",
    ):
        yield from within(name, getattr(found, name), 0, AMOUNT_FEN_MAX)
    if found.target_groups < 0 or found.target_groups >> len(TargetGroup):
        yield fault("target_groups", "INVALID", "No such group.", "没有此对象类别。")
