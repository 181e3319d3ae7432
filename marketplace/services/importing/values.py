"""Cells as values of the domain: codes, labels in both languages, yuan, and days."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import TypeVar

from marketplace.domain.days import COUNTY_TIME
from marketplace.domain.errors import Text
from marketplace.domain.registry.categories import CategoryKind
from marketplace.domain.registry.households import (
    GROUP_LABELS,
    MonitoringCategory,
    Relation,
    TargetGroup,
    group_mask,
)
from marketplace.domain.registry.organizations import OrganizationKind
from marketplace.services.importing.cells import BadCell, items

DAY = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")
FEN_MAX = 10**15

RELATIONS = {
    "户主": Relation.SELF,
    "本人": Relation.SELF,
    "配偶": Relation.SPOUSE,
    "妻": Relation.SPOUSE,
    "夫": Relation.SPOUSE,
    "子": Relation.CHILD,
    "女": Relation.CHILD,
    "子女": Relation.CHILD,
    "儿子": Relation.CHILD,
    "女儿": Relation.CHILD,
    "父": Relation.PARENT,
    "母": Relation.PARENT,
    "父母": Relation.PARENT,
    "父亲": Relation.PARENT,
    "母亲": Relation.PARENT,
    "孙子": Relation.GRANDCHILD,
    "孙女": Relation.GRANDCHILD,
    "孙子女": Relation.GRANDCHILD,
    "祖父母": Relation.GRANDPARENT,
    "祖父": Relation.GRANDPARENT,
    "祖母": Relation.GRANDPARENT,
    "兄弟姐妹": Relation.SIBLING,
    "兄弟": Relation.SIBLING,
    "姐妹": Relation.SIBLING,
    "其他": Relation.OTHER,
}
GROUPS = {label.zh: group for group, label in GROUP_LABELS.items()}
MONITORING = {
    "脱贫不稳定户": MonitoringCategory.UNSTABLY_OUT_OF_POVERTY,
    "边缘易致贫户": MonitoringCategory.MARGINAL,
    "突发严重困难户": MonitoringCategory.SUDDEN_SEVERE_HARDSHIP,
}
ORGANIZATION_KINDS = {
    "慈善组织": OrganizationKind.CHARITY,
    "爱心企业": OrganizationKind.ENTERPRISE,
    "企业": OrganizationKind.ENTERPRISE,
    "志愿服务队": OrganizationKind.VOLUNTEER_GROUP,
    "志愿服务组织": OrganizationKind.VOLUNTEER_GROUP,
    "社会组织": OrganizationKind.SOCIAL_ORGANIZATION,
    "慈善总会": OrganizationKind.FEDERATION,
}
KINDS = {
    "物资": CategoryKind.GOODS,
    "资金": CategoryKind.CASH,
    "服务": CategoryKind.SERVICE,
}

Word = TypeVar("Word", bound=StrEnum)


def relation(cell: str) -> Relation:
    return _word(cell, Relation, RELATIONS)


def monitoring(cell: str) -> MonitoringCategory:
    return _word(cell, MonitoringCategory, MONITORING)


def organization_kind(cell: str) -> OrganizationKind:
    return _word(cell, OrganizationKind, ORGANIZATION_KINDS)


def category_kind(cell: str) -> CategoryKind:
    return _word(cell, CategoryKind, KINDS)


def groups(cell: str) -> int:
    """A list of groups as a bit mask.

    >>> groups("独居老人；DISABLED")
    33
    """
    return group_mask(_word(item, TargetGroup, GROUPS) for item in items(cell))


def fen(cell: str) -> int:
    """Yuan, with at most two decimals, as fen. Codes: NOT_A_NUMBER, TOO_SMALL, TOO_LARGE.

    >>> fen("1,250.5"), fen("￥８00"), fen("300元")
    (125050, 80000, 30000)
    """
    typed = unicodedata.normalize("NFKC", cell).strip().lstrip("¥").removesuffix("元").strip()
    if re.fullmatch(r"\d{1,3}(,\d{3})+(\.\d*)?", typed):
        typed = typed.replace(",", "")
    try:
        amount = Decimal(typed) * 100
    except InvalidOperation:
        amount = Decimal("NaN")
    if "_" in typed or not amount.is_finite() or amount != amount.to_integral_value():
        why = Text(
            "Write an amount in yuan with at most two decimals, such as 1250.50.",
            "请填写以元为单位、最多两位小数的金额，如 1250.50。",
        )
        raise BadCell("NOT_A_NUMBER", why)
    if amount < 0:
        raise BadCell("TOO_SMALL", Text("An amount is not below zero.", "金额不得为负。"))
    if amount > FEN_MAX:
        raise BadCell("TOO_LARGE", Text("No such amount.", "金额过大，请核对。"))
    return int(amount)


def day(cell: str) -> date:
    """A calendar day, in the orders and with the signs in use. Code: NOT_A_DATE.

    >>> day("2026年1月9日"), day("2026/1/9"), day("2026-01-09 00:00:00")
    (datetime.date(2026, 1, 9), datetime.date(2026, 1, 9), datetime.date(2026, 1, 9))
    """
    typed = unicodedata.normalize("NFKC", cell).strip().removesuffix(" 00:00:00")
    found = DAY.fullmatch(typed)
    try:
        if found is not None:
            return date(*(int(part) for part in found.groups()))
    except ValueError:
        pass
    raise BadCell(
        "NOT_A_DATE",
        Text("This is no date; write it as 2026-11-24.", "日期格式不正确，请写作 2026-11-24。"),
    )


def day_start(cell: str) -> datetime:
    return datetime.combine(day(cell), time(), COUNTY_TIME).astimezone(UTC)


def day_end(cell: str) -> datetime:
    """The last second of a day: a deadline of today still stands today."""
    return datetime.combine(day(cell), time(23, 59, 59), COUNTY_TIME).astimezone(UTC)


def line(cell: str) -> str:
    """Text of one line. Code: INVALID."""
    if not cell.isprintable():
        raise BadCell(
            "INVALID", Text("No control characters or line breaks.", "不得含控制字符或换行。")
        )
    return cell


def _word(cell: str, words: type[Word], labels: Mapping[str, Word]) -> Word:
    typed = unicodedata.normalize("NFKC", cell).strip()
    if typed in labels:
        return labels[typed]
    try:
        return words(re.sub(r"[\s-]+", "_", typed.upper()))
    except ValueError:
        raise BadCell(
            "UNKNOWN",
            Text(
                f"Not one of: {', '.join(words)}.",
                f"应为以下之一：{'、'.join(labels)}。",
            ),
        ) from None
