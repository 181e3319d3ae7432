"""What is looked for again and again is found by an index, not by reading all there ever was."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from marketplace.persistence import messages, webhooks
from marketplace.persistence.exchange import consents
from marketplace.services.exchange.donation_uses import attribute_all
from marketplace.services.exchange.expiry import expire
from tests.fixtures.market import Market

GROWING = (
    "messages",
    "webhook_deliveries",
    "allocations",
    "result_copies",
    "feedbacks",
    "assessments",
    "assessment_overrides",
    "government_aids",
    "needs",
    "consents",
    "donations",
    "donation_uses",
)


@pytest.mark.one_database
async def test_chores_read_no_table_whole_that_only_grows(market: Market) -> None:
    database = market.database
    asked: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, statement: str, given: Any, _x: Any, many: bool) -> None:
        if not many and statement.startswith("SELECT"):
            asked.append((statement, given))

    for engine in database.engines:
        sa.event.listen(engine.sync_engine, "before_cursor_execute", note)
    now = database.now()
    async with database.write() as db:
        await messages.any_due(db, now=now)
        await messages.lease(db, now=now, until=now, limit=10)
        await webhooks.any_due(db, now=now)
        await webhooks.lease(db, now=now, until=now, limit=10, of_each=2)
        await consents.households_of_lapsed(db, now=now, limit=10)
    await expire(database)
    await attribute_all(database)
    for engine in database.engines:
        sa.event.remove(engine.sync_engine, "before_cursor_execute", note)

    assert database.dialect == "sqlite"
    assert len(asked) > 10
    async with database.engines[1].connect() as connection:
        for statement, given in asked:
            if "feedbacks.answered_at <=" in statement:  # few, and closed after some weeks
                continue
            plan = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given)
            steps = [str(row[3]) for row in plan]
            read_whole = [s for s in steps if s in {f"SCAN {name}" for name in GROWING}]
            assert read_whole == [], statement
