"""Plans: made once for a document, a role and a shape of variables, and run for every request."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Generic, TypeAlias, TypeVar

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

PLANS_MAX = 1_024
STATEMENTS_MAX = 512

# The missing values of every cursor decide a statement; everything else about them is a parameter.
Pattern: TypeAlias = tuple[tuple[bool, ...] | None, ...]
Build: TypeAlias = Callable[[Builder], Statement]


@dataclass(slots=True, eq=False)
class Plan:
    """What one root field of one operation reads."""

    build: Build
    pages: list[Page]

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

        def make() -> Statement:
            draft = Draft(
                dialect=dialect,
                role=asked.context.viewer.role,
                slots={id(page): slot for slot, page in enumerate(self.pages)},
                sizes=asked.sizes,
                cursors=asked.cursors,
            )
            return self.build(Builder(draft))

        return STATEMENTS.get((self, dialect, asked.sizes, pattern), make)


Key = TypeVar("Key", bound=Hashable)
Made = TypeVar("Made")


class Recent(Generic[Key, Made]):
    """What was made lately, by key; the least recently used is forgotten first.

    One bound for all callers together, since whoever sends documents decides how many there are.
    """

    def __init__(self, at_most: int) -> None:
        self.at_most = at_most
        self._made: OrderedDict[Key, Made] = OrderedDict()

    def get(self, key: Key, make: Callable[[], Made]) -> Made:
        made = self._made.get(key)
        if made is None:
            made = self._made[key] = make()
            if len(self._made) > self.at_most:
                self._made.popitem(last=False)
        else:
            self._made.move_to_end(key)
        return made

    def __len__(self) -> int:
        return len(self._made)


class ByIdentity:
    """An operation as a key.

    The parser's cache hands out the same document again, so its nodes are known by identity, which
    is quicker than comparing them; the key keeps the operation, so that no other takes its address.
    """

    __slots__ = ("operation",)

    def __init__(self, operation: OperationDefinitionNode) -> None:
        self.operation = operation

    def __hash__(self) -> int:
        return id(self.operation)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ByIdentity) and other.operation is self.operation


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


STATEMENTS: Recent[tuple[Plan, str, tuple[int, ...], Pattern], Statement] = Recent(STATEMENTS_MAX)
