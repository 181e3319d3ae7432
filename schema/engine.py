"""How one operation runs: in bounded time, in a context of its own, its errors fit to be shown."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import TYPE_CHECKING

import strawberry
from graphql import GraphQLError
from strawberry.types.execution import ExecutionContext, ExecutionResult, PreExecutionError
from strawberry.types.graphql import OperationType

from marketplace.domain.errors import Language, Text, TopLevelError
from schema.context import Connection, Context
from schema.faults import refused, said

if TYPE_CHECKING:
    from collections.abc import Iterable

    from graphql import MiddlewareManager
    from strawberry.extensions.runner import SchemaExtensionsRunner

TIMEOUT = "TIMEOUT"
TOO_SLOW = Text(
    "This took longer than {} seconds and was stopped. Ask for less at once.",
    "操作超过 {} 秒，已被中止，请减少一次查询的内容。",
)

NO_STREAM = Text(
    "A subscription needs a stream: send 'Accept: text/event-stream', or use a websocket with the "
    "protocol graphql-transport-ws.",
    "订阅需要流式连接：请发送 Accept: text/event-stream，"
    "或使用 graphql-transport-ws 协议的 WebSocket。",
)

Results = AsyncGenerator[ExecutionResult, None]


class Schema(strawberry.Schema):
    """Strawberry's schema with some of its steps widened; the version is pinned for it."""

    observe: Callable[[list[GraphQLError]], None] | None = None  # told of every result's errors

    async def stream(
        self,
        query: str | None,
        variable_values: dict[str, object] | None = None,
        context_value: Context | Connection | None = None,
        root_value: None = None,
        operation_name: str | None = None,
        operation_extensions: dict[str, object] | None = None,
        allowed_operation_types: Iterable[OperationType] | None = None,
    ) -> Results:
        """Every operation on a websocket gets a context, and so a viewer, of its own."""
        if isinstance(context_value, Connection):
            try:
                context_value = await context_value.operation()
            except TopLevelError as cause:
                return _one(_refusal(cause, context_value.language))
        results: Results = await super().stream(  # type: ignore[assignment]
            query,
            variable_values=variable_values,
            context_value=context_value,
            root_value=root_value,
            operation_name=operation_name,
            operation_extensions=operation_extensions,
            allowed_operation_types=allowed_operation_types,
        )
        return results

    async def _execute_operation(  # type: ignore[override]
        self,
        execution_context: ExecutionContext,
        extensions_runner: SchemaExtensionsRunner,
        middleware_manager: MiddlewareManager,
        execute_function: Callable[..., object],
        custom_context_kwargs: Mapping[str, object],
    ) -> object:
        context = execution_context.context
        assert isinstance(context, Context)
        if execution_context.operation_type is OperationType.SUBSCRIPTION:
            message = NO_STREAM.said_in(context.language)
            raise GraphQLError(message, extensions={"code": "STREAM_NEEDED"})
        limit_s = context.settings.operation_timeout_s
        deadline = asyncio.timeout(limit_s)
        try:
            async with deadline:
                return await super()._execute_operation(
                    execution_context,
                    extensions_runner,
                    middleware_manager,
                    execute_function,
                    dict(custom_context_kwargs),
                )
        except TimeoutError:
            if not deadline.expired():
                raise
            message = TOO_SLOW.said_in(context.language).format(limit_s)
            raise GraphQLError(message, extensions={"code": TIMEOUT}) from None

    async def _handle_execution_result(  # type: ignore[override]
        self,
        context: ExecutionContext,
        result: ExecutionResult,
        extensions_runner: SchemaExtensionsRunner,
        *,
        skip_process_errors: bool = False,
    ) -> ExecutionResult:
        if result.errors:
            assert isinstance(context.context, Context)
            result.errors = said(result.errors, context.context, context.variables)
        if self.observe is not None:
            self.observe(result.errors or [])
        return await super()._handle_execution_result(
            context, result, extensions_runner, skip_process_errors=skip_process_errors
        )

    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        """Nothing: `said` logs the surprises once, and refusals need no log."""


def _refusal(cause: TopLevelError, language: Language) -> PreExecutionError:
    return PreExecutionError(data=None, errors=[refused(GraphQLError(""), cause, language)])


async def _one(result: ExecutionResult) -> Results:
    yield result
