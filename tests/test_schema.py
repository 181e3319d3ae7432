"""The graph as a whole: its committed SDL, descriptions, rules for mutations, and examples."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    OperationDefinitionNode,
    get_named_type,
    is_non_null_type,
    is_specified_directive,
    is_specified_scalar_type,
    parse,
    specified_rules,
    validate,
)

from marketplace.domain.permissions import MUTATIONS
from marketplace.domain.states import WORDS
from marketplace.settings import Settings
from schema.cost import cost_of
from schema.limits import excess_of
from schema.root import build_schema, sdl

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "schema/assets/examples.graphql"


@pytest.fixture(scope="module")
def graph() -> GraphQLSchema:
    return build_schema(Settings())._schema


def test_the_committed_sdl_is_the_graph_of_this_code() -> None:
    committed = (ROOT / "schema.graphql").read_text(encoding="utf-8")

    assert committed == sdl(), "schema.graphql is stale: run 'make schema' and look at the change"


def test_everything_in_the_graph_has_a_description(graph: GraphQLSchema) -> None:
    assert [name for name, text in _described(graph) if not (text or "").strip()] == []


def test_every_description_is_a_sentence(graph: GraphQLSchema) -> None:
    assert [n for n, text in _described(graph) if text and text.strip()[-1] not in ".…!?)。"] == []


def test_every_state_has_one_word_in_chinese_that_its_description_begins_with(
    graph: GraphQLSchema,
) -> None:
    told = {
        name: {value: (each.description or "").partition(",")[0] for value, each in of.items()}
        for name, made in graph.type_map.items()
        if (name.endswith("Status") or name in WORDS)
        and isinstance(made, GraphQLEnumType)
        and (of := made.values)
    }

    assert told == WORDS


def test_every_mutation_has_a_rule_of_who_may_call_it(graph: GraphQLSchema) -> None:
    mutations = set(graph.mutation_type.fields) if graph.mutation_type else set()

    assert mutations - set(MUTATIONS) == set()


def test_every_rule_is_for_something_that_can_be_called(graph: GraphQLSchema) -> None:
    callable_ = set(graph.mutation_type.fields) if graph.mutation_type else set()
    callable_ |= set(graph.query_type.fields) if graph.query_type else set()

    assert set(MUTATIONS) - callable_ == set()


def test_every_mutation_answers_a_payload_with_a_nullable_entity_and_user_errors(
    graph: GraphQLSchema,
) -> None:
    for name, field in (graph.mutation_type.fields if graph.mutation_type else {}).items():
        payload = get_named_type(field.type)
        assert payload.name == name[0].upper() + name[1:] + "Payload"
        assert isinstance(payload, GraphQLObjectType)
        others = {n: f for n, f in payload.fields.items() if n != "userErrors"}
        assert "userErrors" in payload.fields
        assert others
        assert not any(is_non_null_type(_entity(f)) for f in others.values())


def test_every_connection_takes_first_and_last_and_no_list_hides_one(graph: GraphQLSchema) -> None:
    for name, field in _fields(graph):
        if get_named_type(field.type).name.endswith("Connection"):
            assert {"first", "last", "after", "before"} <= set(field.args), name


def test_every_example_is_valid_named_and_within_the_limits(graph: GraphQLSchema) -> None:
    document = parse(EXAMPLES.read_text(encoding="utf-8"))
    settings = Settings()

    assert validate(graph, document, specified_rules) == []
    assert excess_of(document, settings) is None
    for operation in document.definitions:
        assert isinstance(operation, OperationDefinitionNode)
        assert operation.name is not None
        assert cost_of(graph, document, operation.name.value, {}) <= settings.query_cost_max


def _entity(field: GraphQLField) -> object:
    """A list of what was left out may be empty; a single thing may be absent."""
    inner = getattr(field.type, "of_type", None)
    return inner if inner is not None and "[" not in str(field.type) else None


def _fields(graph: GraphQLSchema) -> Iterator[tuple[str, GraphQLField]]:
    for kind in graph.type_map.values():
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType) and kind.name[:2] != "__":
            for name, field in kind.fields.items():
                yield f"{kind.name}.{name}", field


def _described(graph: GraphQLSchema) -> Iterator[tuple[str, str | None]]:
    """Everything that can have a description, by name."""
    for kind in graph.type_map.values():
        if kind.name.startswith("__") or is_specified_scalar_type(kind):
            continue
        yield kind.name, kind.description
        if isinstance(kind, GraphQLEnumType):
            for name, value in kind.values.items():
                yield f"{kind.name}.{name}", value.description
        elif isinstance(kind, GraphQLInputObjectType):
            for name, given in kind.fields.items():
                yield f"{kind.name}.{name}", given.description
        assert not isinstance(kind, GraphQLUnionType), "unions need a rule here"
    for name, field in _fields(graph):
        yield name, field.description
        for argument, about in field.args.items():
            yield f"{name}({argument})", about.description
    for directive in graph.directives:
        if not is_specified_directive(directive):
            yield f"@{directive.name}", directive.description
