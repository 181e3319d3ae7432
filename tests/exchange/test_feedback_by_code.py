"""A household without an account gives feedback by its slip and a code on its phone."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from marketplace.domain.ids import opaque_id
from marketplace.persistence.messages import TEXT
from marketplace.persistence.registry.households import phone_index
from marketplace.persistence.tables import feedbacks, households, messages
from tests.exchange.test_feedback import ANSWER, OPEN
from tests.fixtures.asked import Asked, asked, give_keys
from tests.fixtures.delivering import reachable
from tests.fixtures.market import Market
from tests.fixtures.results import a_result

REQUEST = """
mutation ($input: FeedbackCodeRequestInput!) {
  feedbackCodeRequest(input: $input) { accepted userErrors { code } }
}
"""
SUBMIT = """
mutation ($input: FeedbackSubmitByCodeInput!) {
  feedbackSubmitByCode(input: $input) { reference userErrors { field code message } }
}
"""
STATUS = """
query ($reference: String!, $code: String!) {
  feedbackStatus(reference: $reference, code: $code) { reference status reply }
}
"""
PHONE = "138 0013 8000"


@pytest.fixture
async def asking(market: Market, database_url: str, tmp_path: Path) -> AsyncIterator[Asked]:
    await give_keys(market)
    with asked(market, database_url, tmp_path) as asking:
        yield asking


async def last_code(asking: Asked) -> str:
    async with asking.market.database.read() as db:
        row = await db.row(sa.select(messages).order_by(messages.c.id.desc()))
    assert row is not None
    said = asking.sealer.open(row["text_sealed"], place=TEXT, seal_id=row["seal_id"])
    found = re.search(r": (\d{6})", said)
    assert found is not None
    return found.group(1)


async def test_a_household_speaks_by_its_slip_and_a_code_and_reads_the_reply(
    asking: Asked,
) -> None:
    market = asking.market
    result_id, _, household_id = await a_result(market)
    await reachable(market, asking.sealer, household_id)
    async with market.database.write() as db:
        index = {"phone_index": phone_index(asking.sealer, PHONE)}
        mine = households.c.id == household_id
        await db.execute(sa.update(households).where(mine).values(index))
    slip = f"J-{market.database.now().year}-{result_id:06d}"

    def public(document: str, **given: str) -> dict[str, object]:
        answer = asking.ask(None, document, {"input": given})
        assert "errors" not in answer, answer
        (payload,) = answer["data"].values()
        return dict(payload)

    for number, phone in ((slip, "13900000000"), ("J-2020-000001", PHONE), ("nonsense", PHONE)):
        same = public(REQUEST, reference=number, phone=phone)
        assert same == {"accepted": True, "userErrors": []}
    assert await market.count(messages) == 0
    public(REQUEST, reference=slip, phone=PHONE)
    code = await last_code(asking)
    wrong = "000000" if code != "000000" else "111111"
    words = {"kind": "COMPLAINT", "text": "少了一袋。"}

    assert public(SUBMIT, reference=slip, code=wrong, **words)["reference"] is None
    filed = str(public(SUBMIT, reference=slip, code=code, **words)["reference"])
    twice = public(SUBMIT, reference=slip, code=code, **words)

    assert filed.startswith("F-")
    assert [e["code"] for e in twice["userErrors"]] == ["CODE_INVALID"]  # type: ignore[attr-defined]
    assert await market.count(feedbacks, feedbacks.c.filed_by.is_(None)) == 1
    (listed,) = asking.see("reviewer", OPEN)["feedbacks"]["nodes"]
    assert listed["desk"] == "CHARITY"
    asking.do("reviewer", ANSWER, {"id": listed["id"], "text": "明日补发。"})
    public(REQUEST, reference=filed, phone=PHONE)
    given = {"reference": filed, "code": await last_code(asking)}
    assert asking.see(None, STATUS, given | {"code": wrong})["feedbackStatus"] is None
    assert asking.see(None, STATUS, given)["feedbackStatus"] == {
        "reference": filed,
        "status": "ANSWERED",
        "reply": "明日补发。",
    }
    about = {"id": opaque_id("Feedback", int(filed.split("-")[2]))}
    text = "query ($id: ID!) { feedbackText(id: $id) { text } }"
    assert asking.see("reviewer", text, about)["feedbackText"] == {"text": "少了一袋。"}
