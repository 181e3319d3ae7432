"""The columns of files to import; docs/import.md explains each."""

from __future__ import annotations

from marketplace.services.importing.headings import Column

HOUSEHOLDS = (
    Column(key="household", zh="家庭编号", others=("household_id", "户编号"), required=True),
    Column(key="name", zh="姓名", others=("member", "成员姓名"), required=True),
    Column(key="relation", zh="与户主关系", others=("关系",)),
    Column(
        key="identity_number", zh="身份证号", others=("身份证号码", "公民身份号码", "id_number")
    ),
    Column(key="birth_date", zh="出生日期", others=("birthday",)),
    Column(key="groups", zh="对象类别", others=("target_groups", "人群", "分群")),
    Column(key="region", zh="区划代码", others=("region_code", "村代码"), required=True),
    Column(key="address", zh="住址", others=("地址", "家庭住址")),
    Column(key="phone", zh="联系电话", others=("电话", "手机")),
    Column(key="member_count", zh="家庭人口", others=("members", "家庭人口数")),
    Column(key="monitoring", zh="监测类别", others=("monitoring_category", "三类对象")),
    Column(key="latitude", zh="纬度", others=("lat",)),
    Column(key="longitude", zh="经度", others=("lon", "lng")),
    Column(key="income", zh="家庭月收入", others=("月收入", "income_month")),
    Column(key="property", zh="家庭财产", others=("财产",)),
    Column(key="medical", zh="医疗支出", others=("月医疗支出",)),
    Column(key="education", zh="教育支出", others=("月教育支出",)),
    Column(key="disability_care", zh="残疾照护支出", others=("月残疾照护支出",)),
    Column(key="housing", zh="住房支出", others=("月住房支出",)),
    Column(key="disaster", zh="受灾支出", others=("月受灾支出",)),
)
CROSS_CHECK = (
    Column(key="name", zh="姓名", others=("成员姓名",), required=True),
    Column(
        key="identity_number",
        zh="身份证号",
        others=("身份证号码", "公民身份号码", "id_number"),
        required=True,
    ),
    Column(key="monitoring", zh="监测类别", others=("三类对象", "预警类别"), required=True),
    Column(key="region", zh="区划代码", others=("region_code", "村代码"), required=True),
    Column(key="phone", zh="联系电话", others=("电话", "手机")),
    Column(key="address", zh="住址", others=("地址", "家庭住址")),
)
ORGANIZATIONS = (
    Column(
        key="organization", zh="单位编号", others=("organization_id", "组织编号"), required=True
    ),
    Column(key="name", zh="单位名称", others=("名称", "组织名称"), required=True),
    Column(key="kind", zh="单位类型", others=("类型", "组织类型"), required=True),
    Column(key="region", zh="区划代码", others=("region_code", "所在地区"), required=True),
)
NEEDS = (
    Column(key="need_id", zh="需求编号", others=("id", "need", "编号"), required=True),
    Column(key="household", zh="家庭编号", others=("household_id", "户编号"), required=True),
    Column(key="category", zh="类别代码", others=("类别", "需求类别"), required=True),
    Column(key="quantity", zh="数量", others=("units", "需求数量"), required=True),
    Column(key="quantity_min", zh="最低数量", others=("最低需求数量",)),
    Column(key="visit_minutes", zh="每次分钟数", others=("每次时长", "minutes")),
    Column(key="every_days", zh="间隔天数", others=("每几天一次",)),
    Column(key="deadline", zh="截止日期", others=("截止时间",)),
)
OFFERS = (
    Column(key="offer_id", zh="供给编号", others=("id", "offer", "编号"), required=True),
    Column(
        key="organization", zh="单位编号", others=("organization_id", "组织编号"), required=True
    ),
    Column(key="category", zh="类别代码", others=("类别", "供给类别", "用途"), required=True),
    Column(key="kind", zh="种类", others=("供给种类",)),
    Column(key="quantity", zh="数量", others=("units", "供给数量"), required=True),
    Column(key="title", zh="名称", others=("标题",)),
    Column(key="pack_size", zh="包装规格", others=("每包数量",)),
    Column(key="household_max", zh="每户上限", others=("每户限量",)),
    Column(key="delivery_min", zh="最小配送量", others=("每次最低",)),
    Column(key="deliveries_max", zh="最多配送次数", others=("配送次数上限",)),
    Column(key="visits_per_day", zh="每日上门次数", others=("每天次数",)),
    Column(key="groups", zh="对象类别", others=("target_groups", "人群", "分群")),
    Column(key="regions", zh="服务区划", others=("region", "服务地区", "区划代码")),
    Column(key="latitude", zh="纬度", others=("lat",)),
    Column(key="longitude", zh="经度", others=("lon", "lng")),
    Column(key="radius_km", zh="服务半径", others=("radius", "半径")),
    Column(key="starts", zh="开始日期", others=("starts_at",)),
    Column(key="expires", zh="截止日期", others=("expires_at", "结束日期")),
)
