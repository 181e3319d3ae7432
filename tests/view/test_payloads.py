"""How a mutation answers: entity, userErrors in the client's words, and idempotency keys."""

from __future__ import annotations

import pytest

from tests.fixtures.served import Served

MAKE = """mutation M($input: ThingInput!) {
  thingMake(input: $input) { thing { name } userErrors { field message code } }
}"""


def make(server: Served, *, query: str = MAKE, **more: object) -> dict[str, object]:
    headers = {k: str(v) for k, v in more.items() if k[0].isupper()}
    given = {k: v for k, v in more.items() if not k[0].isupper()}
    response = server.ask(query, {"input": {"name": "x"} | given}, **headers)
    answer: dict[str, object] = response.json()
    return answer


def name_of(answer: dict[str, object]) -> str:
    return str(answer["data"]["thingMake"]["thing"]["name"])  # type: ignore[index]


def test_success_is_the_entity_and_no_errors(misbehaving: Served) -> None:
    made = make(misbehaving)["data"]["thingMake"]  # type: ignore[index]

    assert made["thing"]
    assert made["userErrors"] == []


def test_a_refusal_is_data_with_field_code_and_translated_message(misbehaving: Served) -> None:
    refused = make(misbehaving, name="clash", Accept_Language="zh")

    assert "errors" not in refused
    assert refused["data"]["thingMake"] == {  # type: ignore[index]
        "thing": None,
        "userErrors": [
            {"field": ["input", "name"], "message": "已被他人修改。", "code": "CONFLICT"}
        ],
    }


def test_a_refusal_of_the_whole_operation_is_a_top_level_error(misbehaving: Served) -> None:
    refused = make(misbehaving, name="forbidden")

    assert refused["errors"][0]["extensions"]["code"] == "FORBIDDEN"  # type: ignore[index]


def test_the_key_is_the_inputs_own_before_the_headers(misbehaving: Served) -> None:
    by_header = name_of(make(misbehaving, Idempotency_Key="from-header"))
    by_input = name_of(make(misbehaving, idempotencyKey="own", Idempotency_Key="from-header"))
    by_none = name_of(make(misbehaving))

    keys = [name.split()[0] for name in (by_header, by_input, by_none)]
    assert keys == ["from-header", "own", "None"]


def test_the_digest_depends_on_the_input_and_not_on_the_key(misbehaving: Served) -> None:
    first, same, other, nested = (
        name_of(make(misbehaving, **given)).split()[1]
        for given in (
            {"idempotencyKey": "a"},
            {"idempotencyKey": "b"},
            {"name": "y"},
            {"inside": [{"name": "x"}]},
        )
    )

    assert first == same
    assert len({first, other, nested}) == 3


TWO = """
  one: thingMake(input: $input) { thing { name } }
  two: thingMake(input: $input) { thing { name } }
"""


@pytest.mark.parametrize(
    "query",
    [
        f"mutation M($input: ThingInput!) {{ {TWO} }}",
        f"mutation M($input: ThingInput!) {{ ... on Mutation {{ {TWO} }} }}",
        f"mutation M($input: ThingInput!) {{ ...F }} fragment F on Mutation {{ {TWO} }}",
        f"mutation M($input: ThingInput!) {{ ...G }} fragment G on Mutation {{ ...F ...F }} "
        f"fragment F on Mutation {{ {TWO} }}",
    ],
)
def test_two_mutations_under_one_header_have_two_keys(misbehaving: Served, query: str) -> None:
    data = make(misbehaving, query=query, Idempotency_Key="k")["data"]

    keys = {part["thing"]["name"].split()[0] for part in data.values()}  # type: ignore[attr-defined]
    assert keys == {"k#one", "k#two"}


def test_one_mutation_has_the_headers_key_however_it_is_written(misbehaving: Served) -> None:
    query = """mutation M($input: ThingInput!) { ...F ...F }
    fragment F on Mutation { thingMake(input: $input) { thing { name } } }"""

    assert name_of(make(misbehaving, query=query, Idempotency_Key="k")).split()[0] == "k"
