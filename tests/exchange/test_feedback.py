"""Feedback and complaints: filed for a household or a provider, answered in time, and sealed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from marketplace.domain.ids import key_of, opaque_id
from marketplace.persistence.tables import accounts, events, feedbacks
from marketplace.services.exchange.expiry import expire
from tests.fixtures.asked import Asked, asked, give_keys
from tests.fixtures.market import Market, a_household
from tests.fixtures.results import a_result

WORDS = "大米发霉了，\n张三说要换。"


def moving(name: str) -> str:
    kind = name[0].upper() + name[1:]
    return f"""
    mutation ($input: {kind}Input!) {{
      {name}(input: $input) {{
        feedback {{
          id reference kind fromSide desk status isOverdue reopened version allowedMoves
          result {{ id }} organization {{ name }}
        }}
        userErrors {{ field code message }}
      }}
    }}
    """


SUBMIT, ANSWER = moving("feedbackSubmit"), moving("feedbackAnswer")
TEXT = "query ($id: ID!) { feedbackText(id: $id) { text reply } }"
OPEN = """
query ($where: FeedbackWhere) {
  feedbacks(first: 20, where: $where) { nodes { id desk isOverdue } }
}
"""
SEEING = (
    *("grid", "social", "township", "other_township", "assistance", "reviewer"),
    *("provider", "other_provider", "auditor"),
)


@pytest.fixture
async def asking(market: Market, database_url: str, tmp_path: Path) -> AsyncIterator[Asked]:
    await give_keys(market)
    with asked(market, database_url, tmp_path) as asking:
        yield asking


async def own_household(market: Market, household_id: int) -> None:
    async with market.database.write() as db:
        await db.execute(
            sa.update(accounts)
            .where(accounts.c.id == market.viewer["applicant"].account_id)
            .values(household_id=household_id)
        )


async def test_a_complaint_of_a_household_lives_from_words_to_close(asking: Asked) -> None:
    market = asking.market
    result_id, _, household_id = await a_result(market)
    await own_household(market, household_id)
    about = {"kind": "COMPLAINT", "text": WORDS, "resultId": opaque_id("Result", result_id)}

    filed = asking.do("applicant", SUBMIT, about)["feedback"]
    which = {"id": filed["id"]}

    assert (filed["desk"], filed["status"], filed["fromSide"]) == ("CHARITY", "OPEN", "HOUSEHOLD")
    assert filed["allowedMoves"] == []
    assert asking.see("reviewer", TEXT, which)["feedbackText"] == {"text": WORDS, "reply": None}
    assert await market.count(events, events.c.kind == "feedback.viewed") == 1
    row = await market.row(feedbacks, key_of("Feedback", filed["id"]))
    assert "发霉" not in row["text_sealed"]

    assert asking.refused("township", ANSWER, which | {"text": "好"}) == "NOT_FOUND"
    answered = asking.do("reviewer", ANSWER, which | {"text": "本周更换。"})["feedback"]
    assert (answered["status"], answered["allowedMoves"]) == ("ANSWERED", [])
    again = asking.do("applicant", moving("feedbackReopen"), which | {"text": "还没换"})["feedback"]
    assert (again["status"], again["reopened"]) == ("OPEN", 1)
    passed_on = asking.do("reviewer", moving("feedbackForward"), which | {"desk": "TOWNSHIP"})
    assert passed_on["feedback"] is None, "the desk that passed it on sees it no more"
    asking.do("township", ANSWER, which | {"text": "已更换。"})
    assert asking.refused("applicant", ANSWER, which | {"text": "x"}) == "FORBIDDEN"
    closed = asking.do("applicant", moving("feedbackClose"), which)["feedback"]

    assert (closed["status"], closed["allowedMoves"]) == ("CLOSED", [])
    read = asking.see("applicant", TEXT, which)["feedbackText"]
    assert read["reply"] == "已更换。"
    assert "还没换" in read["text"]
    assert asking.refused("applicant", moving("feedbackReopen"), which | {"text": "x"}) == (
        "CONFLICT"
    )


@pytest.mark.one_database
async def test_feedback_of_others_is_neither_seen_nor_answered(asking: Asked) -> None:
    market = asking.market
    result_id, _, household_id = await a_result(market)
    home = opaque_id("Household", household_id)
    far = opaque_id("Household", await a_household(market, region="far_village"))

    def submit(who: str, **given: Any) -> dict[str, Any]:
        asked_for = {"kind": "QUESTION", "text": "何时送达？"} | given
        return dict(asking.do(who, SUBMIT, asked_for)["feedback"])

    by_grid = submit("grid", householdId=home)
    by_township = submit("township", householdId=home, kind="COMPLAINT")
    by_provider = submit("provider", resultId=opaque_id("Result", result_id))

    assert [f["desk"] for f in (by_grid, by_township, by_provider)] == [
        "TOWNSHIP",
        "ASSISTANCE",
        "CHARITY",
    ]
    seen = {who: {f["desk"] for f in asking.see(who, OPEN)["feedbacks"]["nodes"]} for who in SEEING}
    assert seen == {
        "grid": {"TOWNSHIP"},
        "township": {"TOWNSHIP", "ASSISTANCE"},  # the second it filed itself
        "other_township": set(),
        "assistance": {"TOWNSHIP", "ASSISTANCE"},
        "reviewer": {"CHARITY"},
        "provider": {"CHARITY"},
        "other_provider": set(),
        "auditor": {"TOWNSHIP", "ASSISTANCE", "CHARITY"},
        "social": set(),
    }
    what = {"kind": "QUESTION", "text": "?"}
    about = {"resultId": opaque_id("Result", result_id)}
    for who, document, given, code in (
        ("township", SUBMIT, what | {"householdId": far}, "NOT_FOUND"),
        ("grid", SUBMIT, what, "REQUIRED"),
        ("provider", SUBMIT, what | {"text": " "}, "REQUIRED"),
        ("provider", SUBMIT, what | {"text": "a\x07"}, "INVALID"),
        ("other_provider", SUBMIT, what | about, "NOT_FOUND"),
        ("reviewer", SUBMIT, what, "FORBIDDEN"),
        (None, SUBMIT, what, "UNAUTHENTICATED"),
        ("township", ANSWER, {"id": by_township["id"], "text": "好"}, "FORBIDDEN"),
        ("other_township", ANSWER, {"id": by_grid["id"], "text": "好"}, "NOT_FOUND"),
        ("reviewer", moving("feedbackClose"), {"id": by_provider["id"]}, "FORBIDDEN"),
        ("provider", moving("feedbackClose"), {"id": by_provider["id"]}, "CONFLICT"),
        (
            "reviewer",
            ANSWER,
            {"id": by_provider["id"], "text": "好", "expectedVersion": 7},
            "CONFLICT",
        ),
    ):
        assert asking.refused(who, document, given) == code, (who, given)
    for who, code in (("other_township", "NOT_FOUND"), ("reviewer", "NOT_FOUND")):
        answer = asking.ask(who, TEXT, {"id": by_grid["id"]})
        assert answer["errors"][0]["extensions"]["code"] == code
    own = submit("township", householdId=home)
    assert asking.refused("township", ANSWER, {"id": own["id"], "text": "好"}) == "FOUR_EYES"


async def test_what_is_not_answered_in_time_is_listed_and_passed_up_once(asking: Asked) -> None:
    market = asking.market
    filed = asking.do("provider", SUBMIT, {"kind": "QUESTION", "text": "收到了吗？"})["feedback"]
    key = key_of("Feedback", filed["id"])

    async def days_pass(column: sa.Column[Any], days: int) -> None:
        async with market.database.write() as db:
            ago = market.database.now() - timedelta(days=days)
            await db.execute(
                sa.update(feedbacks).where(feedbacks.c.id == key).values({column.name: ago})
            )

    await days_pass(feedbacks.c.due_at, 1)

    late = asking.see("reviewer", OPEN, {"where": {"isOverdue": {"eq": True}}})
    first, second = await expire(market.database), await expire(market.database)

    assert [f["id"] for f in late["feedbacks"]["nodes"]] == [filed["id"]]
    assert (first.feedback_overdue, second.feedback_overdue) == (1, 0)
    asking.do("reviewer", ANSWER, {"id": filed["id"], "text": "已收到。"})
    assert (await expire(market.database)).feedback_closed == 0
    await days_pass(feedbacks.c.answered_at, 31)
    assert (await expire(market.database)).feedback_closed == 1
    assert (await market.row(feedbacks, key))["status"] == "CLOSED"
