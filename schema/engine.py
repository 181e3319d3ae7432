"""How one operation runs: in bounded time, and with its errors made fit to be shown."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import strawberry
from graphql import GraphQLError
from strawberry.types.execution import ExecutionContext, ExecutionResult

from marketplace.domain.errors import Text
from schema.context import Context
from schema.faults import said

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphql import MiddlewareManager
    from strawberry.extensions.runner import SchemaExtensionsRunner

TIMEOUT = "TIMEOUT"
TOO_SLOW = Text(
    "This took longer than {} seconds and was stopped. Ask for less at once.",
    "操作超过 {} 秒，已被中止，请减少一次查询的内容。",
)


class Schema(strawberry.Schema):
    """Strawberry's schema with two of its private steps widened; the version is pinned for it."""

    async def _execute_operation(  # type: ignore[override]
        self,
        execution_context: ExecutionContext,
        extensions_runner: SchemaExtensionsRunner,
        middleware_manager: MiddlewareManager,
        execute_function: Callable[..., object],
        custom_context_kwargs: dict[str, object],
    ) -> object:
        context = execution_context.context
        assert isinstance(context, Context)
        limit_s = context.settings.operation_timeout_s
        try:
            async with asyncio.timeout(limit_s):
                return await super()._execute_operation(
                    execution_context,
                    extensions_runner,
                    middleware_manager,
                    execute_function,
                    custom_context_kwargs,
                )
        except TimeoutError as late:
            message = TOO_SLOW.said_in(context.language).format(limit_s)
            raise GraphQLError(message, extensions={"code": TIMEOUT}) from late

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
            result.errors = said(result.errors, context.context)
        return await super()._handle_execution_result(
            context, result, extensions_runner, skip_process_errors=skip_process_errors
        )

    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        """Nothing: `said` logs the surprises once, and refusals need no log."""
