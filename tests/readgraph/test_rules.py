"""Nothing is in the graph without a rule: what is not declared cannot be read."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
import strawberry
from graphql import GraphQLObjectType, get_named_type

from marketplace.persistence.tables import members, needs
from marketplace.persistence.tables.columns import metadata
from schema.readgraph.declare import (
    NODES,
    Descending,
    Entity,
    Leaf,
    Many,
    One,
    Referenced,
    column,
    node,
)
from schema.readgraph.install import unruled
from schema.readgraph.narrowed import Narrowed
from schema.registry.trees import everyone
from tests.readgraph.asking import schema

# Types of the graph that are no rows of a table: values, and what operations answer with.
VALUES = {"Money", "Quantity", "PageInfo", "UserError", "Viewer"}


def test_every_field_of_every_node_has_a_rule() -> None:
    assert unruled(schema()) == []


def test_no_two_things_are_printed_with_one_letter() -> None:
    schema()
    letters: dict[str, str] = {}
    for name, each in NODES.items():
        declared = each.fields.get("reference")
        spec = declared.spec if declared is not None else None
        if isinstance(spec, Leaf) and isinstance(spec.filter, Referenced):
            assert letters.setdefault(spec.filter.letter, each.table.name) == each.table.name, name


def test_every_type_that_a_query_can_reach_is_a_node_a_page_or_a_known_value() -> None:
    graph = schema()._schema
    assert graph.query_type is not None
    seen: set[str] = set()
    waiting = [graph.query_type]
    while waiting:
        made = waiting.pop()
        for field in made.fields.values():
            found = get_named_type(field.type)
            if isinstance(found, GraphQLObjectType) and found.name not in seen:
                seen.add(found.name)
                waiting.append(found)
    pages = {f"{name}{kind}" for name in NODES for kind in ("Connection", "Edge")}

    unknown = seen - NODES.keys() - pages - VALUES

    assert {name for name in unknown if not _is_a_plain_value(graph.type_map[name])} == set()


def _is_a_plain_value(made: Any) -> bool:
    """A type whose fields lead nowhere: it can only hold what a declared field put into it."""
    return all(
        not isinstance(get_named_type(field.type), GraphQLObjectType) or not field.args
        for field in made.fields.values()
    ) and not any(get_named_type(field.type).name in NODES for field in made.fields.values())


def test_a_node_without_visibility_cannot_be_declared() -> None:
    with pytest.raises(TypeError, match="visible"):
        node(table=needs, order=(), description="Nobody said who sees it.")  # type: ignore[call-arg]


def test_a_field_with_nothing_behind_it_cannot_be_declared() -> None:
    class Loose(Entity):
        status: str = column("status", "Declared.")
        secret: str = strawberry.field(description="Not declared.")

    with pytest.raises(TypeError, match=r"Loose\.secret"):
        node(table=needs, visible=everyone, order=(Descending("id"),), description="A mistake.")(
            Loose
        )
    assert "Loose" not in NODES


def test_a_resolver_on_a_node_cannot_be_declared() -> None:
    class Resolving(Entity):
        @strawberry.field(description="Would be asked for every row.")
        async def slow(self) -> str:
            return ""

    with pytest.raises(TypeError, match=r"Resolving\.slow"):
        node(table=needs, visible=everyone, order=(Descending("id"),), description="A mistake.")(
            Resolving
        )


def test_personal_data_is_no_part_of_the_read_graph() -> None:
    sealed = {c for table in metadata.tables.values() for c in table.c if "sealed" in c.name}
    assert sealed

    for kind, each in NODES.items():
        assert each.table is not members
        for name, declared in each.fields.items():
            if isinstance(declared.spec, Leaf):
                used = _columns(each.table, declared.spec)
                assert not {c for c in used if "seal" in c or c.endswith("_index")}, (kind, name)


def _columns(table: sa.Table, leaf: Leaf) -> set[str]:
    names: set[str] = set()
    for cell in leaf.cells:
        if isinstance(cell, str):
            names.add(cell)
        else:
            for element in sa.sql.visitors.iterate(cell(table.c)):
                if isinstance(element, sa.Column):
                    names.add(element.name)
    return names


def test_every_edge_stands_on_columns_that_are_there_and_indexed() -> None:
    for kind, each in NODES.items():
        for name, declared in each.fields.items():
            spec = declared.spec
            if not isinstance(spec, One | Many):
                continue
            target = NODES[spec.target].table
            assert spec.here in each.table.c, (kind, name)
            through = spec.through if isinstance(spec, Many) else None
            if isinstance(through, Narrowed):
                continue  # a condition of its own, which its own tests look at
            table, there = (through.table, through.here) if through else (target, spec.there)
            assert _is_indexed(table, there), (kind, name)
            if isinstance(spec, One):
                assert _is_unique(target, spec.there), (kind, name)


def _leading(table: sa.Table) -> list[tuple[list[str], bool]]:
    """The columns of every index or key of a table, and whether it is unique."""
    found = [([c.name for c in table.primary_key.columns], True)]
    found += [([c.name for c in index.columns], bool(index.unique)) for index in table.indexes]
    found += [
        ([c.name for c in constraint.columns], True)
        for constraint in table.constraints
        if isinstance(constraint, sa.UniqueConstraint)
    ]
    return found


def _is_indexed(table: sa.Table, name: str) -> bool:
    return any(columns[0] == name for columns, _ in _leading(table) if columns)


def _is_unique(table: sa.Table, name: str) -> bool:
    return any(columns == [name] and unique for columns, unique in _leading(table))
