"""`where` and `totalCount` say the same as plain Python over the rows."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from marketplace.domain.ids import opaque_id, reference
from marketplace.domain.registry.households import GROUPS
from tests.readgraph.asking import Refused, ask
from tests.readgraph.world import World

Row = dict[str, Any]
Test = Callable[[Row], bool]


class Conditions:
    """Random conditions over one table, each with the same thing as a Python function."""

    def __init__(self, world: World, table: str, letter: str, dice: random.Random) -> None:
        self.world, self.table, self.letter, self.dice = world, table, letter, dice
        self.rows = list(world.rows[table].values())

    def condition(self, depth: int) -> tuple[dict[str, Any], Test]:
        if depth == 0 or self.dice.random() < 0.4:
            return self.leaf()
        parts = [self.condition(depth - 1) for _ in range(self.dice.randint(0, 3))]
        tests = [test for _, test in parts]
        kind = self.dice.choice(("AND", "OR", "NOT", "both"))
        if kind == "NOT":
            inner, test = self.condition(depth - 1)
            return {"NOT": inner}, lambda row: not test(row)
        if kind == "both":  # fields side by side hold together
            one, first = self.leaf()
            other, second = self.condition(depth - 1)
            return {**one, "AND": [other]}, lambda row: first(row) and second(row)
        whole = all if kind == "AND" else any
        return {kind: [part for part, _ in parts]}, lambda row: whole(t(row) for t in tests)

    def leaf(self) -> tuple[dict[str, Any], Test]:
        options = {
            "needs": (self.status, self.number, self.moment, self.edge, self.printed, self.text),
            "offers": (self.status, self.mask, self.moment, self.edge, self.printed, self.title),
        }
        return self.dice.choice(options[self.table])()

    def status(self) -> tuple[dict[str, Any], Test]:
        known = sorted({row["status"] for row in self.rows})
        some = self.dice.sample(known, k=self.dice.randint(0, 2))
        if len(some) == 1 and self.dice.random() < 0.5:
            return {"status": {"eq": some[0]}}, lambda row: row["status"] == some[0]
        return {"status": {"oneOf": some}}, lambda row: row["status"] in some

    def number(self) -> tuple[dict[str, Any], Test]:
        low, high = sorted((self.dice.choice((5, 40, 41)), self.dice.choice((40, 90))))
        return (
            {"severity": {"gte": low, "lt": high}},
            lambda row: low <= row["severity"] < high,
        )

    def moment(self) -> tuple[dict[str, Any], Test]:
        column, outside = (
            ("deadline", "deadline") if self.table == "needs" else ("expires_at", "expiresAt")
        )
        if self.dice.random() < 0.3:
            missing = self.dice.random() < 0.5
            return {outside: {"isNull": missing}}, lambda row: (row[column] is None) is missing
        known = [row[column] for row in self.rows if row[column] is not None]
        at: datetime = self.dice.choice(known)
        text = at.astimezone(timezone(timedelta(hours=8))).isoformat()
        op = self.dice.choice(("eq", "gt", "gte", "lt", "lte"))
        return {
            outside: {op: text}
        }, lambda row: row[column] is not None and _COMPARE[op](row[column], at)

    def edge(self) -> tuple[dict[str, Any], Test]:
        if self.dice.random() < 0.3:
            chosen = self.dice.sample(sorted(self.world.rows["categories"]), k=2)
            ids = [opaque_id("Category", key) for key in chosen]
            return {"category": {"oneOf": ids}}, lambda row: row["category_id"] in chosen
        top = self.dice.choice(list(self.world.rows["categories"].values()))
        inside = {
            key
            for key, row in self.world.rows["categories"].items()
            if top["tree_low"] <= row["tree_low"] <= top["tree_high"]
        }
        return (
            {"category": {"within": opaque_id("Category", top["id"])}},
            lambda row: row["category_id"] in inside,
        )

    def printed(self) -> tuple[dict[str, Any], Test]:
        some = self.dice.sample(self.rows, k=2)
        said = [reference(self.letter, row["created_at"].year, row["id"]) for row in some]
        wrong = [
            "",
            "nonsense",
            reference("X", 2026, some[0]["id"]),
            reference(self.letter, 1999, some[0]["id"]),
        ]
        keys = {row["id"] for row in some}
        return {"reference": {"oneOf": [*said, *wrong]}}, lambda row: row["id"] in keys

    def text(self) -> tuple[dict[str, Any], Test]:
        known = [r["external_reference"] for r in self.rows if r["external_reference"]]
        text = self.dice.choice(known)
        return (
            {"externalReference": {"eq": text}},
            lambda row: row["external_reference"] == text,
        )

    def title(self) -> tuple[dict[str, Any], Test]:
        part = self.dice.choice(("ice", "R", "米", "%", "_", ""))
        return {"title": {"contains": part}}, lambda row: part in row["title"]

    def mask(self) -> tuple[dict[str, Any], Test]:
        bit = self.dice.choice((0, 1, 4))
        return (
            {"targetGroups": {"has": GROUPS[bit].value}},
            lambda row: bool(row["target_groups"] >> bit & 1),
        )


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda a, b: a == b,
    "gt": lambda a, b: a > b,
    "gte": lambda a, b: a >= b,
    "lt": lambda a, b: a < b,
    "lte": lambda a, b: a <= b,
}


@pytest.mark.parametrize(
    ("root", "node", "letter"), [("needs", "Need", "N"), ("offers", "Offer", "O")]
)
async def test_where_is_what_python_says(world: World, root: str, node: str, letter: str) -> None:
    dice = random.Random(11)
    conditions = Conditions(world, root, letter, dice)
    document = f"""
    query ($where: {node}Where) {{
      {root}(first: 100, where: $where) {{ totalCount nodes {{ id }} }}
    }}
    """

    for _ in range(150):
        where, test = conditions.condition(3)
        answer = await ask(
            world.database, world.market.viewer["auditor"], document, {"where": where}
        )
        expected = {opaque_id(node, row["id"]) for row in conditions.rows if test(row)}
        assert {each["id"] for each in answer[root]["nodes"]} == expected, where
        assert answer[root]["totalCount"] == len(expected), where


async def test_where_holds_below_too_and_counts_there(world: World) -> None:
    document = """
    { organizations(first: 100) { nodes { id
        offers(first: 1, where: {status: {eq: OPEN}, NOT: {title: {eq: ""}}}) {
          totalCount nodes { status title }
        } } } }
    """

    data = await ask(world.database, world.market.viewer["auditor"], document)

    for organization in data["organizations"]["nodes"]:
        expected = sum(
            opaque_id("Organization", row["organization_id"]) == organization["id"]
            and row["status"] == "OPEN"
            and row["title"] != ""
            for row in world.rows["offers"].values()
        )
        assert organization["offers"]["totalCount"] == expected
        assert len(organization["offers"]["nodes"]) == min(1, expected)


async def test_what_cannot_be_asked_is_refused_and_named(world: World) -> None:
    region = opaque_id("Region", 1)
    cases: list[tuple[dict[str, Any], str]] = [
        ({"category": {"eq": region}}, "INVALID_ID"),  # of another type
        ({"category": {"within": "garbage"}}, "INVALID_ID"),
        ({"reference": {"oneOf": ["N-2026-000001"] * 101}}, "BAD_USER_INPUT"),
        ({"OR": [{"severity": {"eq": 1}}] * 101}, "BAD_USER_INPUT"),
        (_nested(9), "BAD_USER_INPUT"),
        (_nested(150), "MAX_INPUT_DEPTH_EXCEEDED"),  # before the read graph sees it
        ({"externalReference": {"eq": "a\u0000b"}}, "BAD_USER_INPUT"),
        ({"externalReference": {"oneOf": ["\ud800"]}}, "BAD_USER_INPUT"),
    ]
    document = "query ($where: NeedWhere) { needs(first: 1, where: $where) { totalCount } }"
    for where, code in cases:
        with pytest.raises(Refused) as refused:
            await ask(world.database, world.market.viewer["auditor"], document, {"where": where})
        assert refused.value.codes == [code], where


def _nested(levels: int) -> dict[str, Any]:
    where: dict[str, Any] = {"severity": {"gte": 0}}
    for level in range(levels):
        some = {"severity": {"lte": 1_000}}
        where = {"OR": [some, where]} if level % 2 else {"AND": [some, where]}
    return where


async def test_the_deepest_condition_that_is_allowed_is_answered_below_too(world: World) -> None:
    document = """
    query ($where: OfferWhere) { needs(first: 1) { nodes { allocations(first: 1) { nodes { offer {
      organization { offers(first: 1, where: $where) { totalCount nodes { id } } } } } } } } }
    """
    where: dict[str, Any] = {"title": {"contains": ""}}
    for level in range(7):  # and one NOT at the bottom
        some = {"title": {"eq": "x"}, "createdAt": {"gte": "2020-01-01T00:00:00Z"}}
        where = {"OR": [some, where]} if level % 2 else {"AND": [{"NOT": some}, where]}
    deep = world.market.viewer["auditor"]

    assert await ask(world.database, deep, document, {"where": where})


async def test_odd_but_valid_values_are_answered(world: World) -> None:
    document = "query ($where: NeedWhere) { needs(first: 1, where: $where) { totalCount } }"
    early, late = "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"
    for where in (
        {"createdAt": {"gte": early, "lte": late}},
        {"severity": {"lte": 2**31 - 1, "gte": -(2**31)}},
        {"reference": {"eq": "N-9999-000001"}, "OR": [{"reference": {"eq": "N-0000-000001"}}]},
        {"reference": {"eq": "N-2026-999999999999999999"}},
        {"status": None, "AND": None},
        {},
        None,
    ):
        data = await ask(world.database, world.market.viewer["auditor"], document, {"where": where})
        asked_by_reference = where is not None and "reference" in where
        expected = 0 if asked_by_reference else len(world.rows["needs"])
        assert data["needs"]["totalCount"] == expected, where
