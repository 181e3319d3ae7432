"""Explanations in sentences, in English and Chinese: of a need that is short, and of a line."""

from __future__ import annotations

from collections.abc import Mapping

from marketplace.domain.errors import Text
from marketplace.domain.exchange.explained import (
    PlanLineCode,
    ShortfallKind,
    ShortfallLacking,
    ShortfallRule,
)
from marketplace.domain.exchange.plans import LeftAsideReason
from marketplace.services.exchange.explained import LineReason, Shortfall

# {what}: the category, {town}: the township.
LACKS: Mapping[ShortfallLacking, Text] = {
    ShortfallLacking.NO_OFFER: Text(
        "there is no offer of {what} in the market.", "市场上没有{what}类供给。"
    ),
    ShortfallLacking.NO_PRICE: Text(
        "only cash is there for {what}, which has no reference price to buy at.",
        "仅有资金可用，而{what}没有可供采购的参考价。",
    ),
    ShortfallLacking.NOT_IN_REGION: Text(
        "no offer of {what} goes to {town}.", "没有可送达{town}的{what}供给。"
    ),
    ShortfallLacking.TOO_FAR: Text(
        "the household is beyond the service radius of every {what} offer that goes to {town}.",
        "该户不在任何可送达{town}的{what}供给的服务半径内。",
    ),
    ShortfallLacking.OTHER_GROUPS: Text(
        "the {what} offers that reach {town} are restricted to other target groups.",
        "可送达{town}的{what}供给仅限其他对象类别。",
    ),
    ShortfallLacking.DECLINED: Text(
        "the providers of the {what} offers that reach {town} have declined this need.",
        "可送达{town}的{what}供给的提供方均已婉拒该需求。",
    ),
}
RULES: Mapping[ShortfallRule, Text] = {
    ShortfallRule.HOUSEHOLD_MAX: Text(
        "the {what} offers that reach {town} give no more to one household.",
        "可送达{town}的{what}供给已达每户上限。",
    ),
    ShortfallRule.DELIVERIES_MAX: Text(
        "the {what} offers that reach {town} make no more deliveries.",
        "可送达{town}的{what}供给已达配送次数上限。",
    ),
    ShortfallRule.DELIVERY_MIN: Text(
        "the {what} offers that reach {town} give more in one delivery than is possible here.",
        "可送达{town}的{what}供给的单次最低配送量在此无法满足。",
    ),
    ShortfallRule.QUANTITY_MIN: Text(
        "the {what} offers that reach {town} cannot give the least that is of use to it.",
        "可送达{town}的{what}供给达不到该需求的最低有效数量。",
    ),
    ShortfallRule.VISIT_DAYS: Text(
        "the {what} offers that reach {town} have no more days for it.",
        "可送达{town}的{what}服务已没有可安排的日期。",
    ),
    ShortfallRule.OFFERS_MAX: Text(
        "it is served by as many offers as it may be.", "该需求已达可用供给数上限。"
    ),
}
ASIDE: Mapping[LeftAsideReason, Text] = {
    LeftAsideReason.QUANTITY_MIN: Text(
        "what the {what} offers that reach {town} could give is less than is of use to it.",
        "可送达{town}的{what}供给所能提供的少于其最低有效数量。",
    ),
    LeftAsideReason.DELIVERY_MIN: Text(
        "the smallest delivery of the {what} offers that reach {town} fits no need.",
        "可送达{town}的{what}供给的最低配送量不适合任何需求。",
    ),
    LeftAsideReason.DELIVERIES_MAX: Text(
        "the deliveries of the {what} offers that reach {town} are used up.",
        "可送达{town}的{what}供给的配送次数已用完。",
    ),
    LeftAsideReason.PACKS_MIXED: Text(
        "its {what} is planned in packs of one size, and the offers left have others.",
        "其{what}按一种包装规格计划，余下的供给规格不同。",
    ),
    LeftAsideReason.LESS_THAN_ONE_PACK: Text(
        "what is open is less than one pack of the {what} offers that reach {town}.",
        "未满足部分少于可送达{town}的{what}供给的一个包装。",
    ),
    LeftAsideReason.LESS_THAN_ONE_UNIT: Text(
        "too little is left of the {what} offers that reach {town} to serve anyone.",
        "可送达{town}的{what}供给余量不足一份。",
    ),
    LeftAsideReason.CASH_REMAINDER: Text(
        "what stays of the cash buys none of it.", "余下的资金不足以采购一份。"
    ),
    LeftAsideReason.SEVERAL_PRICES: Text(
        "the cash might buy at several prices.", "资金可按多种价格采购。"
    ),
    LeftAsideReason.HOUSEHOLD_MAX: Text(
        "the household has part of what the {what} offers allow it, and another of its needs "
        "goes first there.",
        "该户已领取可用{what}供给的部分限额，余额优先用于其另一项需求。",
    ),
}
LINES: Mapping[PlanLineCode, Text] = {
    PlanLineCode.ONLY: Text("It is the only offer that could.", "这是唯一可用的供给。"),
    PlanLineCode.NEAREST: Text(
        "It is the nearest of {offers} offers that could.", "在 {offers} 项可用供给中距离最近。"
    ),
    PlanLineCode.NEARER_USED: Text(
        "It is the {rank} nearest of {offers} offers that could; this need has what there is of "
        "those that are nearer.",
        "在 {offers} 项可用供给中距离排第 {rank}；更近的供给已全部用于该需求。",
    ),
    PlanLineCode.NEARER_OUTRANKS: Text(
        "It is the {rank} nearest of {offers} offers that could; a nearer one serves needs of "
        "higher precedence.",
        "在 {offers} 项可用供给中距离排第 {rank}；更近的供给用于优先级更高的需求。",
    ),
    PlanLineCode.NEARER_TAKEN: Text(
        "It is the {rank} nearest of {offers} offers that could; a nearer one serves others, so "
        "that all together go the least way.",
        "在 {offers} 项可用供给中距离排第 {rank}；更近的供给用于其他需求，使总体距离最短。",
    ),
    PlanLineCode.NEARER_RULED: Text(
        "It is the {rank} nearest of {offers} offers that could; a rule keeps this need from a "
        "nearer one.",
        "在 {offers} 项可用供给中距离排第 {rank}；受规则限制，无法使用更近的供给。",
    ),
}
# Cash has no way to go: what is there goes before what must first be bought.
CASH = Text(
    "It is money, and buys what the other offers that could do not give.",
    "这是资金，用于采购其他可用供给未能提供的部分。",
)
ESTIMATE = Text(" This is an estimate, not a proof.", "（此为估计，未经证明。）")
SEVERITIES: Mapping[str, Text] = {
    "CRITICAL": Text("critical", "特急"),
    "HIGH": Text("high", "紧急"),
    "MEDIUM": Text("medium", "一般"),
    "LOW": Text("low", "较缓"),
}


def shortfall_sentence(told: Shortfall, what: Text, town: Text) -> Text:
    """Why a need is short.

    what   the need's category       town   the township of its household
    """
    said = _said(told)
    en = said.en.format(what=lowered(what.en), town=town.en)
    zh = said.zh.format(what=what.zh, town=town.zh)
    return Text(en + ESTIMATE.en, zh + ESTIMATE.zh) if told.estimate else Text(en, zh)


def _said(told: Shortfall) -> Text:
    if told.kind is ShortfallKind.NOTHING_ELIGIBLE:
        return _after(
            Text("Nothing eligible: ", "无可匹配供给："),
            LACKS[told.lacking or ShortfallLacking.NO_OFFER],
        )
    if told.kind is ShortfallKind.RULE:
        return _after(Text("A rule stands in the way: ", "受规则限制："), RULES[told.rules[0]])
    if told.kind is ShortfallKind.LEFT_ASIDE:
        reason = told.left_aside or LeftAsideReason.LESS_THAN_ONE_UNIT
        return _after(Text("Left aside: ", "未参与计算："), ASIDE[reason])
    if told.kind is ShortfallKind.OUTRANKED:
        return _outranked(told.outranking)
    return OTHERS[told.kind]


def _outranked(needs: int | None) -> Text:
    if needs is None:
        return Text(
            "Outranked: the {what} offers that reach {town} serve needs of higher precedence.",
            "优先级不足：可送达{town}的{what}供给用于优先级更高的需求。",
        )
    return Text(
        f"Outranked: the {{what}} offers that reach {{town}} serve about {needs} needs of higher "
        "precedence.",
        f"优先级不足：可送达{{town}}的{{what}}供给用于约 {needs} 项优先级更高的需求。",
    )


OTHERS: Mapping[ShortfallKind, Text] = {
    ShortfallKind.COMPLETE: Text(
        "Complete: the plan serves all that was open.", "已满足：方案满足了全部未满足部分。"
    ),
    ShortfallKind.CAPACITY: Text(
        "Used up: the {what} offers that reach {town} have nothing left, and what they give serves "
        "nothing of higher precedence.",
        "供给不足：可送达{town}的{what}供给已全部用完，且未用于优先级更高的需求。",
    ),
    ShortfallKind.UNDECIDED: Text(
        "Undecided: something of the {what} offers that reach {town} may be left for it; the plan "
        "was not solved to the end.",
        "尚无定论：可送达{town}的{what}供给可能仍有余量；方案未计算至最优。",
    ),
}


def line_sentence(told: LineReason, units: int) -> Text:
    """Why a line that serves so many units."""
    served = _served(told, units)
    if told.code is None:
        return served
    near = CASH if told.is_cash and told.rank > 1 else LINES[told.code]
    en = near.en.format(rank=ordinal(told.rank), offers=told.offers)
    zh = near.zh.format(rank=told.rank, offers=told.offers)
    return Text(f"{served.en} {en}", served.zh + zh)


def _served(told: LineReason, units: int) -> Text:
    if told.first is None:
        return Text(
            "It serves what packs of another size left open.", "用于其他包装规格未能满足的部分。"
        )
    severity = SEVERITIES[told.band]
    en, zh = f" of a need of {severity.en} severity", f"{severity.zh}需求"
    if told.first.is_floor is None:
        return Text(
            f"It serves units{en}, at level {told.first.position + 1} of {told.first.count}.",
            f"用于{zh}，优先级第 {told.first.position + 1} 级（共 {told.first.count} 级）。",
        )
    if told.floor_units >= units:
        return Text(f"It serves the floor share{en}.", f"用于{zh}的保底部分。")
    if told.floor_units == 0:
        return Text(f"It serves what lies beyond the floor share{en}.", f"用于{zh}的保底以外部分。")
    return Text(
        f"It serves the floor share{en}, and more beyond it.", f"用于{zh}的保底部分及保底以外部分。"
    )


def lowered(label: str) -> str:
    """A label inside a sentence.

    >>> lowered("Staple food"), lowered("TV set")
    ('staple food', 'TV set')
    """
    return label[:1].lower() + label[1:] if label[1:2].islower() else label


def ordinal(number: int) -> str:
    """Of small numbers.

    >>> [ordinal(n) for n in (1, 2, 3, 4, 11, 22)]
    ['1st', '2nd', '3rd', '4th', '11th', '22nd']
    """
    tail = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10)
    return f"{number}{tail or 'th'}"


def _after(head: Text, rest: Text) -> Text:
    return Text(head.en + rest.en, head.zh + rest.zh)
