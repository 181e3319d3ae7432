"""What the demo county stands on: regions with grid cells, categories, organizations, staff."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from marketplace.domain.events import Event
from marketplace.domain.permissions import Role
from marketplace.domain.registry.accounts import CreateAccount
from marketplace.domain.registry.organizations import (
    OrganizationKind,
    OrganizationStatus,
    RegisterOrganization,
)
from marketplace.domain.registry.regions import LOCAL, NBS_12, RegionLevel, RegionRow
from marketplace.persistence.database import Reading, Row, Writing
from marketplace.persistence.registry import accounts, categories, organizations, regions
from marketplace.services.demo.families import Place

COUNTY = "361027"
TOWN = f"{COUNTY}100"  # 秀谷镇, the county's seat
MARK = "DEMO-ORG-01"  # the federation's external reference: where it is, the demo is loaded
# Keys are handed out by these names; a second one where four eyes are asked for.
STAFF = (
    ("APPLICANT", Role.APPLICANT, "申请家庭（演示）"),
    ("GRID_WORKER", Role.GRID_WORKER, "网格员（演示）"),
    ("SOCIAL_WORKER", Role.SOCIAL_WORKER, "秀谷镇社工站"),
    ("ASSISTANCE_OFFICER", Role.ASSISTANCE_OFFICER, "县民政局社会救助口（甲）"),
    ("ASSISTANCE_OFFICER_2", Role.ASSISTANCE_OFFICER, "县民政局社会救助口（乙）"),
    ("CHARITY_OFFICER", Role.CHARITY_OFFICER, "县民政局慈善事业和社会工作口（甲）"),
    ("CHARITY_OFFICER_2", Role.CHARITY_OFFICER, "县民政局慈善事业和社会工作口（乙）"),
    ("AUDITOR", Role.AUDITOR, "县救助工作监督"),
    ("ADMIN", Role.ADMIN, "系统管理员（演示）"),
)
CELL_NAMES = ("第一网格", "第二网格", "第三网格")

# Made up, except for the federation that every county has. Name, kind, home, verified, and the
# subtrees of categories that it gives.
ORGANIZATIONS = (
    ("金溪县慈善总会", OrganizationKind.FEDERATION, COUNTY, True, "goods cash"),
    ("溪谷扶困慈善基金会（示例）", OrganizationKind.CHARITY, COUNTY, True, "goods cash"),
    (
        "香溪助学慈善协会（示例）",
        OrganizationKind.CHARITY,
        COUNTY,
        True,
        "learning_goods education_aid",
    ),
    (
        "慈心助医基金会（示例）",
        OrganizationKind.CHARITY,
        COUNTY,
        True,
        "medical_goods assistive_devices medical_relief",
    ),
    (
        "抚河敬老慈善会（示例）",
        OrganizationKind.CHARITY,
        f"{COUNTY}101",
        True,
        "home_goods bedding_and_clothing living_relief assistive_devices",
    ),
    ("秀谷粮油有限公司（示例）", OrganizationKind.ENTERPRISE, TOWN, True, "food"),
    (
        "浒湾纸业有限公司（示例）",
        OrganizationKind.ENTERPRISE,
        f"{COUNTY}101",
        True,
        "home_goods learning_goods",
    ),
    ("双塘香料有限公司（示例）", OrganizationKind.ENTERPRISE, f"{COUNTY}102", True, "home_goods"),
    (
        "何源竹木制品厂（示例）",
        OrganizationKind.ENTERPRISE,
        f"{COUNTY}103",
        True,
        "learning_goods assistive_devices",
    ),
    (
        "合市家纺有限公司（示例）",
        OrganizationKind.ENTERPRISE,
        f"{COUNTY}104",
        True,
        "bedding_and_clothing",
    ),
    ("左坊家电商行（示例）", OrganizationKind.ENTERPRISE, f"{COUNTY}106", True, "home_goods"),
    ("康扶辅具有限公司（示例）", OrganizationKind.ENTERPRISE, TOWN, True, "assistive_devices"),
    (
        "仁济大药房（示例）",
        OrganizationKind.ENTERPRISE,
        TOWN,
        True,
        "medical_goods adult_diapers adult_milk_powder infant_formula infant_diapers",
    ),
    ("工业园区爱心企业联盟（示例）", OrganizationKind.ENTERPRISE, f"{COUNTY}401", True, "goods"),
    (
        "琅琚蜜梨合作社（示例）",
        OrganizationKind.ENTERPRISE,
        f"{COUNTY}105",
        False,
        "food livelihood_goods",
    ),
    ("陆坊米业有限公司（示例）", OrganizationKind.ENTERPRISE, f"{COUNTY}202", False, "staple_food"),
    ("秀谷志愿服务队（示例）", OrganizationKind.VOLUNTEER_GROUP, TOWN, True, "care_at_home advice"),
    (
        "红马甲理发志愿队（示例）",
        OrganizationKind.VOLUNTEER_GROUP,
        TOWN,
        True,
        "doorstep_haircut home_visit",
    ),
    ("白衣义诊志愿队（示例）", OrganizationKind.VOLUNTEER_GROUP, TOWN, True, "health_services"),
    (
        "石门乡邻里互助队（示例）",
        OrganizationKind.VOLUNTEER_GROUP,
        f"{COUNTY}205",
        True,
        "care_at_home home_improvement",
    ),
    (
        "陈坊积青年志愿队（示例）",
        OrganizationKind.VOLUNTEER_GROUP,
        f"{COUNTY}203",
        False,
        "learning_services",
    ),
    ("心桥社会工作服务中心（示例）", OrganizationKind.SOCIAL_ORGANIZATION, TOWN, True, "services"),
    (
        "安居适老化改造服务社（示例）",
        OrganizationKind.SOCIAL_ORGANIZATION,
        TOWN,
        True,
        "home_improvement",
    ),
    ("明理法律援助中心（示例）", OrganizationKind.SOCIAL_ORGANIZATION, COUNTY, True, "advice"),
    (
        "同伴儿童关爱中心（示例）",
        OrganizationKind.SOCIAL_ORGANIZATION,
        f"{COUNTY}104",
        True,
        "learning_services",
    ),
    (
        "琉璃乡养老服务社（示例）",
        OrganizationKind.SOCIAL_ORGANIZATION,
        f"{COUNTY}204",
        False,
        "care_at_home health_services",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Rows by code (regions also by key); towns in the tree's order."""

    regions: Mapping[str, Row]
    regions_by_id: Mapping[int, Row]
    categories: Mapping[str, Row]
    places: Sequence[Place]
    towns: Sequence[Row]
    now: datetime

    def town_of(self, region_id: int) -> Row:
        """The town of a grid cell: its code begins with the town's."""
        return self.regions[self.regions_by_id[region_id]["code"][:9]]


def key_names() -> dict[str, tuple[str, Role]]:
    """Name of a key -> name and role of its account."""
    return {name: (label, role) for name, role, label in STAFF} | {
        "TOWNSHIP_OFFICER": ("秀谷镇民政所", Role.TOWNSHIP_OFFICER),
        "FEDERATION": (ORGANIZATIONS[0][0], Role.FEDERATION),
        "PROVIDER": (ORGANIZATIONS[1][0], Role.PROVIDER),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Staff:
    """Accounts: by role's name, by town's code, and of each organization."""

    by_role: Mapping[str, int]
    by_town: Mapping[str, int]
    by_organization: Mapping[int, int]


def cells(villages: Sequence[RegionRow]) -> list[RegionRow]:
    """Two or three grid cells in each of Jinxi's villages and communities."""
    return [
        RegionRow(
            scheme=LOCAL,
            code=f"{village.code}-{number}",
            parent=(NBS_12, village.code),
            level=RegionLevel.GRID,
            name_zh=village.name_zh.removesuffix("村委会").removesuffix("社区") + name,
        )
        for village in villages
        if village.level is RegionLevel.VILLAGE and village.code.startswith(COUNTY)
        for number, name in enumerate(CELL_NAMES[: 2 + int(village.code[-1]) % 2], 1)
    ]


async def read(db: Reading, now: datetime) -> Ground:
    kept = {key[1]: row for key, row in (await regions.every(db)).items()}
    by_id = {row["id"]: row for row in kept.values()}
    places = [
        Place(
            region_id=row["id"],
            code=code,
            village=by_id[row["parent_id"]]["name_zh"].removesuffix("委会"),
            latitude=row["latitude"],
            longitude=row["longitude"],
        )
        for code, row in kept.items()
        if row["scheme"] == LOCAL and code.startswith(COUNTY)
    ]
    towns = [
        row
        for code, row in kept.items()
        if row["level"] == RegionLevel.TOWNSHIP and code.startswith(COUNTY)
    ]
    return Ground(
        regions=kept,
        regions_by_id=by_id,
        categories=await categories.every(db),
        places=places,
        towns=towns,
        now=now,
    )


async def add_organizations(
    db: Writing, ground: Ground, applied_at: datetime
) -> tuple[list[dict[str, object]], list[Event]]:
    """The organizations as rows with their ids, and what happened to them."""
    rows = [
        organizations.organization_row(
            RegisterOrganization(
                kind=kind,
                name=name,
                region_id=ground.regions[home]["id"],
                external_reference=f"DEMO-ORG-{number:02d}",
            ),
            OrganizationStatus.VERIFIED if verified else OrganizationStatus.APPLIED,
            applied_at,
        )
        for number, (name, kind, home, verified, _) in enumerate(ORGANIZATIONS, 1)
    ]
    keys = await organizations.add_many(db, rows)
    told = [
        Event(
            kind="organization.registered",
            at=applied_at,
            entity="Organization",
            entity_id=key,
            data={"organizationKind": row["kind"], "status": OrganizationStatus.APPLIED},
        )
        for key, row in zip(keys, rows, strict=True)
    ]
    gives = [organization[4].split() for organization in ORGANIZATIONS]
    known = zip(keys, rows, gives, strict=True)
    return [row | {"id": key, "gives": fields} for key, row, fields in known], told


async def add_staff(
    db: Writing,
    ground: Ground,
    organizations: Sequence[Mapping[str, object]],
    *,
    grid_cell: int,
    now: datetime,
) -> Staff:
    """One account a role (two where four eyes are asked for), and one a town and organization.

    The applicant's follows once its household is there.
    """
    county, town = ground.regions[COUNTY]["id"], ground.regions[TOWN]["id"]
    region_of = {"GRID_WORKER": grid_cell, "SOCIAL_WORKER": town}
    by_role = {}
    for name, role, label in STAFF:
        if role is Role.APPLICANT:
            continue
        account = CreateAccount(name=label, role=role, region_id=region_of.get(name, county))
        by_role[name] = await accounts.add(db, account, now)
    by_organization = {}
    for organization in organizations:
        federation = organization["kind"] == OrganizationKind.FEDERATION
        role = Role.FEDERATION if federation else Role.PROVIDER
        key = int(str(organization["id"]))
        account = CreateAccount(name=str(organization["name"]), role=role, organization_id=key)
        by_organization[key] = await accounts.add(db, account, now)
    by_town = {}
    for row in ground.towns:
        officer = CreateAccount(
            name=f"{row['name_zh']}民政所", role=Role.TOWNSHIP_OFFICER, region_id=row["id"]
        )
        by_town[str(row["code"])] = await accounts.add(db, officer, now)
    return Staff(by_role=by_role, by_town=by_town, by_organization=by_organization)


async def add_applicant(db: Writing, household_id: int, *, now: datetime) -> None:
    """The account of one household that follows its own case."""
    (label,) = (label for _, role, label in STAFF if role is Role.APPLICANT)
    account = CreateAccount(name=label, role=Role.APPLICANT, household_id=household_id)
    await accounts.add(db, account, now)
