"""Pages of every list, in every order and direction, are complete while rows are added."""

from __future__ import annotations

import base64
import random
from datetime import timedelta
from itertools import pairwise, product
from typing import Any
from uuid import uuid4

import orjson
import pytest
import sqlalchemy as sa

from marketplace.domain.ids import opaque_id
from marketplace.persistence.tables import needs
from schema.readgraph.declare import NODES
from schema.readgraph.inputs import orderable, spelled
from tests.readgraph.asking import Refused, ask, counted
from tests.readgraph.world import World

ROOTS = {
    "needs": "Need",
    "publishedNeeds": "PublishedNeed",
    "offers": "Offer",
    "organizations": "Organization",
    "regions": "Region",
    "categories": "Category",
    "households": "Household",
    "plans": "Plan",
    "allocations": "Allocation",
}


def orders_of(node: str) -> list[list[tuple[str, bool]]]:
    """No order, every field both ways, and every pair of the first fields both ways."""
    names = orderable(NODES[node])
    ones = [[(name, down)] for name in names for down in (False, True)]
    pairs = [
        [(a, x), (b, y)] for a, b in pairwise(names) for x, y in product((False, True), repeat=2)
    ]
    return [[], *ones, *pairs]


def spelled_out(order: list[tuple[str, bool]]) -> list[dict[str, str]]:
    return [
        {"field": spelled(name), "direction": "DESC" if down else "ASC"} for name, down in order
    ]


def document_for(root: str, node: str) -> str:
    return f"""
    query ($first: Int, $after: String, $last: Int, $before: String, $order: [{node}Order!]) {{
      {root}(first: $first, after: $after, last: $last, before: $before, orderBy: $order) {{
        totalCount
        edges {{ cursor node {{ id }} }}
        pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }}
      }}
    }}
    """


async def walk(
    world: World, root: str, order: list[tuple[str, bool]], *, backward: bool, dice: random.Random
) -> list[str]:
    """All ids of a list, page by page, in the order of the list."""
    size, cursor = ("last", "before") if backward else ("first", "after")
    found: list[str] = []
    variables: dict[str, Any] = {"order": spelled_out(order)}
    while True:
        variables[size] = dice.randint(1, 7)
        data = await ask(
            world.database,
            world.market.viewer["auditor"],
            document_for(root, ROOTS[root]),
            variables,
        )
        page = data[root]
        ids = [edge["node"]["id"] for edge in page["edges"]]
        info = page["pageInfo"]
        assert len(ids) <= variables[size]
        if ids:
            assert info["startCursor"] == page["edges"][0]["cursor"]
            assert info["endCursor"] == page["edges"][-1]["cursor"]
        assert info["hasPreviousPage" if not backward else "hasNextPage"] == (cursor in variables)
        found = [*ids, *found] if backward else [*found, *ids]
        if not info["hasPreviousPage" if backward else "hasNextPage"]:
            return found
        variables[cursor] = info["startCursor" if backward else "endCursor"]


@pytest.mark.one_database
@pytest.mark.parametrize("root", sorted(ROOTS))
async def test_every_order_of_a_list_is_complete(world: World, root: str) -> None:
    dice = random.Random(7)
    node = ROOTS[root]
    whole = {opaque_id(node, key) for key in world.rows[NODES[node].table.name]}

    for order, backward in product(orders_of(node), (False, True)):
        found = await walk(world, root, order, backward=backward, dice=dice)
        assert len(found) == len(set(found)) == len(whole), order
        assert set(found) == whole
        assert found == _sorted(world, node, order), order


def _sorted(world: World, node: str, order: list[tuple[str, bool]]) -> list[str]:
    """The ids as Python puts them: what has no value last, ties by id."""
    rows = list(world.rows[NODES[node].table.name].values())
    fixed = [(step.field, step.down) for step in NODES[node].order]
    steps = [*(order or fixed)]
    if "id" not in [name for name, _ in steps]:
        steps.append(("id", steps[-1][1]))
    for name, down in reversed(steps):
        column = NODES[node].fields[name].spec.cells[0]  # type: ignore[union-attr]
        known = [row for row in rows if row[column] is not None]
        missing = [row for row in rows if row[column] is None]
        # Turned round, equal rows keep their order: ties are settled by the steps that follow.
        rows = sorted(known, key=lambda row: row[column], reverse=down)
        rows += missing
    return [opaque_id(node, row["id"]) for row in rows]


@pytest.mark.parametrize("seed", range(3))
async def test_no_row_is_missed_or_seen_twice_while_others_are_added(
    world: World, seed: int
) -> None:
    dice = random.Random(seed)
    viewer = world.market.viewer["auditor"]
    for order in orders_of("Need"):
        backward = dice.random() < 0.5
        before = {opaque_id("Need", key) for key in await _need_ids(world)}
        size, cursor = ("last", "before") if backward else ("first", "after")
        variables: dict[str, Any] = {"order": spelled_out(order), size: dice.randint(5, 20)}
        seen: list[str] = []
        more = True
        while more:
            document = document_for("needs", "Need")
            page = (await ask(world.database, viewer, document, variables))["needs"]
            seen += [edge["node"]["id"] for edge in page["edges"]]
            info = page["pageInfo"]
            more = info["hasPreviousPage" if backward else "hasNextPage"]
            variables[cursor] = info["startCursor" if backward else "endCursor"]
            if len(seen) < 2 * len(before):
                await _add_needs(world, dice)
        assert len(seen) == len(set(seen)), order
        assert before <= set(seen), order
        await _trim(world, before)


async def _need_ids(world: World) -> list[int]:
    async with world.database.read() as db:
        return [row["id"] for row in await db.rows(sa.select(needs.c.id))]


async def _add_needs(world: World, dice: random.Random) -> None:
    like = dice.choice(list(world.rows["needs"].values()))
    fresh = {key: value for key, value in like.items() if key not in {"id", "external_reference"}}
    moved = timedelta(minutes=dice.randint(-2, 2))
    async with world.database.write() as db:
        for _ in range(2):
            await db.insert(
                needs,
                {
                    **fresh,
                    "seal_id": uuid4().hex,
                    "created_at": like["created_at"] + moved,
                    "severity": dice.randint(1, 100),
                    "deadline": dice.choice((None, like["created_at"] + moved)),
                },
            )


async def _trim(world: World, kept: set[str]) -> None:
    """Take the added rows away again, so that the next order begins with as many."""
    added = [key for key in await _need_ids(world) if opaque_id("Need", key) not in kept]
    async with world.database.write() as db:
        await db.execute(sa.delete(needs).where(needs.c.id.in_(added)))


async def test_pages_below_every_row_go_their_own_way(world: World) -> None:
    """One document pages the allocations of one need; below others the same cursor means theirs."""
    viewer = world.market.viewer["auditor"]
    document = """
    query ($after: String, $before: String, $id: ID!) {
      node(id: $id) { ... on Offer {
        forward: allocations(first: 2, after: $after, orderBy: [{field: STATUS}]) {
          totalCount edges { cursor node { id status } } pageInfo { hasNextPage hasPreviousPage }
        }
        backward: allocations(last: 2, before: $before, orderBy: [{field: STATUS}]) {
          edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage }
        }
      } }
    }
    """
    for offer_id in world.rows["offers"]:
        mine = [a for a in world.rows["allocations"].values() if a["offer_id"] == offer_id]
        whole = [a["id"] for a in sorted(mine, key=lambda a: (a["status"], a["id"]))]
        variables: dict[str, Any] = {"id": opaque_id("Offer", offer_id)}
        forward: list[str] = []
        backward: list[str] = []
        for _ in range(len(whole) // 2 + 1):
            with counted(world.database) as sent:
                offer = (await ask(world.database, viewer, document, variables))["node"]
            assert len(sent) == 1
            assert offer["forward"]["totalCount"] == len(whole)
            forward += [edge["node"]["id"] for edge in offer["forward"]["edges"]]
            backward = [edge["node"]["id"] for edge in offer["backward"]["edges"]] + backward
            assert offer["forward"]["pageInfo"]["hasPreviousPage"] == ("after" in variables)
            if not offer["forward"]["pageInfo"]["hasNextPage"]:
                break
            variables["after"] = offer["forward"]["edges"][-1]["cursor"]
            variables["before"] = offer["backward"]["edges"][0]["cursor"]
        assert forward == backward == [opaque_id("Allocation", key) for key in whole]


async def test_between_two_cursors_lies_what_lies_between(world: World) -> None:
    viewer = world.market.viewer["auditor"]
    document = document_for("needs", "Need")
    whole = (await ask(world.database, viewer, document, {"first": 100}))["needs"]["edges"]
    variables = {"first": 4, "after": whole[3]["cursor"], "before": whole[10]["cursor"]}

    page = (await ask(world.database, viewer, document, variables))["needs"]

    assert page["edges"] == whole[4:8]
    assert page["pageInfo"]["hasNextPage"] is True
    assert page["pageInfo"]["hasPreviousPage"] is True
    last = {"last": 3, "after": whole[3]["cursor"], "before": whole[10]["cursor"]}
    page = (await ask(world.database, viewer, document, last))["needs"]
    assert page["edges"] == whole[7:10]


def _forged(*content: object) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(list(content))).rstrip(b"=").decode()


GARBAGE = [
    "",
    "zzz",
    "é",
    "a" * 5_000,
    _forged(),
    _forged("Need"),
    _forged("Need", "createdAt-,id-"),
    _forged("Need", "createdAt-,id-", None, 1),
    _forged("Need", "createdAt-,id-", "2026-11-24T00:00:00Z", "1"),
    _forged("Need", "createdAt-,id-", "2026-11-24T00:00:00Z", True),
    _forged("Need", "createdAt-,id-", "2026-11-24T00:00:00Z", 2**63),
    _forged("Need", "createdAt-,id-", "yesterday", 1),
    _forged("Need", "createdAt-,id-", "2026-11-24T00:00:00Z", 1, 1),
    _forged("Offer", "createdAt-,id-", "2026-11-24T00:00:00Z", 1),
    _forged("Need", "severity+,id+", 1, 1),
]


async def test_a_cursor_that_was_never_given_out_is_refused(world: World) -> None:
    viewer = world.market.viewer["auditor"]
    for garbage, (size, cursor) in product(GARBAGE, (("first", "after"), ("last", "before"))):
        variables = {size: 1, cursor: garbage}
        with pytest.raises(Refused) as refused:
            await ask(world.database, viewer, document_for("needs", "Need"), variables)
        assert refused.value.codes == ["INVALID_CURSOR"]


async def test_a_cursor_of_another_order_is_refused(world: World) -> None:
    viewer = world.market.viewer["auditor"]
    document = document_for("needs", "Need")
    page = (await ask(world.database, viewer, document, {"first": 1}))["needs"]
    after = page["edges"][0]["cursor"]

    with pytest.raises(Refused) as refused:
        order = [{"field": "SEVERITY", "direction": "DESC"}]
        await ask(world.database, viewer, document, {"first": 1, "after": after, "order": order})

    assert refused.value.codes == ["INVALID_CURSOR"]


NO_PAGE = [
    ("", ["needs", "first"]),
    ("(first: 1, last: 1)", ["needs", "first"]),
    ("(first: 0)", ["needs", "first"]),
    ("(first: -1)", ["needs", "first"]),
    ("(first: 101)", ["needs", "first"]),
    ("(last: 101)", ["needs", "last"]),
    ("(first: null)", ["needs", "first"]),
    ("(first: 1, orderBy: [{field: SEVERITY}, {field: SEVERITY}])", ["needs", "orderBy"]),
]


async def test_a_page_of_no_sensible_size_is_refused_and_says_where(world: World) -> None:
    for arguments, field in NO_PAGE:
        with pytest.raises(Refused) as refused:
            document = f"{{ needs{arguments} {{ nodes {{ id }} }} }}"
            await ask(world.database, world.market.viewer["auditor"], document)

        assert refused.value.codes == ["BAD_USER_INPUT"]
        assert refused.value.errors[0].extensions["fields"] == [field]


async def test_the_limit_holds_below_as_well(world: World) -> None:
    document = "{ needs(first: 1) { nodes { mine: allocations(first: 101) { totalCount } } } }"

    with pytest.raises(Refused) as refused:
        await ask(world.database, world.market.viewer["auditor"], document)

    fields = refused.value.errors[0].extensions["fields"]
    assert fields == [["needs", "nodes", "mine", "first"]]
