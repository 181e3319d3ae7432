"""What a mutation answers is read like everything else: by its selection and the viewer's eyes."""

from __future__ import annotations

from marketplace.domain.ids import opaque_id
from tests.readgraph.asking import ask, counted
from tests.readgraph.world import World

PAUSE = """
mutation ($id: ID!) {
  offerPause(input: {id: $id}) {
    offer { reference status organization { name } }
    again: offer {
      status
      allocations(first: 2) { totalCount nodes { id } }
      organization { offers(first: 1) { totalCount } }
    }
    userErrors { code }
  }
}
"""


def _open_offer(world: World) -> dict[str, object]:
    charity = world.market.organization["charity"]
    return next(
        offer
        for offer in world.rows["offers"].values()
        if offer["status"] == "OPEN" and offer["organization_id"] == charity
    )


async def test_each_key_of_a_payload_gets_its_own_selection(world: World) -> None:
    offer = _open_offer(world)
    variables = {"id": opaque_id("Offer", int(str(offer["id"])))}

    with counted(world.database) as sent:
        data = await ask(world.database, world.market.viewer["provider"], PAUSE, variables)

    answer = data["offerPause"]
    assert answer["userErrors"] == []
    assert answer["offer"].keys() == {"reference", "status", "organization"}
    assert answer["offer"]["status"] == answer["again"]["status"] == "PAUSED"
    expected = sum(a["offer_id"] == offer["id"] for a in world.rows["allocations"].values())
    assert answer["again"]["allocations"]["totalCount"] == expected
    assert sum("level_1" in statement for statement in sent) == 1


async def test_a_payload_that_asks_for_no_entity_reads_none(world: World) -> None:
    offer = _open_offer(world)
    document = "mutation ($id: ID!) { offerPause(input: {id: $id}) { userErrors { code } } }"
    variables = {"id": opaque_id("Offer", int(str(offer["id"])))}

    with counted(world.database) as sent:
        await ask(world.database, world.market.viewer["provider"], document, variables)

    assert not any("level_1" in statement for statement in sent)
