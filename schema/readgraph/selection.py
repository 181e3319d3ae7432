"""What an operation asks of a node: its selection set, merged over fragments and directives."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLArgument,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    SelectionNode,
    SelectionSetNode,
    VariableNode,
)
from graphql.language.ast import BooleanValueNode, ConstValueNode, ValueNode

from marketplace.domain.permissions import Role
from schema.readgraph.declare import NODES, Leaf, Many, Node, One, RootMany, may_see
from schema.readgraph.given import Given, Variables, arguments_of
from schema.readgraph.narrowed import Narrowed
from schema.readgraph.pages import Page, page_of

Keyed = dict[str, list[FieldNode]]


@dataclass(frozen=True, slots=True)
class Document:
    """What an operation is read with."""

    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    variables: Variables
    role: Role

    def object(self, name: str) -> GraphQLObjectType:
        found = self.schema.type_map[name]
        assert isinstance(found, GraphQLObjectType)
        return found


@dataclass(slots=True)
class Selected:
    """What is asked of one row, by response key."""

    node: Node
    leaves: list[tuple[str, Leaf, dict[str, Given]]] = field(default_factory=list)
    ones: list[tuple[str, One, Selected]] = field(default_factory=list)
    manys: list[tuple[str, Many, Listed]] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)  # the viewer's role may not see these


@dataclass(slots=True)
class Listed:
    """What is asked of a connection: the page, the rows' views, and what goes under which key."""

    page: Page
    views: list[Selected] = field(default_factory=list)
    layout: list[tuple[str, Part]] = field(default_factory=list)


@dataclass(slots=True)
class Part:
    """One field of a connection."""

    name: str  # nodes, edges, pageInfo, totalCount
    view: int | None = None  # of nodes
    below: list[tuple[str, str, int | None]] = field(default_factory=list)  # key, name, view


def select(document: Document, node: Node, sets: Iterable[SelectionSetNode], path: str) -> Selected:
    """The selection on a row of a node.

    path    where in the answer, for messages
    """
    selected = Selected(node)
    arguments = document.object(node.name).fields
    for key, fields in collect(document, node.name, sets).items():
        name = fields[0].name.value
        if name == "__typename":
            continue
        spec = node.fields[name].spec
        here = f"{path}.{key}"
        if not may_see(getattr(spec, "roles", None), document.role):
            selected.hidden.append(key)
        elif isinstance(spec, Leaf):
            given = arguments_of(fields[0], arguments[name].args, document.variables)
            selected.leaves.append((key, spec, given))
        elif isinstance(spec, One):
            below = select(document, NODES[spec.target], sets_of(fields), here)
            selected.ones.append((key, spec, below))
        elif isinstance(spec, Many):
            of = NODES[spec.target]
            only = spec.through if isinstance(spec.through, Narrowed) else None
            listed = select_page(document, of, fields, arguments[name].args, here, only)
            selected.manys.append((key, spec, listed))
    return selected


def select_page(
    document: Document,
    node: Node,
    fields: Sequence[FieldNode],
    arguments: Mapping[str, GraphQLArgument],
    path: str,
    only: Narrowed | None = None,
) -> Listed:
    """The selection on a connection over rows of a node."""
    given = arguments_of(fields[0], arguments, document.variables)
    listed = Listed(page_of(node, given, document.role, path, only))
    for key, parts in collect(document, f"{node.name}Connection", sets_of(fields)).items():
        part = Part(parts[0].name.value)
        if part.name == "nodes":
            part.view = _view(document, listed, parts, f"{path}.{key}")
        elif part.name == "edges":
            for inner, nodes in collect(document, f"{node.name}Edge", sets_of(parts)).items():
                name = nodes[0].name.value
                is_node = name == "node"
                view = _view(document, listed, nodes, f"{path}.{key}") if is_node else None
                part.below.append((inner, name, view))
        elif part.name == "pageInfo":
            for inner, nodes in collect(document, "PageInfo", sets_of(parts)).items():
                part.below.append((inner, nodes[0].name.value, None))
        listed.layout.append((key, part))
    return listed


def _view(document: Document, listed: Listed, fields: list[FieldNode], path: str) -> int:
    listed.views.append(select(document, listed.page.node, sets_of(fields), path))
    return len(listed.views) - 1


def sets_of(fields: Iterable[FieldNode]) -> list[SelectionSetNode]:
    return [each.selection_set for each in fields if each.selection_set is not None]


def collect(document: Document, kind: str, sets: Iterable[SelectionSetNode]) -> Keyed:
    """The fields asked of a type, by response key, as the executor itself would merge them."""
    keyed: Keyed = {}
    seen: set[str] = set()
    for each in sets:
        for found in _fields(document, kind, each.selections, seen):
            key = found.alias.value if found.alias else found.name.value
            keyed.setdefault(key, []).append(found)
    return keyed


def _fields(
    document: Document, kind: str, selections: Iterable[SelectionNode], seen: set[str]
) -> Iterator[FieldNode]:
    for each in selections:
        if each.directives and not _included(each, document.variables):
            continue
        if isinstance(each, FieldNode):
            yield each
        elif isinstance(each, InlineFragmentNode):
            condition = each.type_condition
            if condition is None or _is_a(document, kind, condition.name.value):
                yield from _fields(document, kind, each.selection_set.selections, seen)
        elif isinstance(each, FragmentSpreadNode) and each.name.value not in seen:
            seen.add(each.name.value)
            fragment = document.fragments[each.name.value]
            if _is_a(document, kind, fragment.type_condition.name.value):
                yield from _fields(document, kind, fragment.selection_set.selections, seen)


def _is_a(document: Document, kind: str, condition: str) -> bool:
    if kind == condition:
        return True
    abstract = document.schema.type_map.get(condition)
    return (
        isinstance(abstract, GraphQLInterfaceType) and abstract in document.object(kind).interfaces
    )


def _included(node: SelectionNode, variables: Variables) -> bool:
    for directive in node.directives or ():
        name = directive.name.value
        if name in {"skip", "include"}:
            on = _truth((directive.arguments or ())[0].value, variables)
            if on == (name == "skip"):
                return False
    return True


def _truth(value: ValueNode | ConstValueNode, variables: Variables) -> bool:
    if isinstance(value, VariableNode):
        return bool(variables.get(value.name.value))
    return isinstance(value, BooleanValueNode) and value.value


__all__ = ["Document", "Listed", "Part", "RootMany", "Selected", "collect", "select", "select_page"]
