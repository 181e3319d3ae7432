"""Every state with every move and every role, over HTTP: exactly the allowed ones are made."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from marketplace.domain.permissions import MUTATIONS, Role
from marketplace.persistence.tables import metadata
from tests.lifecycles.asking import MAKE, Tried, Trying
from tests.lifecycles.entities import Made
from tests.lifecycles.table import TABLE, Arrow

AT_ONCE = 30  # aliases of one document
Asked = tuple[str, Arrow, Made]  # state, move, entity


async def rows_of(trying: Trying) -> dict[str, int]:
    """How many rows each table has: what a refused move must leave as it was."""
    async with trying.on.market.database.read() as db:
        return {
            table.name: int(str(await db.scalar(sa.select(sa.func.count()).select_from(table))))
            for table in metadata.sorted_tables
        }


async def standing(trying: Trying, made: Made) -> tuple[str, int | None]:
    """State and version of an entity."""
    row = await trying.on.market.row(made.table, made.key)
    return row["status"], row.get("version")


def refusal_of(arrow: Arrow, role: Role) -> str:
    """How a role is refused that a move is not for."""
    if role is Role.PUBLIC:
        return "UNAUTHENTICATED"
    # Whose move it is with another entity of the kind is not told that this one is there.
    return "NOT_FOUND" if role in MUTATIONS[arrow.move] else "FORBIDDEN"


@pytest.mark.one_database
async def test_nobody_makes_a_move_that_is_another_roles_from_any_state(trying: Trying) -> None:
    every: list[tuple[str, str, Made]] = [
        (entity, state, await trying.make(entity, state, "", Role.ADMIN))
        for entity in MAKE
        for state in sorted(TABLE[entity].states)
    ]
    before = await rows_of(trying)
    stood = [await standing(trying, made) for *_, made in every]

    wrong = []
    for entity, state, made in every:
        for arrow in TABLE[entity].arrows:
            for role in sorted(set(Role) - arrow.roles):
                (tried,) = trying.tried(role, [(arrow.move, made)])
                if tried.codes != (refusal_of(arrow, role),):
                    wrong.append((entity, state, arrow.move, role, tried))

    assert wrong == [], wrong
    assert await rows_of(trying) == before
    assert [await standing(trying, made) for *_, made in every] == stood


@pytest.mark.one_database
async def test_from_any_other_state_a_move_is_refused_and_the_state_is_named(
    trying: Trying,
) -> None:
    asked: dict[tuple[Role, int, int, str], list[Asked]] = defaultdict(list)
    for entity in MAKE:
        for state, arrow, role in refused_by_state(entity):
            made = await trying.make(entity, state, arrow.move, role)
            alone = made.id if state in arrow.hidden else ""
            asked[role, made.household, made.organization, alone].append((state, arrow, made))
    every = [each for group in asked.values() for each in group]
    before = await rows_of(trying)
    stood = [await standing(trying, made) for *_, made in every]

    wrong = []
    for (role, *_), group in asked.items():
        for start in range(0, len(group), AT_ONCE):
            part = group[start : start + AT_ONCE]
            done = await trying.tried_by(role, [(arrow.move, made) for _, arrow, made in part])
            wrong += [
                (role, state, arrow.move, tried)
                for (state, arrow, _), tried in zip(part, done, strict=True)
                if not names_the_state(state, arrow, tried)
            ]

    assert wrong == [], wrong
    assert await rows_of(trying) == before
    assert [await standing(trying, made) for *_, made in every] == stood


async def test_every_move_of_the_table_is_made_by_each_role_that_it_names(trying: Trying) -> None:
    wrong = []
    for entity in MAKE:
        for state, arrow, role in allowed(entity):
            made = await trying.make(entity, state, arrow.move, role)
            (tried,) = await trying.tried_by(role, [(arrow.move, made)])
            now, _ = await standing(trying, made)
            if tried.codes or not reached(arrow, state, now):
                wrong.append((entity, state, arrow.move, role, now, tried))

    assert wrong == [], wrong


def refused_by_state(entity: str) -> Iterator[tuple[str, Arrow, Role]]:
    lifecycle = TABLE[entity]
    for arrow in lifecycle.arrows:
        for state in sorted(lifecycle.states - arrow.before):
            for role in sorted(arrow.roles):
                yield state, arrow, role


def allowed(entity: str) -> Iterator[tuple[str, Arrow, Role]]:
    for arrow in TABLE[entity].arrows:
        for state in sorted(arrow.before):
            for role in sorted(arrow.roles):
                yield state, arrow, role


def names_the_state(state: str, arrow: Arrow, tried: Tried) -> bool:
    if state in arrow.hidden:
        return tried.codes == ("NOT_FOUND",)
    return tried.codes == ("CONFLICT",) and state in tried.message


def reached(arrow: Arrow, before: str, now: str) -> bool:
    """Whether that is where it leads; a move that stays, stays where it was."""
    return now == before if arrow.before == arrow.after else now in arrow.after
