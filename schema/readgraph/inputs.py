"""What a list can be asked for: `where` and `orderBy` inputs, made of a node's declarations."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from enum import Enum
from typing import Any

import sqlalchemy as sa
import strawberry
from strawberry import UNSET
from strawberry.types.base import StrawberryList, StrawberryOptional
from strawberry.types.field import UNRESOLVED, StrawberryField

from marketplace.persistence.tables.columns import UtcDateTime
from schema.readgraph.declare import NODES, Has, Leaf, Node, One, Referenced
from schema.scalars import BigInt

NOTHING_GIVEN = "Null means that it is not asked for."


class OrderDirection(Enum):
    ASC = "ASC"
    DESC = "DESC"


strawberry.enum(
    OrderDirection, description="Which way a list goes; entries without a value come last in both."
)
for _value, _said in zip(
    OrderDirection.__strawberry_definition__.values,  # type: ignore[attr-defined]
    ("Smallest, earliest first.", "Greatest, latest first."),
    strict=True,
):
    _value.description = _said


class Operator(StrawberryField):
    """A field of an input made here; never required."""

    found: Callable[[], Any]

    def resolve_type(self, *, type_definition: Any = None) -> Any:
        try:
            found = self.found()
        except KeyError:  # an input that holds itself is being made
            return UNRESOLVED
        return found if self.metadata.get("required") else StrawberryOptional(found)


def where_type(node: Node) -> Any | None:
    """`NeedWhere`; None where nothing can be asked for."""
    if "where" not in node.made:
        node.made["where"] = _where(node)
    return node.made["where"]


def order_type(node: Node) -> Any | None:
    """`NeedOrder`: a field and a direction; None where the order is fixed."""
    if "order" not in node.made:
        node.made["order"] = _order(node)
    return node.made["order"]


def orderable(node: Node) -> list[str]:
    """The names of the fields that `orderBy` takes."""
    return [n for n, f in node.fields.items() if isinstance(f.spec, Leaf) and f.spec.order]


def spelled(name: str) -> str:
    """A field's name as a value of an enum: CREATED_AT.

    >>> spelled("createdAt")
    'CREATED_AT'
    """
    return "".join(f"_{letter}" if letter.isupper() else letter.upper() for letter in name)


def _where(node: Node) -> Any | None:
    fields: dict[str, tuple[Callable[[], Any], str, str]] = {}
    for name, declared in node.fields.items():
        made = _filter(node, declared.spec)
        if made is not None:
            fields[declared.python_name] = (
                lambda made=made: made,  # type: ignore[misc]
                f"By `{name}`. {NOTHING_GIVEN}",
                name,
            )
    if not fields:
        return None

    def itself() -> Any:
        return node.made["where"]

    def several() -> Any:
        return StrawberryList(itself())

    fields["and_"] = (several, "All of these hold.", "AND")
    fields["or_"] = (several, "At least one of these holds.", "OR")
    fields["not_"] = (itself, "This does not hold.", "NOT")
    said = f"What a {node.name} must be to be listed; several fields must hold together."
    return _input(f"{node.name}Where", said, fields)


def _filter(node: Node, spec: object) -> Any | None:
    if isinstance(spec, One):
        if not spec.filter:
            return None
        tree = "tree_low" in NODES[spec.target].table.c
        return SubtreeFilter if tree else IdFilter
    if not isinstance(spec, Leaf) or not spec.filter:
        return None
    chosen = spec.filter
    if isinstance(chosen, Referenced):
        return ReferenceFilter
    if isinstance(chosen, Has):
        return _enum_filter(chosen.enum, mask=True)
    if isinstance(chosen, type):
        return _enum_filter(chosen, mask=False)
    cell = spec.cells[0]
    # What is computed in the database is filtered by where it is a condition.
    return _filter_of(node.table.c[cell]) if isinstance(cell, str) else BooleanFilter


def _filter_of(column: sa.Column[Any]) -> Any:
    of: dict[type, Any] = {
        UtcDateTime: DateTimeFilter,
        sa.Date: DateFilter,
        sa.BigInteger: BigIntFilter,
        sa.Integer: IntFilter,
        sa.Boolean: BooleanFilter,
        sa.Text: StringFilter,
    }
    return next(made for kind, made in of.items() if isinstance(column.type, kind))


_ENUM_FILTERS: dict[str, Any] = {}


def _enum_filter(enum: type[Enum], *, mask: bool) -> Any:
    name = f"{enum.__name__}{'sFilter' if mask else 'Filter'}"
    if name not in _ENUM_FILTERS:
        definition = enum.__strawberry_definition__  # type: ignore[attr-defined]

        def itself() -> Any:
            return definition

        def listed() -> Any:
            return StrawberryList(definition)

        fields: dict[str, tuple[Callable[[], Any], str, str]] = (
            {"has": (itself, "This one is among them.", "has")}
            if mask
            else {
                "eq": (itself, "Is exactly this.", "eq"),
                "one_of": (listed, "Is one of these, at most 100.", "oneOf"),
            }
        )
        _ENUM_FILTERS[name] = _input(name, f"Which {enum.__name__}.", fields)
    return _ENUM_FILTERS[name]


def _order(node: Node) -> Any | None:
    names = orderable(node)
    if not names:
        return None
    enum = Enum(f"{node.name}OrderField", {spelled(n): n for n in names})  # type: ignore[misc]
    strawberry.enum(enum, description=f"What a list of {node.name} can be ordered by.")
    definition = enum.__strawberry_definition__  # type: ignore[attr-defined]
    for value, name in zip(definition.values, names, strict=True):
        value.description = f"By `{name}`."
    fields: dict[str, tuple[Callable[[], Any], str, str]] = {
        "field": (lambda: definition, "By what.", "field"),
        "direction": (
            lambda: OrderDirection.__strawberry_definition__,  # type: ignore[attr-defined]
            "Which way; ASC where it is not given.",
            "direction",
        ),
    }
    said = f"One step of the order of a list of {node.name}."
    return _input(f"{node.name}Order", said, fields, required={"field"})


def _input(
    name: str,
    description: str,
    fields: dict[str, tuple[Callable[[], Any], str, str]],
    required: frozenset[str] | set[str] = frozenset(),
) -> Any:
    namespace: dict[str, Any] = {"__annotations__": dict.fromkeys(fields, object)}
    for each, (found, said, outside) in fields.items():
        made = Operator(
            description=said,
            graphql_name=outside,
            default=UNSET,
            metadata={"required": each in required},
        )
        made.found = found
        namespace[each] = made
    return strawberry.input(type(name, (), namespace), name=name, description=description)


def _scalar_filter(
    name: str, of: Any, operators: dict[str, str], *, listed: bool, nullable: bool = False
) -> Any:
    fields: dict[str, tuple[Callable[[], Any], str, str]] = {
        each: (lambda: of, said, each) for each, said in operators.items()
    }
    if listed:
        fields["one_of"] = (lambda: StrawberryList(of), "Is one of these, at most 100.", "oneOf")
    if nullable:
        fields["is_null"] = (lambda: bool, "True: has no value. False: has one.", "isNull")
    return _input(name, f"What to ask of a value. {NOTHING_GIVEN}", fields)


_RANGE = {
    "eq": "Is exactly this.",
    "gt": "Is above this.",
    "gte": "Is this or above.",
    "lt": "Is below this.",
    "lte": "Is this or below.",
}
_EQ = {"eq": "Is exactly this."}

IntFilter = _scalar_filter("IntFilter", int, _RANGE, listed=True, nullable=True)
BigIntFilter = _scalar_filter("BigIntFilter", BigInt, _RANGE, listed=True, nullable=True)
DateTimeFilter = _scalar_filter("DateTimeFilter", datetime, _RANGE, listed=False, nullable=True)
DateFilter = _scalar_filter("DateFilter", date, _RANGE, listed=False, nullable=True)
BooleanFilter = _scalar_filter("BooleanFilter", bool, _EQ, listed=False)
StringFilter = _scalar_filter(
    "StringFilter",
    str,
    {**_EQ, "contains": "Has this text in it, in exactly these letters."},
    listed=True,
    nullable=True,
)
ReferenceFilter = _scalar_filter("ReferenceFilter", str, _EQ, listed=True)
IdFilter = _scalar_filter("IdFilter", strawberry.ID, _EQ, listed=True)
SubtreeFilter = _scalar_filter(
    "SubtreeFilter",
    strawberry.ID,
    {**_EQ, "within": "Is this or lies anywhere below it."},
    listed=True,
)
