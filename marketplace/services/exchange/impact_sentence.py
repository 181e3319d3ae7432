"""An impact in one or two sentences, in English and Chinese."""

from __future__ import annotations

from marketplace.domain.errors import Text
from marketplace.services.exchange.impact_told import ToldUse
from marketplace.services.exchange.impacts import OfferImpact

BANDS_EN = {"CRITICAL": "critical", "HIGH": "high", "MEDIUM": "medium", "LOW": "low"}
BANDS_ZH = {"CRITICAL": "特急", "HIGH": "紧急", "MEDIUM": "一般", "LOW": "较缓"}

BY_TOWNSHIP = Text(
    "This is an estimate: a radius is measured to the centre of each township here; the plan "
    "measures to the household.",
    "以上为估算：此处的服务半径按各乡镇中心计算，而方案按家庭所在位置计算。",
)


def sentence(impact: OfferImpact) -> Text:
    """What the offer would do, how far that is certain, and what would do more good instead."""
    parts = [_done(impact)]
    if impact.has_radius:
        parts.append(BY_TOWNSHIP)
    elif not impact.exact:
        parts.append(
            Text(
                "This is an estimate: the market it touches is too large to be solved while you "
                "wait, or the plan itself is not proven.",
                "以上为估算：所涉范围过大，无法即时精确计算，或当前方案本身未获最优证明。",
            )
        )
    if impact.told["better"]:
        parts.append(_instead(impact, impact.told["better"][0]))
    return Text(" ".join(part.en for part in parts), "".join(part.zh for part in parts))


def _done(impact: OfferImpact) -> Text:
    told, unit = impact.told, impact.unit
    households, drawn = told["households"], told["drawn"]
    if households is None or drawn is None:
        return Text(
            "Measured against the current plan, this offer would reach fewer than five households; "
            "to protect them, no more is said.",
            "与当前方案相比，该供给惠及的家庭不足五户；为保护其隐私，不再列出明细。",
        )
    places = len(told["townships"])
    where_en = f" in {places} {'township' if places == 1 else 'townships'}" if places else ""
    where_zh = f"，分布于 {places} 个乡镇" if places else ""
    return Text(
        f"Measured against the current plan, about {drawn} of {told['offered']} {unit} would be "
        f"used and about {households} households reached{where_en}; "
        f"{told['unused_percent']} % would stay unused.",
        f"与当前方案相比，{told['offered']} {unit} 中约有 {drawn} {unit} 可用，"
        f"约惠及 {households} 户家庭{where_zh}；约 {told['unused_percent']}% 将闲置。",
    )


def _instead(impact: OfferImpact, use: ToldUse) -> Text:
    category = impact.categories[use["category_id"]]
    region = impact.regions[use["region_id"]]
    unit = category["unit"] or "unit"
    what_en, what_zh = category["label_en"] or category["label_zh"], category["label_zh"]
    where_en, where_zh = region["name_en"] or region["name_zh"], region["name_zh"]
    share_en = "first share" if use["floor"] else "rest"
    share_zh = "保底部分" if use["floor"] else "其余部分"
    return Text(
        f"The same worth would do more good as {what_en} for {where_en}, where about "
        f"{use['units']} {unit} for about {use['households']} households are open, beginning with "
        f"the {share_en} of needs of {BANDS_EN[use['band']]} severity.",
        f"同等价值若改为向{where_zh}提供{what_zh}效果更好：当地约 {use['households']} 户家庭尚缺约 "
        f"{use['units']} {unit}，首先是{BANDS_ZH[use['band']]}需求的{share_zh}。",
    )
