"""Rows of another table as one JSON array in a cell, on both databases."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class JsonRows(FunctionElement[Any]):
    """The aggregate [[value, …], …] of some expressions over a group of rows, in any order."""

    name = "json_rows"
    inherit_cache = True
    type = sa.JSON()


@compiles(JsonRows, "sqlite")
def _of_sqlite(element: JsonRows, compiler: SQLCompiler, **given: Any) -> str:
    return f"json_group_array(json_array({compiler.process(element.clauses, **given)}))"


@compiles(JsonRows, "postgresql")
def _of_postgresql(element: JsonRows, compiler: SQLCompiler, **given: Any) -> str:
    row = f"json_build_array({compiler.process(element.clauses, **given)})"
    return f"coalesce(json_agg({row}), '[]'::json)"
