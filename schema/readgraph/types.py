"""The types that are made of declarations: connections, pages, and what edges are typed with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import strawberry
from strawberry.annotation import StrawberryAnnotation
from strawberry.types.arguments import StrawberryArgument
from strawberry.types.base import StrawberryList, StrawberryOptional
from strawberry.types.field import StrawberryField

from schema.readgraph.declare import (
    ARGUMENTS_OF,
    NODES,
    TYPE_OF,
    Entity,
    Leaf,
    Many,
    Node,
    One,
    RootMany,
    RootNode,
    RootNodes,
    Spec,
)
from schema.readgraph.inputs import order_type, where_type
from schema.readgraph.pages import PAGE_MAX

FIRST = f"How many from the front, 1 to {PAGE_MAX}. Exactly one of `first` and `last` is needed."
LAST = f"How many from the back, 1 to {PAGE_MAX}. Exactly one of `first` and `last` is needed."
AFTER = "Only what comes after this cursor of the same list in the same order."
BEFORE = "Only what comes before this cursor of the same list in the same order."


@strawberry.type(description="Where a page lies in its list.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether more follows this page.")
    has_previous_page: bool = strawberry.field(description="Whether more precedes this page.")
    start_cursor: str | None = strawberry.field(description="The cursor of the first entry.")
    end_cursor: str | None = strawberry.field(description="The cursor of the last entry.")


class Later(StrawberryField):
    """A field whose type is known by the time the schema is built."""

    found: Callable[[], Any]

    def resolve_type(self, *, type_definition: Any = None) -> Any:
        return self.found()


def type_of_edge(spec: Spec) -> Any:
    """The strawberry type of a field with this behind it."""
    if isinstance(spec, One):
        return StrawberryOptional(NODES[spec.target].type)
    if isinstance(spec, Many | RootMany):
        return connection_type(NODES[spec.target])
    if isinstance(spec, RootNode):
        return StrawberryOptional(Entity)
    return StrawberryList(StrawberryOptional(Entity))


def connection_type(node: Node) -> Any:
    """`NeedConnection`: edges, nodes, pageInfo, totalCount."""
    if "connection" not in node.made:
        node.made["connection"] = _made(
            f"{node.name}Connection",
            f"One page of a list of {node.name}.",
            {
                "edges": (
                    lambda: StrawberryList(_edge_type(node)),
                    "The page's entries with their cursors.",
                ),
                "nodes": (lambda: StrawberryList(node.type), "The page's entries."),
                "page_info": (lambda: PageInfo, "Where the page lies in the list."),
                "total_count": (lambda: int, "How many the whole list has; counted when asked."),
            },
        )
    return node.made["connection"]


def arguments_of_field(spec: Spec) -> list[StrawberryArgument]:
    """The arguments of a field with this behind it."""
    if isinstance(spec, Many | RootMany):
        return connection_arguments(NODES[spec.target])
    if isinstance(spec, Leaf):
        return [argument(name, of | None, said) for name, of, said in spec.arguments]
    if isinstance(spec, RootNode):
        return [argument("id", strawberry.ID, "An id as it was received.")]
    if isinstance(spec, RootNodes):
        said = f"Ids as they were received, at most {PAGE_MAX}."
        return [argument("ids", list[strawberry.ID], said)]
    return []


def connection_arguments(node: Node) -> list[StrawberryArgument]:
    made = [
        argument("first", int | None, FIRST),
        argument("after", str | None, AFTER),
        argument("last", int | None, LAST),
        argument("before", str | None, BEFORE),
    ]
    if where := where_type(node):
        made.append(
            argument("where", StrawberryOptional(where), "Only those of which all of this holds.")
        )
    if order := order_type(node):
        listed = StrawberryOptional(StrawberryList(order))
        made.append(
            argument("order_by", listed, "The order; what is equal in all of it goes by id.")
        )
    return made


def argument(name: str, annotation: Any, description: str) -> StrawberryArgument:
    return StrawberryArgument(
        python_name=name,
        graphql_name=None,
        type_annotation=StrawberryAnnotation(annotation),
        description=description,
    )


def _edge_type(node: Node) -> Any:
    if "edge" not in node.made:
        node.made["edge"] = _made(
            f"{node.name}Edge",
            f"One {node.name} in a list, with its place there.",
            {
                "cursor": (lambda: str, "Its place in this list in this order."),
                "node": (lambda: node.type, f"The {node.name} itself."),
            },
        )
    return node.made["edge"]


def _made(
    name: str, description: str, fields: dict[str, tuple[Callable[[], Any], str]]
) -> type[object]:
    namespace: dict[str, Any] = {"__annotations__": dict.fromkeys(fields, object)}
    for each, (found, said) in fields.items():
        made = Later(description=said)
        made.found = found
        namespace[each] = made
    return strawberry.type(type(name, (), namespace), name=name, description=description)


TYPE_OF.append(type_of_edge)
ARGUMENTS_OF.append(arguments_of_field)
