"""A market whose clock the test moves, a sealer, and a server of somebody else."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from marketplace.persistence.crypto import Sealer
from marketplace.persistence.database import Database
from tests.fixtures.market import Market, a_market
from tests.messages.receiver import Receiver, receiving


@dataclass
class Clock:
    """Begins now, and goes on only when it is told to."""

    at: datetime

    def __call__(self) -> datetime:
        return self.at

    def pass_by(self, span: timedelta) -> None:
        self.at += span


@pytest.fixture
def clock() -> Clock:
    return Clock(datetime.now(UTC))


@pytest.fixture
async def clocked(database_url: str, clock: Clock) -> AsyncIterator[Database]:
    """The test's database by the test's clock."""
    database = Database(database_url, clock=clock)
    yield database
    await database.close()


@pytest.fixture
async def market(clocked: Database) -> Market:
    return await a_market(clocked)


@pytest.fixture
def sealer() -> Sealer:
    return Sealer({"t1": b"1" * 32}, b"i" * 32)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver
