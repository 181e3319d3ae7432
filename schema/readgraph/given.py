"""Arguments as they were given: what they are now, and where they come from next time.

A plan is made once for a document and run for many values of its variables. So an argument is not
read once and written into the plan; it is kept as a `Given`, which finds its value again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias, cast

from graphql import (
    FieldNode,
    GraphQLArgument,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    ListValueNode,
    ObjectValueNode,
    ValueNode,
    VariableNode,
    value_from_ast,
)

Variables: TypeAlias = Mapping[str, object]
Path: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Given:
    """A value of an argument, or a part of one.

    value    as it is now; of a literal object or list, the parts are Given themselves
    path     where the variables hold it; None for what the document itself says
    """

    value: object
    path: Path | None = None

    @property
    def is_null(self) -> bool:
        return self.value is None

    def at(self, variables: Variables) -> object:
        """The value in these variables."""
        if self.path is None:
            return self.value
        found: object = variables
        for step in self.path:
            if isinstance(step, int):
                found = cast(list[object], found)[step]
            else:
                found = cast(Mapping[str, object], found).get(step)
        return found

    def entries(self) -> dict[str, Given]:
        """The given fields of an object; what is null counts as not given."""
        assert isinstance(self.value, Mapping)
        parts = {name: self._part(name, value) for name, value in self.value.items()}
        return {name: part for name, part in parts.items() if not part.is_null}

    def items(self) -> list[Given]:
        assert isinstance(self.value, list)
        parts = [self._part(index, value) for index, value in enumerate(self.value)]
        return [part for part in parts if not part.is_null]

    def listed_at(self, variables: Variables) -> list[object]:
        """The values of a list of plain values in these variables."""
        listed = self.at(variables)
        assert isinstance(listed, list)
        values = (v.at(variables) if isinstance(v, Given) else v for v in listed)
        return [value for value in values if value is not None]

    def _part(self, step: str | int, value: object) -> Given:
        if isinstance(value, Given):
            return value
        return Given(value, None if self.path is None else (*self.path, step))


def arguments_of(
    node: FieldNode, arguments: Mapping[str, GraphQLArgument], variables: Variables
) -> dict[str, Given]:
    """The arguments of a field by name; what is null or missing counts as not given."""
    found = {
        each.name.value: given(each.value, arguments[each.name.value].type, variables)
        for each in node.arguments or ()
    }
    return {name: value for name, value in found.items() if not value.is_null}


def given(node: ValueNode, of: GraphQLInputType, variables: Variables) -> Given:
    if isinstance(node, VariableNode):
        return Given(variables.get(node.name.value), (node.name.value,))
    if isinstance(of, GraphQLNonNull):
        return given(node, of.of_type, variables)
    if isinstance(of, GraphQLList):
        nodes = (node.values or ()) if isinstance(node, ListValueNode) else (node,)
        if not isinstance(node, ListValueNode) and value_from_ast(node, of.of_type) is None:
            return Given(None)
        return Given([given(each, of.of_type, variables) for each in nodes])
    if isinstance(of, GraphQLInputObjectType) and isinstance(node, ObjectValueNode):
        return Given(
            {
                f.name.value: given(f.value, of.fields[f.name.value].type, variables)
                for f in node.fields
            }
        )
    return Given(value_from_ast(node, of))


def shape(value: object) -> object:
    """What of a value decides the statement: everything but the plain values themselves."""
    if isinstance(value, bool | Enum) or value is None:
        return value
    if isinstance(value, Mapping):
        return tuple((name, shape(each)) for name, each in value.items())
    if isinstance(value, list | tuple):
        return ("list", *map(shape, value))
    return type(value)
