"""A desk prints its results: one page in both languages, by a link that ends, naming nobody."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from marketplace.domain.days import county_day
from marketplace.persistence.tables import api_keys
from tests.fixtures.asked import Asked, asked, give_keys
from tests.fixtures.market import Market
from tests.fixtures.results import a_member, a_result, days_pass

LINK = """
query ($from: Date!, $to: Date!, $waiting: Boolean!) {
  resultsPrintLink(from: $from, to: $to, onlyWaiting: $waiting)
}
"""


@pytest.fixture
async def asking(market: Market, database_url: str, tmp_path: Path) -> AsyncIterator[Asked]:
    await give_keys(market)
    with asked(market, database_url, tmp_path) as asking:
        yield asking


async def test_a_desk_prints_its_own_copies_by_a_link_that_ends_with_its_key(
    asking: Asked,
) -> None:
    market = asking.market
    late, _, household_id = await a_result(market, title="<script>alert(1)</script>")
    await a_member(asking, household_id, "测试甲")
    await a_result(market, region="far_village")
    await days_pass(market, late, 8)
    today = county_day(market.database.now())
    span = {"from": str(today - timedelta(days=30)), "to": str(today), "waiting": True}

    path = asking.see("township", LINK, span)["resultsPrintLink"]
    page = asking.server.client.get(path, headers={"Accept-Language": "zh-CN"})

    assert page.status_code == 200
    assert page.headers["content-language"] == "zh-CN"
    assert "script" not in page.headers["content-security-policy"]
    assert "<script" not in page.text
    assert "救助结果反馈签收单 Results to acknowledge" in page.text
    assert "乡镇民政所" in page.text
    assert page.text.count("J-20") == 1, "the other township's result is not its own"
    assert "逾期 overdue" in page.text
    assert f"H-{today.year}-{household_id:06d}" in page.text
    assert "测试甲" not in page.text
    by_charity = asking.server.client.get(asking.see("reviewer", LINK, span)["resultsPrintLink"])
    assert by_charity.text.count("J-20") == 2
    assert "H-20" not in by_charity.text
    assert "N-20" not in by_charity.text

    plain = path.partition("&pass=")[0]
    for address, status in (
        (path + "0", 401),
        (path.replace("waiting=1&", ""), 401),
        (plain, 401),
        ("/results/print", 400),
        (plain.replace(str(today), str(today + timedelta(days=2))), 401),
    ):
        assert asking.server.client.get(address).status_code == status, address
    with_key = {"Authorization": "Bearer key-of-provider"}
    assert asking.server.client.get(plain, headers=with_key).status_code == 403
    bad = asking.ask("township", LINK, span | {"to": str(today + timedelta(days=2))})
    assert bad["errors"][0]["extensions"]["code"] == "INVALID"
    async with market.database.write() as db:
        now = market.database.now()
        mine = api_keys.c.account_id == market.viewer["township"].account_id
        await db.execute(sa.update(api_keys).where(mine).values(revoked_at=now))
    assert asking.server.client.get(path).status_code == 401
