"""Payloads: how a mutation answers, with the entity or with what is wrong with the input."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import date, datetime
from enum import Enum
from typing import TypeVar

import strawberry
from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    SelectionSetNode,
)
from strawberry import UNSET

from marketplace.domain.errors import DomainError, Fault, Language, Text
from marketplace.services.acting import Act
from schema.context import Context

Info = strawberry.Info[Context, None]
Done = TypeVar("Done")


@strawberry.type(description="One thing that is wrong with a mutation's input, and where.")
class UserError:
    field: list[str] = strawberry.field(
        description='Where: a path from the argument down, such as ["input", "quantity"].'
    )
    message: str = strawberry.field(description="For people, in the language of Accept-Language.")
    code: str = strawberry.field(
        description="For programs; it never changes: REQUIRED, TOO_SMALL, CONFLICT, …"
    )


@strawberry.type(description="What every mutation answers besides its entity.")
class Payload:
    """Payloads inherit this and add one nullable entity with `default=None`."""

    user_errors: list[UserError] = strawberry.field(
        description="Everything that is wrong with the input, at once; empty on success.",
        default_factory=list,
    )


P = TypeVar("P", bound=Payload)


async def payload(
    of: type[P],
    info: Info,
    doing: Awaitable[Done],
    read: Callable[[Done], Awaitable[object]],
) -> P:
    """Await a service and answer with its entity, or with its refusal as `userErrors`.

    of       the payload's type: Payload plus one entity field
    doing    the call of the service
    read     from what the service returned to the entity, or to a whole payload of type `of`

    A TopLevelError passes through to `errors`; so does every surprise, which is masked there.
    """
    try:
        done = await doing
    except DomainError as refusal:
        return of(user_errors=user_errors(refusal, info.context.language))
    answer = await read(done)
    if isinstance(answer, of):
        return answer
    (entity,) = (f.name for f in dataclasses.fields(of) if f.name != "user_errors")
    answered = of()
    setattr(answered, entity, answer)
    return answered


def user_errors(refusal: DomainError, language: Language) -> list[UserError]:
    """Every fault of a refusal, as the graph says it."""
    faults = refusal.faults or (Fault((), refusal.code, _unsaid(refusal)),)
    return [
        UserError(field=_path(f.field), message=f.text.said_in(language), code=f.code)
        for f in faults
    ]


def act_of(info: Info, input: object) -> Act:
    """Who acts and how to tell a repetition, for a service.

    The key is `input.idempotencyKey`, else the Idempotency-Key header; with the header, a document
    with several mutations gives each of them a key of its own.
    """
    context = info.context
    own = getattr(input, "idempotency_key", None)
    key = own or context.idempotency_key
    if key is not None and not own:
        key = _key_in_document(key, info)
    return Act(
        viewer=context.viewer,
        request_id=context.request_id,
        idempotency_key=key,
        input_digest=_digest(input),
    )


def _key_in_document(key: str, info: Info) -> str:
    asked = info._raw_info
    alone = len(_root_keys(asked.operation.selection_set, asked.fragments)) == 1
    return key if alone else f"{key}#{asked.path.as_list()[0]}"


def _root_keys(
    selected: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode]
) -> set[str]:
    """What the answer's fields are called, also those that stand in fragments."""
    keys: set[str] = set()
    entered: set[str] = set()
    waiting = [selected]
    while waiting:
        for each in waiting.pop().selections:
            if isinstance(each, FieldNode):
                keys.add((each.alias or each.name).value)
            elif isinstance(each, InlineFragmentNode):
                waiting.append(each.selection_set)
            elif isinstance(each, FragmentSpreadNode) and each.name.value not in entered:
                entered.add(each.name.value)
                waiting.append(fragments[each.name.value].selection_set)
    return keys


def _unsaid(refusal: DomainError) -> Text:
    return Text(type(refusal).__doc__ or refusal.code, "请求被拒绝。")


def _path(field: tuple[str, ...]) -> list[str]:
    """A service's field as the client spells it, below the argument `input`."""
    path = spelled(field)
    return path if path[:1] == ["input"] else ["input", *path]


def spelled(field: tuple[str, ...]) -> list[str]:
    """A path in camelCase.

    >>> spelled(("input", "radius_km"))
    ['input', 'radiusKm']
    """
    return [re.sub(r"_([a-z0-9])", lambda m: m.group(1).upper(), part) for part in field]


def _digest(value: object) -> str:
    text = json.dumps(_canonical(value), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _canonical(value: object) -> object:
    """An input as plain values; what was not given is left out, and so is the key itself."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        given = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
        given.pop("idempotency_key", None)
        return {name: _canonical(v) for name, v in given.items() if v is not UNSET}
    if isinstance(value, Mapping):
        return {str(name): _canonical(v) for name, v in value.items()}
    if isinstance(value, list | tuple):
        return [_canonical(v) for v in value]
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, datetime | date):
        return value.isoformat()
    return value if isinstance(value, str | int | float | bool | None) else str(value)
