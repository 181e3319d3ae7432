"""A run of months: the house beside its model, and how the two are held to each other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

import pytest
import sqlalchemy as sa
from hypothesis.stateful import RuleBasedStateMachine, invariant

from marketplace.domain.errors import DomainError, NotFound
from marketplace.persistence.exchange.invariants import broken
from marketplace.persistence.tables import allocations, consents, needs, offers
from tests.fixtures.market import Market
from tests.lifecycles.model import Model, Thing

T = TypeVar("T", bound=Thing)


@dataclass
class Clock:
    """Goes on only when it is told to."""

    at: datetime

    def __call__(self) -> datetime:
        return self.at


class Living(RuleBasedStateMachine):
    """After each step nothing contradicts itself, and the house is where the model is."""

    def __init__(self, runner: asyncio.Runner, market: Market, clock: Clock) -> None:
        super().__init__()
        self.runner, self.market, self.clock = runner, market, clock
        self.model = Model(now=clock.at)

    def run(self, doing: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(doing)

    def tried(self, possible: bool, doing: Coroutine[Any, Any, Any]) -> Any:
        """Do it, and hold the house to what the model says of it; its answer, None: refused."""
        if possible:
            return self.run(doing)
        with pytest.raises((DomainError, NotFound)):
            self.run(doing)
        return None

    def act(self, service: Callable[..., Any], who: str, *more: Any) -> Coroutine[Any, Any, Any]:
        done: Coroutine[Any, Any, Any] = service(self.market.database, self.market.act(who), *more)
        return done

    def in_days(self, days: int | None) -> datetime | None:
        return None if days is None else self.clock.at + timedelta(days=days)

    def some(self, things: list[T], pick: int, *status: str) -> T:
        """One of some things: of five times four in one of these states, if there is one."""
        fit = [each for each in things if each.status in status]
        those = things if not fit or pick % 5 == 4 else fit
        return those[pick // 5 % len(those)]

    @invariant()
    def all_is_as_the_model_says(self) -> None:
        self.run(self._compare())

    async def _compare(self) -> None:
        model = self.model
        async with self.market.database.snapshot() as db:
            assert await broken(db) == []

            async def seen(table: sa.Table, keys: list[int], *names: str) -> dict[int, Any]:
                columns = [table.c[name] for name in ("id", *names)]
                rows = await db.rows(sa.select(*columns).where(table.c.id.in_(keys)))
                return {row["id"]: tuple(row[name] for name in names) for row in rows}

            assert await seen(needs, [n.key for n in model.needs], "status", "covered") == {
                n.key: (n.status, model.covered(n)) for n in model.needs
            }
            counted = ("status", "reserved", "delivered")
            assert await seen(offers, [o.key for o in model.offers], *counted) == {
                o.key: (o.status, model.reserved(o), model.delivered(o)) for o in model.offers
            }
            lots = model.allocations
            assert await seen(allocations, [a.key for a in lots], "status") == {
                a.key: (a.status,) for a in lots
            }
            agreed = [each for home in model.households for each in home.consents]
            assert await seen(consents, [c.key for c in agreed], "status") == {
                c.key: (c.status,) for c in agreed
            }
        for need in model.needs:
            assert need.status != "PUBLISHED" or need.household.given is not None, need
