"""People who do not exist: names, birthdays, and numbers that nobody can have."""

from __future__ import annotations

import random
from datetime import date, timedelta

from marketplace.domain.registry.identity import check_digit

SURNAMES = (
    "徐吴周黄王李刘陈何邓江饶许余傅全车朱曾胡邹聂龚涂熊谢彭罗万程郑唐冯艾洪严杨张林孙赵蔡方"
    "游詹汪姜席官左单桂揭鄢欧"
)
ELDER_NAMES = (
    "根",
    "水",
    "金",
    "火",
    "福",
    "贵",
    "桂",
    "秀",
    "细",
    "菊",
    "冬",
    "良",
    "长",
    "连",
    "招",
    "兰",
)
ADULT_NAMES = (
    "建",
    "国",
    "华",
    "平",
    "军",
    "红",
    "丽",
    "霞",
    "勇",
    "志",
    "强",
    "燕",
    "芳",
    "辉",
    "云",
    "文",
)
CHILD_NAMES = (
    "子",
    "梓",
    "欣",
    "涵",
    "宇",
    "轩",
    "雨",
    "佳",
    "思",
    "语",
    "俊",
    "浩",
    "诗",
    "可",
    "一",
    "辰",
)
SECOND = (
    "生",
    "英",
    "香",
    "妹",
    "林",
    "发",
    "仁",
    "娥",
    "明",
    "花",
    "珍",
    "旺",
    "清",
    "梅",
    "安",
    "",
)

# No division has these numbers, and no line begins like this: nobody can be meant.
NUMBER_PREFIX = "999027"
NUMBER_PREFIX_BEFORE = "999028"  # of those whose story began before today's market
PHONE_PREFIX = "100"


class People:
    """Throws people; no two of them get the same number."""

    def __init__(
        self, dice: random.Random, today: date, *, number_prefix: str = NUMBER_PREFIX
    ) -> None:
        self._dice = dice
        self._today = today
        self._prefix = number_prefix
        self._numbered: dict[date, int] = {}

    def surname(self) -> str:
        return self._dice.choice(SURNAMES)

    def given_name(self, age: int) -> str:
        first = ELDER_NAMES if age >= 55 else ADULT_NAMES if age >= 20 else CHILD_NAMES
        return self._dice.choice(first) + self._dice.choice(SECOND)

    def birthday(self, age: int) -> date:
        """A day that makes somebody of this age today."""
        return self._today - timedelta(days=age * 365 + age // 4 + 1 + self._dice.randrange(360))

    def number(self, born: date) -> str:
        """An identity number with a right check digit and a division that does not exist."""
        serial = self._numbered.get(born, 0)
        self._numbered[born] = serial + 1
        first_17 = f"{self._prefix}{born:%Y%m%d}{serial % 1000:03d}"
        return first_17 + check_digit(first_17)

    def phone(self) -> str:
        return f"{PHONE_PREFIX}{self._dice.randrange(10**8):08d}"
