"""Who may see what, by every path: lists, edges, `node`, `nodes`, and no oracle beside them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from graphql import get_named_type, is_composite_type

from marketplace.domain.ids import opaque_id
from marketplace.domain.permissions import PROVIDERS, STAFF, Role, Viewer
from schema.readgraph.declare import NODES, Leaf, Many, Node, One
from schema.readgraph.narrowed import Narrowed
from tests.readgraph.asking import Refused, ask, schema
from tests.readgraph.world import World

ROOTS = {
    "Need": "needs",
    "PublishedNeed": "publishedNeeds",
    "Offer": "offers",
    "Organization": "organizations",
    "Region": "regions",
    "Category": "categories",
    "Household": "households",
    "Plan": "plans",
    "Allocation": "allocations",
}
# Nodes of these tests; others have their own.
TYPES = (*ROOTS, "PlanLine")
VIEWERS = (
    "public",
    "provider",
    "new_provider",
    "federation",
    "grid",
    "social",
    "township",
    "other_township",
    "assistance",
    "reviewer",
    "assistance_of_xiugu",
    "reviewer_of_huangtong",
    "auditor",
    "auditor_of_nowhere",
    "admin",
    "applicant",
)
# County officers may be of a part of the county; supervision reaches everywhere.
NARROWED = {
    "assistance_of_xiugu": ("assistance", 2, 4),
    "reviewer_of_huangtong": ("reviewer", 5, 6),
    "auditor_of_nowhere": ("auditor", 0, -1),
}
COUNTY = {Role.ASSISTANCE_OFFICER, Role.CHARITY_OFFICER, Role.AUDITOR}
FIELD = {Role.GRID_WORKER, Role.SOCIAL_WORKER, Role.TOWNSHIP_OFFICER}


def viewer_of(world: World, name: str) -> Viewer:
    if name not in NARROWED:
        return world.market.viewer[name]
    whose, low, high = NARROWED[name]
    return replace(world.market.viewer[whose], region_low=low, region_high=high)


class Rules:
    """The rules of domain.md for one viewer, in plain Python over the rows."""

    def __init__(self, world: World, viewer: Viewer) -> None:
        self.world, self.viewer, self.rows = world, viewer, world.rows
        self.role = viewer.role

    def sees(self, kind: str, key: int) -> bool:
        row = self.rows[NODES[kind].table.name].get(key)
        return row is not None and bool(getattr(self, kind)(row))

    def all_of(self, kind: str) -> set[int]:
        return {key for key in self.rows[NODES[kind].table.name] if self.sees(kind, key)}

    def Region(self, _row: dict[str, Any]) -> bool:  # noqa: N802
        return True

    def Category(self, _row: dict[str, Any]) -> bool:  # noqa: N802
        return True

    def Organization(self, row: dict[str, Any]) -> bool:  # noqa: N802
        own = row["id"] == self.viewer.organization_id
        return self.role in STAFF or row["status"] == "VERIFIED" or own

    def Offer(self, row: dict[str, Any]) -> bool:  # noqa: N802
        organization = self.rows["organizations"][row["organization_id"]]
        own = self.role in PROVIDERS and row["organization_id"] == self.viewer.organization_id
        public = row["status"] == "OPEN" and organization["status"] == "VERIFIED"
        return self.role in STAFF or public or own

    def Household(self, row: dict[str, Any]) -> bool:  # noqa: N802
        if self.role is Role.CHARITY_OFFICER:
            referred = any(
                need["referral_id"] and need["household_id"] == row["id"]
                for need in self.rows["needs"].values()
            )
            return referred and self._reaches(row["region_id"]) and self._consents(row["id"])
        return self._of_household(row["id"], row["region_id"])

    def Need(self, row: dict[str, Any]) -> bool:  # noqa: N802
        if self.role is Role.CHARITY_OFFICER:
            referred = row["status"] != "DRAFT" and self._reaches(row["region_id"])
            return referred and self._consents(row["household_id"])
        return self._of_household(row["household_id"], row["region_id"])

    def PublishedNeed(self, row: dict[str, Any]) -> bool:  # noqa: N802
        served = self.role in PROVIDERS and any(
            allocation["need_id"] == row["need_id"]
            and allocation["status"] not in {"CANCELLED", "DECLINED"}
            and self.Allocation(allocation)
            for allocation in self.rows["allocations"].values()
        )
        return self.role in STAFF or row["is_open"] or served

    def Plan(self, row: dict[str, Any]) -> bool:  # noqa: N802
        return self.role in COUNTY and self._reaches(row["region_id"])

    def PlanLine(self, row: dict[str, Any]) -> bool:  # noqa: N802
        need = self.rows["needs"][row["need_id"]]
        return self.role in COUNTY and self._reaches(need["region_id"])

    def Allocation(self, row: dict[str, Any]) -> bool:  # noqa: N802
        need = self.rows["needs"][row["need_id"]]
        if self.role in COUNTY:
            return self._reaches(need["region_id"])
        if self.role in PROVIDERS:
            offer = self.rows["offers"][row["offer_id"]]
            return bool(offer["organization_id"] == self.viewer.organization_id)
        return self._of_household(need["household_id"], need["region_id"])

    def _of_household(self, household_id: int, region_id: int) -> bool:
        if self.role in FIELD | {Role.ASSISTANCE_OFFICER, Role.AUDITOR}:
            return self._reaches(region_id)
        if self.role is Role.APPLICANT:
            account = self.rows["accounts"][self.viewer.account_id or 0]
            return bool(account["household_id"] == household_id)
        return False

    def _reaches(self, region_id: int) -> bool:
        low = self.rows["regions"][region_id]["tree_low"]
        inside = self.viewer.region_low <= low <= self.viewer.region_high
        return self.role is Role.AUDITOR or bool(inside)

    def _consents(self, household_id: int) -> bool:
        now = self.world.database.now()
        return any(
            consent["household_id"] == household_id
            and consent["status"] == "GIVEN"
            and (consent["expires_at"] is None or consent["expires_at"] > now)
            for consent in self.rows["consents"].values()
        )


async def test_a_list_holds_what_the_viewer_may_see_and_counts_no_more(world: World) -> None:
    for name in VIEWERS:
        viewer = viewer_of(world, name)
        rules = Rules(world, viewer)
        for kind, root in ROOTS.items():
            document = f"{{ {root}(first: 100) {{ totalCount nodes {{ id }} }} }}"
            page = (await ask(world.database, viewer, document))[root]
            expected = {opaque_id(kind, key) for key in rules.all_of(kind)}
            assert {each["id"] for each in page["nodes"]} == expected, (name, kind)
            assert page["totalCount"] == len(expected), (name, kind)


async def test_an_id_opens_nothing_that_a_list_would_not_show(world: World) -> None:
    one = "query ($id: ID!) { node(id: $id) { id } }"
    several = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    for name in VIEWERS:
        viewer = viewer_of(world, name)
        rules = Rules(world, viewer)
        for kind in TYPES:
            keys = sorted(world.rows[NODES[kind].table.name])[:100]
            ids = [opaque_id(kind, key) for key in keys]
            data = await ask(world.database, viewer, several, {"ids": ids})
            expected = [
                {"id": i} if rules.sees(kind, key) else None
                for i, key in zip(ids, keys, strict=True)
            ]
            assert data["nodes"] == expected, (name, kind)
            data = await ask(world.database, viewer, one, {"id": ids[0]})
            assert data["node"] == expected[0], (name, kind)


async def test_an_edge_leads_only_to_what_the_viewer_may_see(world: World) -> None:
    for name in VIEWERS:
        viewer = viewer_of(world, name)
        rules = Rules(world, viewer)
        for kind in TYPES:
            keys = sorted(rules.all_of(kind))[:100]
            edges = _edges(NODES[kind])
            asked = " ".join(_asked(edge, spec) for edge, spec in edges.items())
            if not keys or not asked:
                continue
            document = (
                f"query ($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on {kind} {{ {asked} }} }} }}"
            )
            ids = [opaque_id(kind, key) for key in keys]
            data = await ask(world.database, viewer, document, {"ids": ids})
            for key, found in zip(keys, data["nodes"], strict=True):
                row = world.rows[NODES[kind].table.name][key]
                for edge, spec in edges.items():
                    expected = _expected(rules, spec, row)
                    assert _ids(found[edge]) == expected, (name, kind, edge)


def _edges(node: Node) -> dict[str, One | Many]:
    specs = {name: field.spec for name, field in node.fields.items()}
    return {
        name: spec
        for name, spec in specs.items()
        if isinstance(spec, One | Many)
        and spec.target in TYPES
        # A condition of its own says what else belongs to it; its own tests look at that.
        and not isinstance(getattr(spec, "through", None), Narrowed)
    }


def _asked(name: str, spec: One | Many) -> str:
    return (
        f"{name} {{ id }}" if isinstance(spec, One) else f"{name}(first: 100) {{ nodes {{ id }} }}"
    )


def _ids(value: dict[str, Any] | None) -> set[str]:
    if value is None:
        return set()
    return {value["id"]} if "id" in value else {each["id"] for each in value["nodes"]}


def _expected(rules: Rules, spec: One | Many, row: dict[str, Any]) -> set[str]:
    rows = rules.rows[NODES[spec.target].table.name]
    through = spec.through if isinstance(spec, Many) else None
    if through is not None:
        pairs = rules.rows[through.table.name].values()
        keys = {p[through.there] for p in pairs if p[through.here] == row[spec.here]}
    else:
        keys = {k for k, other in rows.items() if other[spec.there] == row[spec.here]}
    return {opaque_id(spec.target, k) for k in keys if rules.sees(spec.target, k)}


async def test_a_provider_reaches_no_household_through_what_it_gives(world: World) -> None:
    document = """
    { allocations(first: 100) { nodes {
        id need { household { id } } publishedNeed { id region { level } } planLine { id }
        offer { allocations(first: 100) { nodes { need { id } } } organization { name } }
    } } }
    """

    data = await ask(world.database, world.market.viewer["provider"], document)

    found = data["allocations"]["nodes"]
    assert found
    assert all(each["need"] is None and each["planLine"] is None for each in found)
    assert any(each["publishedNeed"] for each in found)
    assert {
        each["publishedNeed"]["region"]["level"] for each in found if each["publishedNeed"]
    } == {"TOWNSHIP"}
    assert all(n["need"] is None for e in found for n in e["offer"]["allocations"]["nodes"])


async def test_a_field_that_a_role_may_not_see_is_null_and_cannot_be_asked_by(
    world: World,
) -> None:
    """Every sensitive field of every node, for every role that may not see it."""
    checked = 0
    for name in VIEWERS:
        viewer = viewer_of(world, name)
        for kind, root in ROOTS.items():
            for field, declared in NODES[kind].fields.items():
                spec = declared.spec
                if not isinstance(spec, Leaf) or spec.roles is None or viewer.role in spec.roles:
                    continue
                inside = " { __typename }" if _has_fields(kind, field) else ""
                document = f"{{ {root}(first: 100) {{ nodes {{ {field}{inside} }} }} }}"
                page = (await ask(world.database, viewer, document))[root]
                assert {each[field] for each in page["nodes"]} <= {None}, (name, kind, field)
                checked += 1
                if not spec.filter:
                    continue
                where = f"{{OR: [{{NOT: {{{field}: {{isNull: true}}}}}}]}}"
                for asked in ("totalCount", "nodes { id }", "pageInfo { hasNextPage }"):
                    document = f"{{ {root}(first: 1, where: {where}) {{ {asked} }} }}"
                    with pytest.raises(Refused) as refused:
                        await ask(world.database, viewer, document)
                    assert refused.value.codes == ["FORBIDDEN"]
                    assert f"{kind}.{field}" in str(refused.value)
    assert checked > 5


def _has_fields(kind: str, field: str) -> bool:
    made = schema()._schema.type_map[kind].fields[field]  # type: ignore[attr-defined]
    return is_composite_type(get_named_type(made.type))


async def test_the_same_document_gives_each_viewer_the_own_answer(world: World) -> None:
    """Plans are kept by role, so that two viewers of one role must never share their scope."""
    document = (
        "{ needs(first: 100) { nodes { id region { code } } } offers(first: 100) { totalCount } }"
    )
    for first, second in (("township", "other_township"), ("provider", "other_provider")):
        answers = []
        for name in (first, second, first):
            viewer = world.market.viewer[name]
            data = await ask(world.database, viewer, document)
            rules = Rules(world, viewer)
            expected = {opaque_id("Need", key) for key in rules.all_of("Need")}
            assert {each["id"] for each in data["needs"]["nodes"]} == expected
            assert data["offers"]["totalCount"] == len(rules.all_of("Offer"))
            answers.append(data)
        assert answers[0] == answers[2] != answers[1]


async def test_moves_are_those_of_the_viewer(world: World) -> None:
    document = """
    { offers(first: 100) { nodes { status allowedMoves organization { name } } }
      needs(first: 100) { nodes { status allowedMoves } } }
    """

    provider = await ask(world.database, world.market.viewer["provider"], document)
    assistance = await ask(world.database, world.market.viewer["assistance"], document)

    for offer in provider["offers"]["nodes"]:
        own = offer["organization"]["name"] == "charity"
        movable = offer["status"] in {"DRAFT", "OPEN", "PAUSED"}
        assert bool(offer["allowedMoves"]) == (own and movable)
    for need in assistance["needs"]["nodes"]:
        assert ("needRefer" in need["allowedMoves"]) == (need["status"] in {"DRAFT", "RETURNED"})
    assert all(not offer["allowedMoves"] for offer in assistance["offers"]["nodes"])
