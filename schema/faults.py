"""What a client is told when something goes wrong: refusals in its language, surprises masked."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator, Mapping

import orjson
from graphql import FieldNode, GraphQLError, GraphQLSyntaxError, value_from_ast_untyped
from strawberry.exceptions import MissingQueryError
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError

from marketplace.domain.errors import (
    DomainError,
    InvalidId,
    Language,
    RateLimited,
    Text,
    TopLevelError,
)
from schema.context import Context
from schema.payloads import spelled
from schema.scalars import REFUSALS

ERRORS_MAX = 10
PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
INTERNAL = "INTERNAL"
SURPRISE = Text(
    "Something went wrong on our side. Try again; if it happens again, tell us this request id: {}",
    "系统内部出错，请重试；如再次出现，请将此请求编号告知管理员：{}",
)

_NO_SUCH_OPERATION = (CannotGetOperationTypeError, InvalidOperationTypeError, MissingQueryError)

log = logging.getLogger("aidloop.error")


def said(
    errors: list[GraphQLError], context: Context, variables: Mapping[str, object] | None = None
) -> list[GraphQLError]:
    """At most ERRORS_MAX errors as the client may see them; surprises are logged on the way."""
    return [_said(error, context, variables or {}) for error in errors[:ERRORS_MAX]]


def coded(error: GraphQLError, message: str, code: str, **extensions: object) -> GraphQLError:
    """The error at the same place in document and answer, with nothing of its cause."""
    return GraphQLError(
        message,
        nodes=error.nodes,
        source=error.source,
        positions=error.positions,
        path=error.path,
        extensions={"code": code, **extensions},
    )


def refused(
    error: GraphQLError,
    cause: TopLevelError | DomainError,
    language: Language,
    variables: Mapping[str, object] | None = None,
) -> GraphQLError:
    """A refusal of the house: its code, its text in the client's language, where it is about."""
    if isinstance(cause, RateLimited):
        said = cause.said.said_in(language)
        return coded(error, said, cause.code, retryAfterSeconds=cause.wait_s)
    if isinstance(cause, InvalidId) and (
        where := list(_where_given(error, cause, variables or {}))
    ):
        return coded(error, cause.said.said_in(language), cause.code, fields=where)
    if isinstance(cause, TopLevelError):
        return coded(error, cause.said.said_in(language), cause.code)
    faults = [(spelled(f.field), f.text.said_in(language), f.code) for f in cause.faults]
    message = " ".join(dict.fromkeys(text for _, text, _ in faults)) or str(cause)
    extensions: dict[str, object] = {}
    if any(field for field, _, _ in faults):
        extensions["fields"] = [field for field, _, _ in faults if field]
    if len(faults) > 1:
        names = ("field", "message", "code")
        extensions["faults"] = [dict(zip(names, each, strict=True)) for each in faults]
    return coded(error, message, faults[0][2] if faults else cause.code, **extensions)


def log_surprise(cause: BaseException, request_id: str, **where: object) -> None:
    """One line of JSON for the operator, with the traceback in it."""
    line = {
        "event": "surprise",
        "request_id": request_id,
        **where,
        "error": type(cause).__name__,
        "traceback": "".join(traceback.format_exception(cause)),
    }
    log.error(orjson.dumps(line, default=str).decode())


def _said(error: GraphQLError, context: Context, variables: Mapping[str, object]) -> GraphQLError:
    cause = error.original_error
    if isinstance(cause, TopLevelError | DomainError):
        return refused(error, cause, context.language, variables)
    if "code" in (error.extensions or {}):
        return error
    if isinstance(error, GraphQLSyntaxError):
        return coded(error, error.message, PARSE_FAILED)
    if _is_about_the_document(error):
        return coded(error, _of_scalars(error.message, context.language), VALIDATION_FAILED)
    log_surprise(
        cause or error,
        context.request_id,
        account_id=context.viewer.account_id,
        path=error.path,
    )
    message = SURPRISE.said_in(context.language).format(context.request_id)
    return coded(error, message, INTERNAL, requestId=context.request_id)


def _of_scalars(message: str, language: Language) -> str:
    """What graphql-core says, ending in what a scalar of ours said, with that in the language."""
    for text in REFUSALS:
        if message.endswith(text.en):
            return message.removesuffix(text.en) + text.said_in(language)
    return message


def _where_given(
    error: GraphQLError, cause: InvalidId, variables: Mapping[str, object]
) -> Iterator[list[str]]:
    """The paths of the arguments' values that are the id which was none."""
    for node in error.nodes or ():
        if isinstance(node, FieldNode) and cause.given is not None:
            for argument in node.arguments or ():
                value = value_from_ast_untyped(argument.value, dict(variables))
                yield from _paths_to(cause.given, value, (argument.name.value,))


def _paths_to(text: str, value: object, path: tuple[str, ...]) -> Iterator[list[str]]:
    if isinstance(value, Mapping):
        for name, each in value.items():
            yield from _paths_to(text, each, (*path, str(name)))
    elif isinstance(value, list | tuple):
        for place, each in enumerate(value):
            yield from _paths_to(text, each, (*path, str(place)))
    elif value is not None and str(value) == text:
        yield list(path)


def _is_about_the_document(error: GraphQLError) -> bool:
    """Whether graphql-core itself found fault with document, variables or arguments."""
    if isinstance(error.original_error, _NO_SUCH_OPERATION):
        return True
    if not isinstance(error.original_error, GraphQLError | None):
        return False
    return error.path is None or error.message.startswith("Argument ")
