"""The operations of cases that tests ask for, and cases that are some steps on."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from marketplace.domain.days import COUNTY_TIME
from marketplace.domain.ids import opaque_id
from marketplace.persistence.tables import accounts
from tests.fixtures.asked import Asked
from tests.fixtures.market import Market

CASE = """
  id reference status version allowedMoves
  restriction { scope endsOn inForce endReason }
"""


def moving(name: str, of: str = CASE) -> str:
    kind = name[0].upper() + name[1:]
    return f"""
    mutation ($input: {kind}Input!) {{
      {name}(input: $input) {{ case {{ {of} }} userErrors {{ field code message }} }}
    }}
    """


def in_days(market: Market, days: int) -> str:
    """A day of the county's calendar, so many from now."""
    return (market.database.now().astimezone(COUNTY_TIME) + timedelta(days=days)).date().isoformat()


def a_found_case(asking: Asked, household_id: int, kind: str = "CONCEALMENT") -> str:
    """The id of a case of a household that two people found true."""
    given = {
        "kind": kind,
        "householdId": opaque_id("Household", household_id),
        "allegation": "A second flat in the county town",
    }
    case = asking.do("assistance", moving("integrityCaseOpen"), given)["case"]
    for who in ("assistance", "assistance_2"):
        found = {"id": case["id"], "finding": "The register of real estate says so"}
        done = asking.do(who, moving("integrityCaseFind"), found)
        assert done["userErrors"] == []
    return str(case["id"])


def restricting(asking: Asked, case_id: str, **changes: Any) -> dict[str, Any]:
    given = {
        "id": case_id,
        "scope": "BOTH",
        "endsOn": in_days(asking.market, 180),
        "grounds": "Half a year, since it paid at once",
    }
    return asking.do("assistance", moving("integrityCaseRestrict"), given | changes)


async def belongs_to(market: Market, who: str, household_id: int) -> None:
    """Make somebody a member of a household."""
    async with market.database.write() as db:
        mine = accounts.c.id == market.viewer[who].account_id
        await db.execute(sa.update(accounts).where(mine).values(household_id=household_id))
