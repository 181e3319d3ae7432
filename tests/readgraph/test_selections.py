"""Selections in every spelling of GraphQL give what they ask for."""

from __future__ import annotations

import pytest

from marketplace.domain.ids import opaque_id, reference
from tests.readgraph.asking import Refused, ask, counted
from tests.readgraph.world import World


async def test_two_aliases_of_one_list_keep_their_own_arguments(world: World) -> None:
    document = """
    {
      needs(first: 20) {
        nodes {
          id
          one: allocations(first: 1) { nodes { id } }
          all: allocations(first: 100, orderBy: [{field: CREATED_AT}]) { totalCount nodes { id } }
          cancelled: allocations(first: 9, where: {status: {eq: CANCELLED}}) {
            totalCount nodes { status }
          }
        }
        again: nodes { reference region { code } }
        edges { node { region { name } } other: node { region { level } } }
      }
    }
    """

    with counted(world.database) as sent:
        data = await ask(world.database, world.market.viewer["auditor"], document)

    assert len(sent) == 1
    for need in data["needs"]["nodes"]:
        assert len(need["one"]["nodes"]) == min(1, need["all"]["totalCount"])
        assert len(need["all"]["nodes"]) == need["all"]["totalCount"]
        assert {each["status"] for each in need["cancelled"]["nodes"]} <= {"CANCELLED"}
        assert len(need["cancelled"]["nodes"]) == need["cancelled"]["totalCount"]
    assert [set(each) for each in data["needs"]["again"]] == [{"reference", "region"}] * 20
    assert set(data["needs"]["edges"][0]) == {"node", "other"}
    assert set(data["needs"]["edges"][0]["other"]["region"]) == {"level"}


async def test_fragments_and_directives_are_merged_as_the_executor_does(world: World) -> None:
    document = """
    query ($yes: Boolean!, $no: Boolean!) {
      needs(first: 3) { ...Page nodes { region { id } } }
    }
    fragment Page on NeedConnection {
      __typename
      nodes {
        __typename
        ... on Need { status region { name } }
        ... @include(if: $no) { severity }
        ...Same @skip(if: $no)
        category @include(if: $yes) { code }
        createdAt @skip(if: $yes)
      }
    }
    fragment Same on Node { id ... on Need { reference } ... on Offer { title } }
    """

    data = await ask(
        world.database, world.market.viewer["auditor"], document, {"yes": True, "no": False}
    )

    for need in data["needs"]["nodes"]:
        assert list(need) == ["__typename", "status", "region", "id", "reference", "category"]
        assert list(need["region"]) == ["name", "id"]


async def test_a_plan_is_run_again_with_other_values(world: World) -> None:
    document = """
    query ($n: Int!, $where: NeedWhere!, $severity: Int, $order: [NeedOrder!], $in: Language) {
      needs(first: $n, where: $where, orderBy: $order) {
        nodes { severity status category { label(language: $in) } }
      }
      also: needs(last: $n, where: {severity: {gte: $severity}, AND: [$where]}) {
        nodes { severity status }
      }
    }
    """
    viewer = world.market.viewer["auditor"]

    for n, least, status, direction in ((3, 40, "DRAFT", "ASC"), (9, 90, "REFERRED", "ASC")):
        variables = {
            "n": n,
            "severity": least,
            "where": {"status": {"oneOf": [status]}},
            "order": [{"field": "SEVERITY", "direction": direction}],
            "in": "EN",
        }
        data = await ask(world.database, viewer, document, variables)
        of_status = [r["severity"] for r in world.rows["needs"].values() if r["status"] == status]
        found = [need["severity"] for need in data["needs"]["nodes"]]
        assert found == sorted(of_status)[:n]
        also = [need["severity"] for need in data["also"]["nodes"]]
        assert len(also) == min(n, sum(severity >= least for severity in of_status))
        assert all(severity >= least for severity in also)


async def test_node_and_nodes_find_anything_by_its_id(world: World) -> None:
    need_id = next(iter(world.rows["needs"]))
    offer_id = next(iter(world.rows["offers"]))
    ids = [
        opaque_id("Offer", offer_id),
        opaque_id("Need", need_id),
        opaque_id("Need", 10**12),
        opaque_id("Offer", offer_id),
    ]
    document = """
    query ($ids: [ID!]!, $id: ID!) {
      node(id: $id) { id __typename ... on Need { status region { code } } }
      nodes(ids: $ids) {
        id
        ... on Need { reference allocations(first: 1) { totalCount } }
        ... on Offer { title organization { name } }
      }
    }
    """

    with counted(world.database) as sent:
        data = await ask(
            world.database, world.market.viewer["auditor"], document, {"ids": ids, "id": ids[1]}
        )

    assert len(sent) == 2  # one for each root field
    assert [each and each["id"] for each in data["nodes"]] == [ids[0], ids[1], None, ids[0]]
    year = world.rows["needs"][need_id]["created_at"].year
    assert data["nodes"][1]["reference"] == reference("N", year, need_id)
    assert data["node"]["__typename"] == "Need"
    assert data["node"]["status"] == world.rows["needs"][need_id]["status"]


@pytest.mark.parametrize("garbage", ["", "zzz", "T2ZmZXI6Nw==x", opaque_id("Ghost", 1), "\u00e9"])
async def test_a_garbage_id_gives_null_with_its_code(world: World, garbage: str) -> None:
    document = "query ($id: ID!) { node(id: $id) { id } nodes(ids: [$id]) { id } }"

    with pytest.raises(Refused) as refused:
        await ask(world.database, world.market.viewer["auditor"], document, {"id": garbage})

    assert refused.value.codes == ["INVALID_ID", "INVALID_ID"]
    assert refused.value.data == {"node": None, "nodes": [None]}


async def test_an_empty_list_and_no_ids_need_no_rows(world: World) -> None:
    document = """
    { nodes(ids: []) { id }
      needs(first: 1, where: {reference: {eq: "N-1999-000001"}}) {
        totalCount nodes { id } pageInfo { startCursor hasNextPage }
      } }
    """

    data = await ask(world.database, world.market.viewer["auditor"], document)

    assert data["nodes"] == []
    assert data["needs"] == {
        "totalCount": 0,
        "nodes": [],
        "pageInfo": {"startCursor": None, "hasNextPage": False},
    }


async def test_more_edges_than_a_function_takes_arguments(world: World) -> None:
    aliases = " ".join(f"a{i}: allocations(first: 1) {{ totalCount }}" for i in range(110))
    document = f"{{ needs(first: 2) {{ nodes {{ id {aliases} }} }} }}"

    data = await ask(world.database, world.market.viewer["auditor"], document)

    need = data["needs"]["nodes"][0]
    assert len(need) == 111
    assert len({each["totalCount"] for key, each in need.items() if key.startswith("a")}) == 1
