"""What an operation may cost: how many objects its answer can hold, counted before it runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLCompositeType,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_composite_type,
    is_list_type,
)

PAGE_SIZE_ASSUMED = 100  # where a connection names none, which it refuses later
LIST_SIZE_ASSUMED = 10  # a plain list without a page size
MUTATION_COST = 10
TOTAL_COUNT_COST = 5
# Root fields that take longer than an object to look up.
ROOT_COSTS: Mapping[str, int] = {"offerImpact": 10_000, "shortages": 50, "loopStatistics": 500}
# No objects with an id, but looked up for each object that they are asked of.
LOOKED_UP = frozenset({"shortfall", "reason"})
COST_CEILING = 10**12  # beyond it the exact number tells nobody anything
# Parts of a connection that are no objects of their own; `node` and `nodes` are what is paid for.
_FREE = frozenset({"edges", "pageInfo"})

Variables = Mapping[str, object]


def cost_of(
    schema: GraphQLSchema, document: DocumentNode, name: str | None, variables: Variables
) -> int:
    """Points of one operation of a valid document.

    One point for each root field, and for each object with an id that the answer can hold: the
    product of the page sizes (`first`, `last`) on the path to it, and for each explanation. Scalars
    and amounts are free, `totalCount` costs 5, each mutation 10, what the optimizer answers what
    ROOT_COSTS says.
    """
    operations = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
    operation = next(
        (o for o in operations if name is None or (o.name and o.name.value == name)), None
    )
    if operation is None:
        return 0
    root = schema.get_root_type(operation.operation)
    if root is None:
        return 0
    known = {v.variable.name.value: v.default_value for v in operation.variable_definitions or ()}
    counting = _Counting(schema, document, known, variables)
    cost = counting.of(operation.selection_set, root)
    if operation.operation.value == "mutation":
        cost += MUTATION_COST * len(operation.selection_set.selections)
    return min(cost, COST_CEILING)


class _Counting:
    """One operation's count; each fragment is counted once per type and then remembered."""

    def __init__(
        self,
        schema: GraphQLSchema,
        document: DocumentNode,
        defaults: Mapping[str, ValueNode | None],
        variables: Variables,
    ) -> None:
        self.schema = schema
        self.roots = (schema.query_type, schema.mutation_type, schema.subscription_type)
        self.fragments = {
            d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)
        }
        self.defaults = defaults
        self.variables = variables
        self.remembered: dict[tuple[str, int], int] = {}

    def of(self, selected: SelectionSetNode, parent: GraphQLCompositeType, page: int = 1) -> int:
        """Points of a selection on one object; `page` is the page size of a connection."""
        total = 0
        for node in selected.selections:
            if isinstance(node, FieldNode):
                total += self._field(node, parent, page)
            elif isinstance(node, FragmentSpreadNode):
                total += self._spread(node.name.value, page)
            elif isinstance(node, InlineFragmentNode):
                condition = node.type_condition
                inner = self._type(condition.name.value) if condition else parent
                total += self.of(node.selection_set, inner, page)
        return min(total, COST_CEILING)

    def _spread(self, name: str, page: int) -> int:
        if (name, page) not in self.remembered:
            fragment = self.fragments[name]
            on = self._type(fragment.type_condition.name.value)
            self.remembered[name, page] = self.of(fragment.selection_set, on, page)
        return self.remembered[name, page]

    def _field(self, node: FieldNode, parent: GraphQLCompositeType, page: int) -> int:
        name = node.name.value
        if name == "totalCount":
            return TOTAL_COUNT_COST
        if name.startswith("__") or node.selection_set is None:
            return 0
        assert isinstance(parent, GraphQLObjectType | GraphQLInterfaceType)
        field = parent.fields[name]
        inner = get_named_type(field.type)
        assert is_composite_type(inner)
        if inner.name.endswith("Connection"):
            size = self._page_size(node, field)
            return 1 + self.of(node.selection_set, inner, size)
        if parent.name.endswith("Connection") and name in ("edges", "nodes"):
            own = 0 if name in _FREE else 1
            return page * (own + self.of(node.selection_set, inner))
        if name in _FREE:
            return self.of(node.selection_set, inner)
        is_paid = parent in self.roots or parent.name.endswith("Edge") or _is_entity(inner)
        is_paid = is_paid or name in LOOKED_UP
        own = ROOT_COSTS.get(name, 1) if parent in self.roots else int(is_paid)
        each = own + self.of(node.selection_set, inner)
        return each * self._list_size(node, field.type)

    def _page_size(self, node: FieldNode, field: GraphQLField) -> int:
        sizes = [
            size
            for argument in node.arguments or ()
            if argument.name.value in ("first", "last")
            for size in [self._whole(argument.value)]
            if size is not None
        ]
        return max(sizes, default=PAGE_SIZE_ASSUMED)

    def _list_size(self, node: FieldNode, kind: GraphQLOutputType) -> int:
        if not is_list_type(get_nullable_type(kind)):
            return 1
        lengths = [self._length(a.value) for a in node.arguments or ()]
        return max((n for n in lengths if n is not None), default=LIST_SIZE_ASSUMED)

    def _whole(self, value: ValueNode) -> int | None:
        if isinstance(value, IntValueNode):
            return min(max(0, int(value.value)), COST_CEILING) if len(value.value) < 20 else None
        given = self._variable(value)
        if isinstance(given, ValueNode):
            return self._whole(given)
        if isinstance(given, int | float) and not isinstance(given, bool):
            return int(min(max(0, given), COST_CEILING))
        return None

    def _length(self, value: ValueNode) -> int | None:
        if isinstance(value, ListValueNode):
            return len(value.values)
        given = self._variable(value)
        if isinstance(given, ListValueNode):
            return len(given.values)
        return len(given) if isinstance(given, list) else None

    def _variable(self, value: ValueNode) -> object:
        if not isinstance(value, VariableNode):
            return None
        name = value.name.value
        return self.variables[name] if name in self.variables else self.defaults.get(name)

    def _type(self, name: str) -> GraphQLCompositeType:
        return cast(GraphQLCompositeType, self.schema.type_map[name])


def _is_entity(kind: GraphQLCompositeType) -> bool:
    """Whether it is looked up; an amount of money or a quantity is part of what it stands in."""
    return not isinstance(kind, GraphQLObjectType | GraphQLInterfaceType) or "id" in kind.fields
