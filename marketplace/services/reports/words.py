"""The words of the page, in both languages."""

from __future__ import annotations

from typing import TypedDict

from marketplace.domain.errors import Language


class Words(TypedDict):
    policy: str
    colon: str
    stop: str
    bars_caption: str
    bars_alt: str
    bar_heads: tuple[str, ...]
    more: str
    flows: str
    flows_note: str
    flows_alt: str
    flows_caption: str
    source: str
    no_flows: str
    short: str
    short_note: str
    short_heads: tuple[str, ...]
    nothing_short: str
    few: str
    disclosure: str


def words_in(language: Language) -> Words:
    return _ZH if language == "zh-CN" else _EN


_EN: Words = {
    "policy": "Order of precedence",
    "colon": ": ",
    "stop": ".",
    "bars_caption": "Percent of needs served in full, in part, not at all; mean share served.",
    "bars_alt": "Bar chart: {}, mean share served. {}. The table has every number.",
    "bar_heads": ("house\u00adholds", "mean share", "in full", "in part", "noth\u00ading"),
    "more": "… and {} more.",
    "flows": "Who helps where",
    "flows_note": "Households that each provider reaches in each township.",
    "flows_alt": "Heat map of the table below: darker where more households are reached.",
    "flows_caption": "Households reached; –: fewer than five, or none.",
    "source": "provider",
    "no_flows": "No provider reaches five households in one township.",
    "short": "What is short",
    "short_note": "The most urgent first. One unit more, of an offer that reaches the place, would "
    "do at least what the last column says.",
    "short_heads": (
        "kind",
        "township",
        "households",
        "short",
        "of what was asked",
        "worth of one unit",
        "one unit more would go to a need that is",
    ),
    "nothing_short": "Nothing is short for five households or more.",
    "few": "{} kinds and places with fewer than five households short are not listed.",
    "disclosure": "No names, addresses or single households stand here. Households are rounded to "
    "fives, amounts to what five households make out; groups below five households are shown as "
    "<5, without figures.",
}
_ZH: Words = {
    "policy": "优先次序",
    "colon": "：",
    "stop": "。",
    "bars_caption": "全额、部分、未满足的需求所占百分比，以及平均满足率。",
    "bars_alt": "条形图：{}，平均满足率。{}。全部数字见下表。",
    "bar_heads": ("家庭", "平均满足率", "全额", "部分", "未满足"),
    "more": "…… 另有 {} 组。",
    "flows": "谁帮助了哪里",
    "flows_note": "各供给单位在各乡镇帮助的家庭数。",
    "flows_alt": "下表的热力图：颜色越深，帮助的家庭越多。",
    "flows_caption": "帮助的家庭数；–：不足五户或没有。",
    "source": "供给单位",
    "no_flows": "没有供给单位在同一乡镇帮助五户以上。",
    "short": "缺口",
    "short_note": "最紧迫者在前。若有可到达该地的供给增加一个单位，至少可起到末列所述作用。",
    "short_heads": (
        "类别",
        "乡镇",
        "家庭",
        "缺口",
        "占需求",
        "单位价值",
        "增加一个单位将用于的需求",
    ),
    "nothing_short": "没有涉及五户以上的缺口。",
    "few": "另有 {} 组类别与地区的缺口不足五户，未列出。",
    "disclosure": "本页不含姓名、地址或单个家庭的信息。家庭数按五户取整，数量按五户所占取整；"
    "不足五户的分组显示为 <5，不列数字。",
}
