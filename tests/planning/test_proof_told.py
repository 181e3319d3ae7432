"""How far a plan is proven, as it is told: plainly where it is, with the gap where it is not."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from marketplace.domain.permissions import Viewer
from marketplace.persistence.database import Database
from marketplace.persistence.tables import plans
from tests.fixtures.market import Market, a_need, an_offer
from tests.planning.explained import a_computed_plan, a_named_market, plan_key
from tests.planning.planned import a_consenting, units
from tests.readgraph.asking import ask

PROOF = """query ($plan: ID!) { node(id: $plan) { ... on Plan { proof { optimal sentence gap
  components componentsRuled componentsProven
  ruledParts { needs offers proven gap unproven
    bands { firstLevel lastLevel asked served bound proven } } } } } }"""


async def proof(market: Market, viewer: Viewer, plan_id: int) -> Any:
    data = await ask(market.database, viewer, PROOF, {"plan": plan_key(plan_id)})
    return data["node"]["proof"]


async def test_parts_with_rules_say_band_by_band_how_far_they_are_proven(
    database: Database,
) -> None:
    market = await a_named_market(database)
    for severity in (90, 60, 30):
        home = await a_consenting(market)
        what = market.category["salt"]
        await a_need(market, home, category_id=what, **units(10, severity=severity))
    await an_offer(market, category_id=market.category["salt"], quantity=30, deliveries_max=2)
    plan_id = await a_computed_plan(market)
    viewer = market.viewer["assistance"]

    told = await proof(market, viewer, plan_id)

    assert (told["optimal"], told["componentsRuled"], told["componentsProven"]) == (True, 1, 1)
    assert told["sentence"].startswith("Proven optimal: ")
    (part,) = told["ruledParts"]
    assert (part["needs"], part["offers"], part["proven"], part["unproven"]) == (3, 1, True, [])
    assert all(band["bound"] == band["served"] and band["proven"] for band in part["bands"])

    await as_if_out_of_time(market, plan_id)

    told = await proof(market, viewer, plan_id)
    assert (told["optimal"], told["gap"], told["ruledParts"][0]["proven"]) == (False, 0.25, False)
    assert told["sentence"].startswith(
        "Feasible and checked; not proven optimal within the time allowed: 0 of 1 parts are "
        "proven, the rest is within 25.00% of what is possible. In 1 part with rules"
    )


async def as_if_out_of_time(market: Market, plan_id: int) -> None:
    """The proof that the plan's row would hold if its one part had not been proven."""
    row = await market.row(plans, plan_id)
    kept = dict(row["proof"])
    kept |= {"status": "bounded", "gap": 0.25}
    kept["certificate"] = kept["certificate"] | {"optimal": False, "proven": 0}
    kept["ruled"] = [kept["ruled"][0] | {"status": "bounded", "gap": 0.25, "unproven": ["band 1"]}]
    async with market.database.write() as db:
        await db.execute(sa.update(plans).where(plans.c.id == plan_id).values(proof=kept))
