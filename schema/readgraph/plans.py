"""Plans: made once for a document, a role and a shape of variables, and run for every request."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeAlias, TypeVar

import orjson
from graphql import OperationDefinitionNode

from schema.context import Context
from schema.readgraph.asked import Asked
from schema.readgraph.decode import Value
from schema.readgraph.draft import Draft
from schema.readgraph.given import Variables
from schema.readgraph.pages import Cursor, Page, read_cursor, size_of
from schema.readgraph.selection import Listed, Selected
from schema.readgraph.statement import Builder, Statement

OPERATIONS_MAX = 256
PLANS_PER_OPERATION_MAX = 64
STATEMENTS_PER_PLAN_MAX = 64

# The missing values of every cursor decide a statement; everything else about them is a parameter.
Pattern: TypeAlias = tuple[tuple[bool, ...] | None, ...]
Build: TypeAlias = Callable[[Builder], Statement]


@dataclass(slots=True)
class Plan:
    """What one root field of one operation reads."""

    build: Build
    pages: list[Page]
    statements: dict[tuple[str, tuple[int, ...], Pattern], Statement] = field(default_factory=dict)

    async def run(
        self,
        context: Context,
        variables: Variables,
        keys: Mapping[str, Sequence[int]] = MappingProxyType({}),
    ) -> Value:
        """One SQL statement; the answer as plain nested values."""
        database = context.database
        asked = Asked(
            variables=variables,
            context=context,
            now=database.now(),
            keys=keys,
            sizes=tuple(size_of(page, variables) for page in self.pages),
            cursors=tuple(self._cursors(variables)),
        )
        statement = self._statement(database.dialect, asked)
        parameters = {name: get(asked) for name, get in statement.parameters.items()}
        async with database.read() as db:
            text = await db.scalar(statement.sql, parameters)
        assert isinstance(text, str)
        return statement.take(orjson.loads(text), asked)

    def _cursors(self, variables: Variables) -> Iterator[Cursor | None]:
        for page in self.pages:
            for given in (page.after, page.before):
                yield None if given is None else read_cursor(page, given.at(variables))

    def _statement(self, dialect: str, asked: Asked) -> Statement:
        pattern: Pattern = tuple(None if c is None else c.nulls for c in asked.cursors)
        key = dialect, asked.sizes, pattern
        if key not in self.statements:
            if len(self.statements) >= STATEMENTS_PER_PLAN_MAX:
                self.statements.clear()
            draft = Draft(
                dialect=dialect,
                role=asked.context.viewer.role,
                slots={id(page): slot for slot, page in enumerate(self.pages)},
                sizes=asked.sizes,
                cursors=asked.cursors,
            )
            self.statements[key] = self.build(Builder(draft))
        return self.statements[key]


Made = TypeVar("Made")


class Cache:
    """Plans by operation; the least recently used operation is forgotten first.

    The parser's cache hands out the same document again, so its nodes are known by identity; the
    operation is kept beside its plans, so that no other can take its address.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[int, tuple[OperationDefinitionNode, dict[Hashable, object]]] = (
            OrderedDict()
        )

    def get(
        self, operation: OperationDefinitionNode, key: Hashable, make: Callable[[], Made]
    ) -> Made:
        known = self._known.get(id(operation))
        if known is None:
            known = self._known[id(operation)] = (operation, {})
            if len(self._known) > OPERATIONS_MAX:
                self._known.popitem(last=False)
        else:
            self._known.move_to_end(id(operation))
        plans = known[1]
        if key not in plans:
            if len(plans) >= PLANS_PER_OPERATION_MAX:
                plans.clear()
            plans[key] = make()
        return plans[key]  # type: ignore[return-value]


def pages_of(selected: Selected | Listed) -> Iterator[Page]:
    """Every page in a selection, at every depth."""
    if isinstance(selected, Listed):
        yield selected.page
        for view in selected.views:
            yield from pages_of(view)
        return
    for _, _, one in selected.ones:
        yield from pages_of(one)
    for _, _, listed in selected.manys:
        yield from pages_of(listed)


CACHE = Cache()
