"""Putting the read graph into a built schema: bare resolvers, and the check that all is ruled."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import strawberry
from graphql import GraphQLInterfaceType, GraphQLObjectType, get_named_type

from schema.readgraph.declare import (
    NODES,
    Declared,
    Entity,
    RootMany,
    RootNode,
    RootNodes,
)
from schema.readgraph.decode import Value
from schema.readgraph.read import PerKey, Raw, read_list, read_node, read_nodes
from schema.scalars import Money, Quantity

BACKREF = "strawberry-definition"


def install(schema: strawberry.Schema) -> None:
    """Give every field of the read graph a resolver that only looks up what was read.

    Raises TypeError for a field of a node that has nothing behind it.
    """
    types = schema._schema.type_map
    for name in NODES:
        found = types.get(name)
        if not isinstance(found, GraphQLObjectType):
            continue  # a schema for tests holds only some nodes
        found.is_type_of = None  # values are plain dictionaries
        for made in (found, types.get(f"{name}Connection"), types.get(f"{name}Edge")):
            _look_up(made, only_declared=made is found)
    _look_up(types.get("PageInfo"), only_declared=False)
    interface = types.get(Entity.__strawberry_definition__.name)  # type: ignore[attr-defined]
    if isinstance(interface, GraphQLInterfaceType):
        interface.resolve_type = lambda value, _info, _type: str(value["__typename"])
    for each in types.values():
        if isinstance(each, GraphQLObjectType) and each.name not in NODES:
            _install_roots(each)
            _install_entities(each)
    for plain in (Money, Quantity):
        _attributes(types.get(plain.__name__))


def unruled(schema: strawberry.Schema) -> list[str]:
    """Fields of nodes without a rule, as `Type.field`; empty for a sound schema."""
    found = []
    for name, node in NODES.items():
        made = schema._schema.type_map.get(name)
        if isinstance(made, GraphQLObjectType):
            if not callable(node.visible):
                found.append(name)
            found += [f"{name}.{each}" for each in made.fields if each not in node.fields]
    return found


def _look_up(made: object, *, only_declared: bool) -> None:
    if not isinstance(made, GraphQLObjectType):
        return
    for name, field in made.fields.items():
        if only_declared and not isinstance(field.extensions.get(BACKREF), Declared):
            raise TypeError(f"{made.name}.{name} has nothing behind it.")
        field.resolve = _by_key


def _by_key(source: dict[str, Value], info: Raw, **_: object) -> Value:
    return source[info.path.key]  # type: ignore[index]


def _attributes(made: object) -> None:
    if isinstance(made, GraphQLObjectType):
        for name, field in made.fields.items():
            field.resolve = _attribute(name)


def _attribute(name: str) -> Callable[..., Value]:
    return lambda source, _info: getattr(source, name)


def _install_roots(made: GraphQLObjectType) -> None:
    for field in made.fields.values():
        declared = field.extensions.get(BACKREF)
        if isinstance(declared, Declared):
            field.resolve = _root_resolver(declared)


def _root_resolver(declared: Declared) -> Callable[..., Awaitable[Value]]:
    spec = declared.spec
    if isinstance(spec, RootMany):
        target, only = spec.target, spec.only

        async def listed(_source: object, info: Raw, **_: object) -> Value:
            return await read_list(info, target, only)

        return listed
    if isinstance(spec, RootNode):

        async def one(_source: object, info: Raw, *, id: str) -> Value:
            return await read_node(info, id)

        return one
    if isinstance(spec, RootNodes):

        async def several(_source: object, info: Raw, *, ids: list[str]) -> Value:
            return await read_nodes(info, ids)

        return several
    raise TypeError(f"{declared.python_name} is no root field.")


def _install_entities(made: GraphQLObjectType) -> None:
    """A payload's field of a node's type may hold one value for each of its response keys."""
    for field in made.fields.values():
        declared = field.extensions.get(BACKREF)
        if get_named_type(field.type).name in NODES and not isinstance(declared, Declared):
            field.resolve = _chosen(field.resolve)


def _chosen(resolve: Any) -> Callable[..., Any]:
    if getattr(resolve, "_is_default", False):

        def chosen(source: object, info: Raw, **arguments: object) -> Any:
            return _of_key(resolve(source, info, **arguments), info)

        return chosen
    return resolve  # type: ignore[no-any-return]


def _of_key(value: object, info: Raw) -> Any:
    if isinstance(value, PerKey):
        return value.views[str(info.path.key)]
    if isinstance(value, list):
        return [_of_key(each, info) for each in value]
    return value
