"""One root field is one statement, however deep it goes."""

from __future__ import annotations

from tests.readgraph.asking import ask, counted
from tests.readgraph.world import World

DEEP = """
{
  needs(first: 50) {
    totalCount
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    edges {
      cursor
      node {
        id reference status severity quantity { value unit } remaining { value } allowedMoves
        region { id label parent { name parent { name } } }
        category { label(language: EN) referencePrice { amount currency } }
        household { memberCount targetGroups eligibilityClass severity assessedAt }
        allocations(first: 5) {
          totalCount
          nodes {
            id status served { value unit } drawn { value unit }
            offer {
              title
              organization {
                name
                offers(first: 2) { nodes { id regions(first: 3) { nodes { code } } } }
              }
            }
          }
        }
      }
    }
  }
}
"""


async def test_a_root_field_is_one_statement_at_any_depth(world: World) -> None:
    with counted(world.database) as sent:
        data = await ask(world.database, world.market.viewer["assistance"], DEEP)

    assert len(sent) == 1
    needs = [edge["node"] for edge in data["needs"]["edges"]]
    assert len(needs) == data["needs"]["totalCount"] == len(world.rows["needs"])
    assert any(need["allocations"]["nodes"] for need in needs)


SHALLOW = "{ needs(first: 50) { totalCount nodes { reference region { label } } } }"


async def test_a_shallow_one_too(world: World) -> None:
    with counted(world.database) as sent:
        data = await ask(world.database, world.market.viewer["assistance"], SHALLOW)

    assert len(sent) == 1
    assert len(data["needs"]["nodes"]) == len(world.rows["needs"])
