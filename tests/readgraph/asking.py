"""Asking the schema in process, and counting the statements that it takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

import sqlalchemy as sa

from marketplace.domain.permissions import Viewer
from marketplace.persistence.database import Database
from marketplace.settings import Settings
from schema.context import Context
from schema.engine import Schema
from schema.root import build_schema

SETTINGS = Settings(query_cost_max=1_000_000_000, query_tokens_max=20_000, query_aliases_max=1_000)


@cache
def schema() -> Schema:
    return build_schema(SETTINGS)


class Refused(Exception):
    """The answer held errors: their codes and messages."""

    def __init__(self, errors: list[Any], data: Any) -> None:
        super().__init__("; ".join(error.message for error in errors))
        self.codes = [(error.extensions or {}).get("code") for error in errors]
        self.data = data
        self.errors = errors


async def ask(
    database: Database,
    viewer: Viewer,
    document: str,
    variables: Mapping[str, object] | None = None,
) -> dict[str, Any]:
    """The data of an answer; Refused if there are errors."""
    context = Context(
        viewer=viewer,
        database=database,
        settings=SETTINGS,
        request_id="test",
        language=viewer.language,
    )
    result = await schema().execute(
        document, variable_values=dict(variables or {}), context_value=context
    )
    if result.errors:
        raise Refused(result.errors, result.data)
    assert result.data is not None
    return result.data


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """The statements that are sent meanwhile, apart from BEGIN and its like."""
    sent: list[str] = []

    def listen(_connection: Any, _cursor: Any, statement: str, *_: object) -> None:
        if statement.lstrip().upper().startswith(("SELECT", "WITH", "INSERT", "UPDATE", "DELETE")):
            sent.append(statement)

    engines = [engine.sync_engine for engine in database.engines]
    for engine in engines:
        sa.event.listen(engine, "before_cursor_execute", listen)
    try:
        yield sent
    finally:
        for engine in engines:
            sa.event.remove(engine, "before_cursor_execute", listen)
