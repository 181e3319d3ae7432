"""One root field is one statement, however deep it goes."""

from __future__ import annotations

from schema.readgraph.plans import Recent
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


def _deeper(levels: int) -> str:
    """A selection that goes to and fro between offers and their organizations."""
    if levels == 0:
        return "id"
    return f"id organization {{ name offers(first: 2) {{ nodes {{ {_deeper(levels - 1)} }} }} }}"


async def test_the_deepest_selection_that_is_allowed_is_answered(world: World) -> None:
    document = f"{{ offers(first: 5) {{ nodes {{ {_deeper(3)} }} }} }}"

    with counted(world.database) as sent:
        data = await ask(world.database, world.market.viewer["auditor"], document)

    assert len(sent) == 1
    offer = data["offers"]["nodes"][0]
    for _ in range(3):
        offer = offer["organization"]["offers"]["nodes"][0]
    assert offer["id"]


async def test_each_root_field_is_a_statement_of_its_own(world: World) -> None:
    document = """
    { a: needs(first: 1) { totalCount } b: offers(first: 1) { nodes { id } }
      publishedNeeds(last: 3) { nodes { region { name } } } __typename }
    """

    with counted(world.database) as sent:
        await ask(world.database, world.market.viewer["auditor"], document)

    assert len(sent) == 3


def test_what_is_kept_is_bounded_and_the_latest_used_stay() -> None:
    recent: Recent[int, str] = Recent(3)
    for key in (1, 2, 3, 1, 4):
        assert recent.get(key, lambda key=key: f"made {key}") == f"made {key}"  # type: ignore[misc]

    assert len(recent) == 3
    assert recent.get(1, lambda: "made again") == "made 1"
    assert recent.get(2, lambda: "made again") == "made again"
