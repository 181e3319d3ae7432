"""The story of 2023: the figures of the article come out, and the page tells the truth."""

from __future__ import annotations

import json

import sqlalchemy as sa

from marketplace.persistence.database import Database
from marketplace.persistence.exchange.invariants import broken
from marketplace.persistence.tables import events, need_reviews, needs, plans, results
from tests.demo.story_page import Lived, answer_of, questions
from tests.fixtures.served import served, settings_for

FIGURES = """query ($from: Date!, $to: Date!) { loopStatistics(from: $from, to: $to) {
  personTimesChecked subsistenceAllowanceEnrolled temporaryAssistanceGranted
  personTimesHelpedByCharity visits acknowledgedInTimeShare medianDaysFromNeedToDelivery } }"""
ARTICLE = {
    "personTimesChecked": 1_193,
    "subsistenceAllowanceEnrolled": 271,
    "temporaryAssistanceGranted": 114,
    "personTimesHelpedByCharity": 23,
    "visits": 3_048,
    "acknowledgedInTimeShare": 1.0,
}


async def assert_story(lived: Lived) -> None:
    """What the county's past must come to, asked of a server on its data."""
    with served(settings_for(lived.url, lived.folder)) as server:
        for key in (None, lived.keys["AUDITOR"]):
            asked = {"from": "2023-01-01", "to": "2023-09-30"}
            figures = server.ask(FIGURES, asked, key=key).json()["data"]["loopStatistics"]
            days = figures.pop("medianDaysFromNeedToDelivery")
            assert figures == ARTICLE
            assert 5 < days < 15
        for question in questions():
            assert json.loads(answer_of(server, lived, question)) == json.loads(question.answer)
    database = Database(lived.url)
    try:
        await assert_lived_by_the_rules(database)
    finally:
        await database.close()


async def assert_lived_by_the_rules(database: Database) -> None:
    async with database.snapshot() as db:
        assert await broken(db) == []
        told = await db.rows(sa.select(events.c.kind, events.c.at, events.c.account_id))
        of_2023 = await db.rows(
            sa.select(needs).where(needs.c.created_at < sa.func.date("2024-01-01"))
        )
        reviewed = await db.rows(sa.select(need_reviews))
        planned = await db.rows(sa.select(plans))
        sent = await db.scalar(sa.select(sa.func.count()).select_from(results))
    kinds = {row["kind"] for row in told}
    assert {"household.registered", "household.assessed", "government_aid.decided"} <= kinds
    assert {"need.published", "allocation.accepted", "allocation.confirmed"} <= kinds
    assert {"result.sent", "result.acknowledged", "need.closed"} <= kinds
    assert [row["at"] for row in told if row["at"].year == 2023] == sorted(
        row["at"] for row in told if row["at"].year == 2023
    )
    assert {row["status"] for row in of_2023} == {"CLOSED"}
    referred_by = {row["id"]: row["referred_by"] for row in of_2023}
    assert all(
        row["reviewed_by"] != referred_by[row["need_id"]]
        for row in reviewed
        if row["need_id"] in referred_by
    )
    assert all(row["approved_by"] != row["created_by"] for row in planned)
    assert sent == len(of_2023)
