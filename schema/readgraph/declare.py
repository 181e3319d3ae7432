"""Declaring what can be read: a type's table, what is behind each field, and who may see it.

    @node(table=needs, visible=_visible, order=(Descending("created_at"),), description="…")
    class Need(Entity):
        status: NeedStatus = column("status", "Where it stands.", filter=NeedStatus, order=True)
        region: Edge = one("Region", "region_id", "Where the household lives.")
        allocations: Edge = many("Allocation", "need_id", "What was set aside for it.")

Fields declared in any other way are refused, and so is a node without `visible`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol, TypeAlias, TypeVar

import sqlalchemy as sa
import strawberry
from strawberry.types.field import UNRESOLVED, StrawberryField

from marketplace.domain.ids import opaque_id
from marketplace.domain.permissions import Role
from marketplace.persistence.tables.columns import UtcDateTime
from schema.readgraph.narrowed import Narrowed

Condition: TypeAlias = sa.ColumnElement[bool]
Roles: TypeAlias = frozenset[Role]


class Columns(Protocol):
    """The columns of one row of a statement."""

    def __getitem__(self, name: str, /) -> sa.ColumnElement[Any]: ...


Cell: TypeAlias = str | Callable[[Columns], sa.ColumnElement[Any]]

# What an edge is annotated with: its type is found by name, so that wings can point to the right.
Edge: TypeAlias = object


class Scope:
    """The viewer inside a statement: the role as it is, everything else as bound parameters.

    Statements are kept by role and run for every viewer of it, so no value may be written into one.
    """

    def __init__(self, role: Role) -> None:
        self.role = role
        self.now = sa.bindparam("now", type_=UtcDateTime())
        self.account_id = sa.bindparam("viewer_account_id", type_=sa.BigInteger())
        self.organization_id = sa.bindparam("viewer_organization_id", type_=sa.BigInteger())
        self.region_low = sa.bindparam("viewer_region_low", type_=sa.BigInteger())
        self.region_high = sa.bindparam("viewer_region_high", type_=sa.BigInteger())

    def is_one_of(self, roles: Roles) -> bool:
        return self.role in roles


# Name, type and description of each argument of a computed field; all of them may be left out.
Arguments: TypeAlias = tuple[tuple[str, Any, str], ...]
Visible: TypeAlias = Callable[[Columns, Scope], Condition]


@dataclass(frozen=True, slots=True)
class Ascending:
    field: str
    down: bool = False


@dataclass(frozen=True, slots=True)
class Descending:
    field: str
    down: bool = True


Order: TypeAlias = tuple[Ascending | Descending, ...]


class Has:
    """Filter a bit mask by one member of an enum."""

    def __init__(self, enum: type[Enum]) -> None:
        self.enum = enum


class Referenced:
    """Filter by the number printed on papers, such as N-2026-000123."""

    def __init__(self, letter: str, moment: str = "created_at") -> None:
        self.letter, self.moment = letter, moment


# How a field may be filtered: by its own type, an enum, a mask, a reference, or not at all.
Filter: TypeAlias = bool | type[Enum] | Has | Referenced


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """A field that is a value: the cells it needs and the pure function that makes it of them."""

    cells: tuple[Cell, ...]
    make: Callable[..., object] | None = None  # None: the one cell as it is
    asks_viewer: bool = False  # make(context, *cells)
    arguments: Arguments = ()  # make(context, arguments, *cells)
    roles: Roles | None = None  # None: whoever sees the row
    only: Visible | None = None  # of these rows; of others it is null, and is asked by as null
    filter: Filter = False
    order: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class One:
    """An edge to at most one row of another node."""

    target: str
    here: str = "id"
    there: str = "id"
    roles: Roles | None = None
    filter: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Many:
    """An edge to a list of rows of another node, read in pages."""

    target: str
    there: str
    here: str = "id"
    through: Through | Narrowed | None = None
    roles: Roles | None = None


@dataclass(frozen=True, slots=True)
class Through:
    """A table of pairs between two nodes: the columns with the one's id and with the other's."""

    table: sa.Table
    here: str
    there: str


@dataclass(frozen=True, slots=True)
class RootMany:
    """A root field: a list of all rows of a node that the viewer may see, or of some."""

    target: str
    only: Narrowed | None = None


@dataclass(frozen=True, slots=True)
class RootNode:
    """The root field `node`."""


@dataclass(frozen=True, slots=True)
class RootNodes:
    """The root field `nodes`."""


Spec: TypeAlias = Leaf | One | Many | RootMany | RootNode | RootNodes


# Types are made of declarations and not the other way round: types.py puts its makers in here.
TYPE_OF: list[Callable[[Spec], Any]] = []
ARGUMENTS_OF: list[Callable[[Spec], Any]] = []


class Declared(StrawberryField):
    """A strawberry field with what is behind it; edges find their type when the schema is built."""

    spec: Spec

    def __copy__(self) -> Declared:
        copied: Declared = super().__copy__()
        copied.spec = self.spec
        return copied

    def resolve_type(self, *, type_definition: Any = None) -> Any:
        if isinstance(self.spec, Leaf):
            return super().resolve_type(type_definition=type_definition)
        return TYPE_OF[0](self.spec) if NODES.keys() >= _targets(self.spec) else UNRESOLVED

    @property
    def arguments(self) -> Any:
        if self._arguments is None:
            self._arguments = ARGUMENTS_OF[0](self.spec)
        return self._arguments

    @arguments.setter
    def arguments(self, value: Any) -> None:
        self._arguments = value


def declared(spec: Spec, description: str) -> Any:
    # Any, as strawberry.field itself: the annotation beside it says the type.
    assert not (isinstance(spec, Leaf) and spec.only and spec.order)
    made = Declared(description=description)
    made.spec = spec
    return made


@strawberry.interface(name="Node", description="Anything with an id, to be read again by it.")
class Entity:
    id: strawberry.ID = declared(
        Leaf(cells=("id",)), "Opaque and stable: `node(id)` finds the same thing by it."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One type of the graph over one table."""

    name: str
    type: type
    table: sa.Table
    visible: Visible
    order: Order
    fields: Mapping[str, Declared]  # by the GraphQL name
    made: dict[str, Any] = field(default_factory=dict)  # types made of it, by what they are

    def leaf(self, name: str) -> Leaf:
        spec = self.fields[name].spec
        assert isinstance(spec, Leaf)
        return spec


NODES: dict[str, Node] = {}
T = TypeVar("T")


def node(
    *, table: sa.Table, visible: Visible, order: Order, description: str
) -> Callable[[type[T]], type[T]]:
    """Make a class a type of the graph; its fields are `column`, `computed`, `one` and `many`."""

    def declare(cls: type[T]) -> type[T]:
        made = strawberry.type(cls, description=description)
        fields: dict[str, Declared] = {}
        for each in made.__strawberry_definition__.fields:  # type: ignore[attr-defined]
            if not isinstance(each, Declared):
                raise TypeError(f"{cls.__name__}.{each.python_name} has nothing behind it.")
            fields[graphql_name(each)] = each
        if cls.__name__ in NODES:
            raise TypeError(f"{cls.__name__} is declared twice.")
        NODES[cls.__name__] = Node(
            name=cls.__name__,
            type=made,
            table=table,
            visible=visible,
            order=order,
            fields=_with_id(cls.__name__, fields),
        )
        return made

    return declare


def column(
    name: str,
    description: str,
    *,
    roles: Roles | None = None,
    only: Visible | None = None,
    filter: Filter = False,
    order: bool = False,
) -> Any:
    """The column `name` of the node's table, as it is; `only` goes with no order and no mask."""
    leaf = Leaf(cells=(name,), roles=roles, only=only, filter=filter, order=order)
    return declared(leaf, description)


def computed(
    cells: Sequence[Cell],
    make: Callable[..., object],
    description: str,
    *,
    roles: Roles | None = None,
    only: Visible | None = None,
    filter: Filter = False,
    order: bool = False,
) -> Any:
    """What a pure function makes of some cells; filter and order go by the first of them."""
    leaf = Leaf(cells=tuple(cells), make=make, roles=roles, only=only, filter=filter, order=order)
    return declared(leaf, description)


def for_viewer(
    cells: Sequence[Cell],
    make: Callable[..., object],
    description: str,
    *,
    roles: Roles | None = None,
    arguments: Arguments = (),
) -> Any:
    """As `computed`, of the context too: `make(context, *cells)`.

    With arguments, which the field then takes: `make(context, {"name": value or None}, *cells)`.
    """
    leaf = Leaf(cells=tuple(cells), make=make, asks_viewer=True, arguments=arguments, roles=roles)
    return declared(leaf, description)


def one(
    target: str,
    here: str,
    description: str,
    *,
    there: str = "id",
    roles: Roles | None = None,
    filter: bool = False,
) -> Any:
    """The row of `target` whose column `there`, which is unique, equals this row's column `here`.

    filter    whether `where` takes the target's id; a target that is a tree, also its subtree
    """
    spec = One(target=target, here=here, there=there, roles=roles, filter=filter)
    return declared(spec, description)


def many(
    target: str,
    there: str,
    description: str,
    *,
    here: str = "id",
    through: Through | Narrowed | None = None,
    roles: Roles | None = None,
) -> Any:
    """The rows of `target` whose column `there` equals this row's column `here`, in pages.

    through    a table of pairs that stands between `here` and `there`, or a condition instead
    """
    spec = Many(target=target, there=there, here=here, through=through, roles=roles)
    return declared(spec, description)


def root(target: str, description: str, only: Narrowed | None = None) -> Any:
    """A root field over all rows of a node, or those that belong to a narrower list."""
    return declared(RootMany(target, only), description)


def root_node(description: str) -> Any:
    return declared(RootNode(), description)


def root_nodes(description: str) -> Any:
    return declared(RootNodes(), description)


def graphql_name(of: StrawberryField) -> str:
    """The name of a field outside: camelCase.

    >>> graphql_name(StrawberryField(python_name="created_at"))
    'createdAt'
    """
    if of.graphql_name:
        return of.graphql_name
    head, *tail = of.python_name.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in tail)


def may_see(roles: Roles | None, role: Role) -> bool:
    return roles is None or role in roles


def _with_id(kind: str, fields: dict[str, Declared]) -> dict[str, Declared]:
    """The inherited `id`, made of this node's own name."""
    prefix = Declared(python_name="id", description=fields["id"].description)
    prefix.spec = Leaf(cells=("id",), make=lambda key: opaque_id(kind, key))
    return {**fields, "id": prefix}


def _targets(spec: Spec) -> set[str]:
    return {spec.target} if isinstance(spec, One | Many | RootMany) else set()


__all__ = [
    "NODES",
    "Ascending",
    "Descending",
    "Edge",
    "Entity",
    "Has",
    "Node",
    "Referenced",
    "Scope",
    "Through",
    "column",
    "computed",
    "for_viewer",
    "many",
    "node",
    "one",
    "root",
    "root_node",
    "root_nodes",
]
