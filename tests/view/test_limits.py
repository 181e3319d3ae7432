"""Limits and cost: what is counted, and that a document is judged once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from graphql import build_schema as from_sdl
from graphql import parse

from marketplace.domain.permissions import Viewer
from marketplace.persistence.database import Database
from marketplace.settings import Settings
from schema.budget import CALLERS_KEPT, Budget, Purse
from schema.context import Context
from schema.cost import cost_of
from schema.limits import Checks, excess_of
from schema.root import build_schema
from tests.fixtures.served import served, settings_for

SDL = """
interface Node { id: ID! }
type Need implements Node { id: ID! offers(first: Int, last: Int): OfferConnection! region: Region }
type NeedConnection { nodes: [Need!]! edges: [NeedEdge!]! pageInfo: PageInfo! totalCount: Int! }
type NeedEdge { node: Need! cursor: String! }
type Offer { id: ID! region: Region remaining: Quantity! }
type Quantity { value: String! unit: String! }
type OfferConnection { nodes: [Offer!]! edges: [OfferEdge!]! pageInfo: PageInfo! }
type OfferEdge { node: Offer! }
type PageInfo { hasNextPage: Boolean! }
type Region { id: ID! parent: Region children: [Region!]! }
type Query {
  needs(first: Int, last: Int): NeedConnection!
  nodes(ids: [ID!]!): [Node]!
  region: Region
}
type Mutation { needCreate: Need needClose: Need }
"""
GRAPH = from_sdl(SDL)
WHO = "{ viewer { role } }"
NEW = "application/graphql-response+json"


@pytest.mark.parametrize(
    ("query", "variables", "cost"),
    [
        ("{ needs(first: 50) { nodes { id } } }", {}, 1 + 50),
        ("{ needs(first: 50) { edges { cursor node { id } } pageInfo { hasNextPage } } }", {}, 51),
        # The benchmark's shape: 50 needs, each with a region and five offers with theirs.
        (
            "{ needs(first: 50) { nodes { region { id } offers(first: 5) { nodes { region { id }"
            " } } } } }",
            {},
            1 + 50 * (1 + 1 + 1 + 5 * 2),
        ),
        ("query Q($n: Int) { needs(first: $n) { nodes { id } } }", {"n": 7}, 8),
        ("query Q($n: Int = 9) { needs(last: $n) { nodes { id } } }", {}, 10),
        ("{ needs { nodes { id } } }", {}, 101),
        ("{ needs(first: 2) { totalCount } }", {}, 6),
        ('{ nodes(ids: ["a", "b", "c"]) { id } }', {}, 3),
        ("query Q($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": ["a"] * 40}, 40),
        ("{ region { children { id } } }", {}, 11),
        ("{ a: needs(first: 5) { nodes { id } } b: needs(first: 5) { nodes { id } } }", {}, 12),
        (
            "{ needs(first: 3) { ...P } } fragment P on NeedConnection { nodes { ...N } }"
            " fragment N on Need { region { id } }",
            {},
            1 + 3 * 2,
        ),
        ("{ nodes(ids: []) { ... on Need { region { id } } } }", {}, 0),
        ("mutation { needCreate { id } needClose { id } }", {}, 2 + 20),
        ("{ __typename }", {}, 0),
        (
            "{ needs(first: 2) { nodes { offers(first: 3) { nodes { remaining { unit } } } } } }",
            {},
            11,
        ),
        ("{ needs(first: -5) { nodes { id } } }", {}, 1),
    ],
)
def test_the_cost_is_the_number_of_objects_that_the_answer_can_hold(
    query: str, variables: dict[str, object], cost: int
) -> None:
    assert cost_of(GRAPH, parse(query), None, variables) == cost


def test_only_the_named_operation_is_paid_for() -> None:
    document = parse("query A { region { id } } query B { needs(first: 9) { nodes { id } } }")

    assert cost_of(GRAPH, document, "A", {}) == 1
    assert cost_of(GRAPH, document, "B", {}) == 10


def test_a_cost_that_no_number_could_hold_is_cut_off() -> None:
    deep = "{ needs(first: 2000000000) { nodes { offers(first: 2000000000) { nodes { id } } } } }"

    assert cost_of(GRAPH, parse(deep), None, {}) == 10**12


def test_fragments_are_counted_once_however_often_they_are_spread() -> None:
    text = "{ needs(first: 1) { nodes { ...F0 } } }" + "".join(
        f"fragment F{i} on Need {{ ...F{i + 1} ... {{ ...F{i + 1} }} }}" for i in range(100)
    )
    text += "fragment F100 on Need { id }"

    assert excess_of(parse(text), Settings()) is None
    assert cost_of(GRAPH, parse(text), None, {}) == 2


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{ a { b { c { d } } } }", "MAX_DEPTH_EXCEEDED"),
        ("{ ...F } fragment F on Q { a { b { c { d } } } }", "MAX_DEPTH_EXCEEDED"),
        ("{ a { ... { ... { b { c } } } } }", None),
        ("{ a:x b:x c:x d:x }", "MAX_ALIASES_EXCEEDED"),
        ("{ x x x x x }", "MAX_ALIASES_EXCEEDED"),
        ("{ a ...F } fragment F on Q { b: x c: x d: x e: x }", "MAX_ALIASES_EXCEEDED"),
        ("{ a @x @x ... @x { b @x } }", "MAX_DIRECTIVES_EXCEEDED"),
        ("query Q($a: Int @x) @x @x @x { a }", "MAX_DIRECTIVES_EXCEEDED"),
        ("{ a } fragment Unused on Q { b @x @x @x @x }", "MAX_DIRECTIVES_EXCEEDED"),
        ("{ __schema { types { fields { type { ofType { ofType { name } } } } } } }", None),
    ],
)
def test_what_a_document_may_hold(query: str, code: str | None) -> None:
    limits = Settings(query_depth_max=3, query_aliases_max=3, query_directives_max=3)

    excess = excess_of(parse(query), limits)

    assert (excess.code if excess else None) == code


@pytest.fixture
async def asked(sqlite_copy_of: Path) -> tuple[Context, Database]:
    database = Database(f"sqlite+aiosqlite:///{sqlite_copy_of}")
    context = Context(
        viewer=Viewer(), database=database, settings=Settings(), request_id="r", language="en"
    )
    return context, database


async def test_the_same_document_is_parsed_and_judged_once(
    asked: tuple[Context, Database],
) -> None:
    context, database = asked
    schema = build_schema(context.settings)
    gate = next(e for e in schema.get_extensions() if isinstance(e, Checks)).gate

    for number in range(5):
        answer = await schema.execute(
            "query Q($no: Boolean!) { viewer { role language @skip(if: $no) } }",
            {"no": bool(number % 2)},
            context_value=replace(context, request_id=str(number)),
        )
        assert answer.errors is None

    assert gate.judged.cache_info().hits == gate.parsed.cache_info().hits == 4
    assert gate.judged.cache_info().misses == gate.parsed.cache_info().misses == 1
    await database.close()


async def test_a_bad_document_is_remembered_as_bad_and_told_in_each_language(
    asked: tuple[Context, Database],
) -> None:
    context, database = asked
    schema = build_schema(context.settings)
    query = "{ viewer " * 20 + "}" * 20

    english = await schema.execute(query, context_value=context)
    chinese = await schema.execute(query, context_value=replace(context, language="zh-CN"))

    assert english.errors is not None
    assert chinese.errors is not None
    assert "nested 20 deep" in english.errors[0].message
    assert "嵌套 20 层" in chinese.errors[0].message
    await database.close()


def test_points_run_out_with_use_and_come_back_with_time() -> None:
    now = [0.0]
    budget = Budget(100, 10, clock=lambda: now[0])

    assert budget.charge("a", 80) == Purse(20, 0.0)
    assert budget.charge("a", 30) == Purse(20, 1.0)
    assert budget.charge("b", 30) == Purse(70, 0.0)
    now[0] = 1.0
    assert budget.charge("a", 30) == Purse(0, 0.0)
    now[0] = 1_000.0
    assert budget.charge("a", 1) == Purse(99, 0.0)


def test_only_so_many_callers_are_remembered() -> None:
    budget = Budget(10, 1, clock=lambda: 0.0)
    budget.charge("first", 10)

    for number in range(CALLERS_KEPT):
        budget.charge(str(number), 10)

    assert budget.charge("first", 10).wait_s == 0.0
    assert budget.charge(str(CALLERS_KEPT - 1), 10).wait_s == 10.0


def test_a_caller_without_points_is_told_when_to_come_again(
    sqlite_url: str, tmp_path: Path
) -> None:
    settings = settings_for(sqlite_url, tmp_path, budget_points=2, budget_points_per_s=1)
    with served(settings) as server:
        answers = [server.ask(WHO, Accept=NEW) for _ in range(4)]
        free = server.ask("{ __typename }", Accept=NEW)

    refused = answers[-1]
    assert answers[0].json()["extensions"]["cost"]["budget"]["max"] == 2
    assert refused.status_code == 429
    (error,) = refused.json()["errors"]
    assert error["extensions"] == {"code": "RATE_LIMITED", "retryAfterSeconds": 1}
    assert refused.headers["retry-after"] == "1"
    assert free.status_code == 200
