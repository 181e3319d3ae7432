"""The columns of files of needs, offers and pairs, and of the plan that is written."""

from __future__ import annotations

from marketplace.domain.errors import Language
from marketplace.services.importing.headings import Column

NEEDS = (
    Column(key="need_id", zh="需求编号", others=("id", "need", "编号"), required=True),
    Column(key="category", zh="类别", others=("类别代码", "物资类别", "需求类别"), required=True),
    Column(key="quantity", zh="数量", others=("units", "需求数量"), required=True),
    Column(key="quantity_min", zh="最低数量", others=("minimum", "最少有用数量")),
    Column(key="offers_max", zh="供给数上限", others=("max_offers", "最多供给数")),
    Column(key="severity", zh="困难程度", others=("urgency", "紧急程度", "严重程度")),
    Column(key="region", zh="区划代码", others=("region_code", "地区", "行政区划")),
    Column(key="latitude", zh="纬度", others=("lat",)),
    Column(key="longitude", zh="经度", others=("lon", "lng")),
    Column(key="groups", zh="人群", others=("target_groups", "对象类别", "分群")),
    Column(key="household", zh="家庭编号", others=("household_id", "recipient", "家庭", "户")),
    Column(key="date", zh="日期", others=("created_at", "登记日期", "申请日期")),
)
OFFERS = (
    Column(key="offer_id", zh="供给编号", others=("id", "offer", "编号"), required=True),
    Column(key="category", zh="类别", others=("类别代码", "物资类别", "供给类别"), required=True),
    Column(key="quantity", zh="数量", others=("units", "供给数量"), required=True),
    Column(key="organization", zh="单位", others=("organisation", "provider", "组织", "捐赠单位")),
    Column(key="regions", zh="服务地区", others=("region", "区划代码", "服务区划")),
    Column(key="latitude", zh="纬度", others=("lat",)),
    Column(key="longitude", zh="经度", others=("lon", "lng")),
    Column(key="radius_km", zh="服务半径", others=("radius", "半径", "服务半径公里")),
    Column(key="groups", zh="人群", others=("target_groups", "对象类别", "分群")),
    Column(key="household_max", zh="每户上限", others=("max_per_household", "每户限量")),
    Column(key="delivery_min", zh="每次最少", others=("min_delivery", "最小配送量")),
    Column(key="deliveries_max", zh="配送次数上限", others=("max_deliveries", "最多配送次数")),
    Column(key="date", zh="日期", others=("created_at", "登记日期", "捐赠日期")),
)
PAIRS = (
    Column(key="need_id", zh="需求编号", others=("need",), required=True),
    Column(key="offer_id", zh="供给编号", others=("offer",), required=True),
    Column(key="cost", zh="成本", others=("distance", "单位成本", "距离")),
)
PLAN = (
    Column(key="need_id", zh="需求编号"),
    Column(key="offer_id", zh="供给编号"),
    Column(key="units", zh="数量"),
    Column(key="unit_cost", zh="单位成本"),
    Column(key="need_category", zh="需求类别"),
    Column(key="offer_category", zh="供给类别"),
    Column(key="household", zh="家庭编号"),
    Column(key="organization", zh="单位"),
    Column(key="region", zh="区划代码"),
)


def plan_headings(language: Language) -> tuple[str, ...]:
    return tuple(column.text.said_in(language) for column in PLAN)
