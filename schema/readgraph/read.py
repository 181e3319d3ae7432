"""Reading for a resolver: lists and nodes at the root, and the entity that a mutation answers."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

from graphql import GraphQLObjectType, GraphQLResolveInfo, SelectionSetNode, get_named_type

from marketplace.domain.errors import InvalidId
from marketplace.domain.ids import parse_id
from schema.payloads import Info
from schema.readgraph.declare import NODES
from schema.readgraph.decode import Value
from schema.readgraph.given import Variables, shape
from schema.readgraph.narrowed import Narrowed
from schema.readgraph.pages import PAGE_MAX, bad_input
from schema.readgraph.plans import PLANS_MAX, ByIdentity, Plan, Recent, pages_of
from schema.readgraph.selection import Document, Selected, collect, select, select_page, sets_of
from schema.readgraph.statement import Builder, Statement

Raw: TypeAlias = GraphQLResolveInfo[Any]

PLANS: Recent[tuple[Hashable, ...], Plan] = Recent(PLANS_MAX)


@dataclass(frozen=True, slots=True)
class PerKey:
    """One entity that was asked for under several response keys, each with its own selection."""

    views: dict[str, dict[str, Value]]


async def read_list(info: Raw, target: str, only: Narrowed | None = None) -> Value:
    """The connection of a root field over all visible rows of a node, or those that belong."""

    def make() -> Plan:
        document = _document(info)
        arguments = info.parent_type.fields[info.field_name].args
        path = str(info.path.key)
        listed = select_page(document, NODES[target], info.field_nodes, arguments, path, only)

        def build(builder: Builder) -> Statement:
            return builder.statement(builder.listed(listed))

        return Plan(build, list(pages_of(listed)))

    plan = _plan(info, ("list", info.path.key, info.field_name), make)
    return await plan.run(info.context, _variables(info))


async def read_node(info: Raw, id: str) -> Value:
    """The visible row behind an id, or None. Raises InvalidId for what is none."""
    parsed = _parsed(id)
    if isinstance(parsed, InvalidId):
        raise parsed
    kind, key = parsed
    rows = await _by_keys(info, {kind: [key]})
    return rows[kind].get(key)


async def read_nodes(info: Raw, ids: Sequence[str]) -> list[Value]:
    """The visible rows behind ids, in their order; None for what is not to be seen.

    An id that is none stands in the list as the InvalidId that the executor reports there.
    """
    if len(ids) > PAGE_MAX:
        raise bad_input(
            f"{info.path.key}.ids",
            f"At most {PAGE_MAX} ids at once.",
            f"一次最多 {PAGE_MAX} 个编号。",
        )
    found = [_parsed(each) for each in ids]
    keys: dict[str, list[int]] = {}
    for each in found:
        if not isinstance(each, InvalidId):
            keys.setdefault(each[0], []).append(each[1])
    if not keys:
        return list(found)
    rows = await _by_keys(info, keys)
    return [e if isinstance(e, InvalidId) else rows[e[0]].get(e[1]) for e in found]


async def read_one(info: Info, target: str, key: int, *, field: str | None = None) -> Any:
    """The entity of a mutation's payload (or of a subscription's event), as the viewer may see it.

    target   the name of its node, such as "Offer"
    key      of its row
    field    the payload's field, camelCase; else every field of that type

    Answers what the field resolves to, or None where the viewer may not see the row.
    """
    many = await read_many(info, target, [key], field=field)
    return many[0] if many else None


async def read_many(
    info: Info, target: str, keys: Sequence[int], *, field: str | None = None
) -> list[Any]:
    """As `read_one`, for a payload's list: the visible ones in the order of their keys."""
    raw: Raw = info._raw_info

    names = list(_sets_in_payload(_document(raw), raw, target, field))
    if not names or not keys:
        return []

    def make() -> Plan:
        document = _document(raw)
        sets = _sets_in_payload(document, raw, target, field)
        views = [select(document, NODES[target], each, key) for key, each in sets.items()]
        return _plan_by_keys({target: views})

    plan = _plan(raw, ("payload", raw.path.key, target, field), make)
    rows = (await plan.run(raw.context, _variables(raw), {target: keys}))[target]
    found = [rows[key] for key in keys if key in rows]
    if len(names) == 1:
        return [views[0] for views in found]
    return [PerKey(dict(zip(names, views, strict=True))) for views in found]


async def _by_keys(info: Raw, keys: dict[str, list[int]]) -> dict[str, dict[int, Value]]:
    """The visible rows of `node` and `nodes`, by node and key."""
    kinds = tuple(sorted(keys))

    def make() -> Plan:
        document, sets = _document(info), sets_of(info.field_nodes)
        path = str(info.path.key)
        return _plan_by_keys({k: [select(document, NODES[k], sets, path)] for k in kinds})

    plan = _plan(info, ("nodes", info.path.key, kinds), make)
    rows = await plan.run(info.context, _variables(info), keys)
    return {
        kind: {key: {**views[0], "__typename": kind} for key, views in found.items()}
        for kind, found in rows.items()
    }


def _plan_by_keys(views: Mapping[str, Sequence[Selected]]) -> Plan:
    """A plan that answers {node: {key: [value of each view]}}."""

    def build(builder: Builder) -> Statement:
        parts = {kind: builder.by_keys(NODES[kind], each) for kind, each in views.items()}
        return builder.statement(
            lambda _asked, found: {kind: found[part] for kind, part in parts.items()}
        )

    selections = [each for several in views.values() for each in several]
    return Plan(build, [page for each in selections for page in pages_of(each)])


def _plan(info: Raw, key: Hashable, make: Callable[[], Plan]) -> Plan:
    role = info.context.viewer.role
    return PLANS.get((ByIdentity(info.operation), key, role, shape(_variables(info))), make)


def _document(info: Raw) -> Document:
    return Document(
        schema=info.schema,
        fragments=info.fragments,
        variables=_variables(info),
        role=info.context.viewer.role,
    )


def _variables(info: Raw) -> Variables:
    return cast(Variables, info.variable_values)  # strawberry's executor gives the coerced ones


def _sets_in_payload(
    document: Document, info: Raw, target: str, field: str | None
) -> dict[str, list[SelectionSetNode]]:
    """What a payload's entity is asked for, by response key of the payload's field."""
    returned = get_named_type(info.return_type)
    assert isinstance(returned, GraphQLObjectType)
    if returned.name == target:
        return {str(info.path.key): sets_of(info.field_nodes)}
    found = {}
    for key, fields in collect(document, returned.name, sets_of(info.field_nodes)).items():
        name = fields[0].name.value
        if name == "__typename" or field not in {None, name}:
            continue
        if get_named_type(returned.fields[name].type).name == target:
            found[key] = sets_of(fields)
    return found


def _parsed(text: str) -> tuple[str, int] | InvalidId:
    try:
        kind, key = parse_id(text)
    except InvalidId as invalid:
        return invalid
    return (kind, key) if kind in NODES else InvalidId(text)
