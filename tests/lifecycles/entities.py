"""One entity in any state, put there without the way to it: what triples are tried on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

from marketplace.domain.exchange.donations import DonationKind, RecordDonation
from marketplace.domain.ids import opaque_id
from marketplace.domain.permissions import Role
from marketplace.domain.registry.applications import ApplicationChannel, SubmitApplication
from marketplace.persistence.crypto import Sealer
from marketplace.persistence.registry import applications as application_rows
from marketplace.persistence.tables import (
    agreements,
    appeals,
    applications,
    assessment_overrides,
    assessments,
    campaigns,
    consents,
    donations,
    jobs,
    needs,
    offers,
    organizations,
    plan_lines,
    plans,
    published_needs,
    referrals,
)
from marketplace.services.exchange import donations as donation_service
from tests.fixtures.market import (
    Market,
    a_consent,
    a_household,
    a_need,
    an_offer,
)
from tests.planning.proposals import a_proposal

# Who asks in each role. Whoever prepared something is somebody else.
ACTORS: Mapping[Role, str | None] = {
    Role.PUBLIC: None,
    Role.APPLICANT: "applicant",
    Role.PROVIDER: "provider",
    Role.FEDERATION: "federation",
    Role.GRID_WORKER: "grid",
    Role.SOCIAL_WORKER: "social",
    Role.TOWNSHIP_OFFICER: "township",
    Role.ASSISTANCE_OFFICER: "assistance",
    Role.CHARITY_OFFICER: "reviewer",
    Role.AUDITOR: "auditor",
    Role.ADMIN: "admin",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """An entity, where its state stands, and what its moves ask for beside its id.

    household, organization   whose it is: the applicant's household, the provider's organization
    """

    id: str
    table: sa.Table = field(repr=False)
    key: int
    household: int
    organization: int
    more: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What entities stand on: a household with consent, an offer, and a big need of it."""

    market: Market
    sealer: Sealer
    household: int
    need: int
    offer: int

    @property
    def organization(self) -> int:
        return self.market.organization["charity"]

    def account(self, who: str) -> int:
        account_id = self.market.viewer[who].account_id
        assert account_id is not None
        return account_id

    async def put(self, table: sa.Table, **values: Any) -> int:
        async with self.market.database.write() as db:
            return await db.insert(table, values)

    async def change(self, table: sa.Table, key: int, **values: Any) -> None:
        async with self.market.database.write() as db:
            await db.execute(sa.update(table).where(table.c.id == key).values(**values))

    def made(self, kind: str, table: sa.Table, key: int, **more: Any) -> Made:
        whose = {
            "household": more.pop("household", self.household),
            "organization": more.pop("organization", self.organization),
        }
        return Made(id=opaque_id(kind, key), table=table, key=key, more=more, **whose)


Make = Callable[[Ground, str, str, Role], Awaitable[Made]]


async def ground(market: Market, sealer: Sealer) -> Ground:
    household = await a_household(market)
    await a_consent(market, household)
    need = await a_need(market, household, quantity=100_000, quantity_asked=100_000)
    offer = await an_offer(market, quantity=1_000_000)
    return Ground(market=market, sealer=sealer, household=household, need=need, offer=offer)


async def need(on: Ground, state: str, move: str, role: Role) -> Made:
    now, by = on.market.database.now(), on.account("assistance_2")
    values: dict[str, Any] = {"status": state}
    if state != "DRAFT":
        referral = await on.put(referrals, referred_by=by, referred_at=now, line_count=1)
        values |= {"referral_id": referral, "referred_by": by}
    if state == "SUSPENDED":
        values["suspended_from"] = "REFERRED"
    key = await a_need(on.market, on.household, **values)
    if state == "PUBLISHED":
        copy = sa.select(published_needs.c.id).where(published_needs.c.need_id == key)
        copy_id = int(await on.market.value(copy))
    else:
        copy_id = await on.put(
            published_needs,
            need_id=key,
            category_id=on.market.category["staple"],
            region_id=on.market.region["xiugu"],
            is_open=False,
            quantity=100,
            severity_band="HIGH",
            published_at=now,
        )
    copied = {"copy": opaque_id("PublishedNeed", copy_id), "offer": opaque_id("Offer", on.offer)}
    return on.made("Need", needs, key, **copied)


async def consent(on: Ground, state: str, move: str, role: Role) -> Made:
    household = await a_household(on.market)
    key = await a_consent(on.market, household, status=state)
    return on.made("Consent", consents, key, household=household)


async def organization(on: Ground, state: str, move: str, role: Role) -> Made:
    now = on.market.database.now()
    key = await on.put(
        organizations,
        kind="CHARITY",
        status=state,
        name=uuid4().hex,
        region_id=on.market.region["county"],
        created_at=now,
    )
    await on.put(
        agreements,
        organization_id=key,
        number=uuid4().hex,
        valid_from=(now - timedelta(days=3)).date(),
        valid_until=(now + timedelta(days=90)).date(),
        signed_by=on.account("reviewer_2"),
        signed_at=now,
    )
    return on.made("Organization", organizations, key)


async def offer(on: Ground, state: str, move: str, role: Role) -> Made:
    outside = ["NO_AGREEMENT"] if move == "offerApprove" else None
    key = await an_offer(on.market, status=state, moderation=outside)
    return on.made("Offer", offers, key)


async def campaign(on: Ground, state: str, move: str, role: Role) -> Made:
    now, by = on.market.database.now(), on.account("provider")
    cash = on.market.category["medical_cash"]
    key = await on.put(
        campaigns,
        organization_id=on.organization,
        category_id=cash,
        status=state,
        title="慈善一日捐",
        filing_number=uuid4().hex[:20],
        filed_on=(now - timedelta(days=30)).date(),
        starts_at=now - timedelta(days=1),
        ends_at=now + timedelta(days=30),
        target_fen=1_000_000,
        created_by=by,
        created_at=now,
    )
    if state != "DRAFT":
        open_ = {"quantity": 0, "kind": "CASH", "category_id": cash, "campaign_id": key}
        await an_offer(on.market, **open_)
    return on.made("Campaign", campaigns, key)


async def donation(on: Ground, state: str, move: str, role: Role) -> Made:
    market = on.market
    command = RecordDonation(kind=DonationKind.CASH, amount_fen=100)
    recorded = await donation_service.record_donation(
        market.database, market.act("provider"), on.sealer, command
    )
    await on.change(donations, recorded.donation_id, status=state)
    more = {}
    if move == "donationAssign":
        more["campaign"] = (await campaign(on, "OPEN", "", role)).id
    return on.made("Donation", donations, recorded.donation_id, **more)


async def plan(on: Ground, state: str, move: str, role: Role) -> Made:
    lines = [(on.need, on.offer, 1)]
    key = await a_proposal(on.market, lines, who="reviewer_2", status=state)
    if state in ("QUEUED", "RUNNING"):
        of_it = sa.select(plans.c.job_id).where(plans.c.id == key)
        await on.change(jobs, int(await on.market.value(of_it)), status="QUEUED")
    line = sa.select(plan_lines.c.id).where(plan_lines.c.plan_id == key)
    return on.made("Plan", plans, key, line=opaque_id("PlanLine", await on.market.value(line)))


async def application(on: Ground, state: str, move: str, role: Role) -> Made:
    command = SubmitApplication(
        region_id=on.market.region["village"],
        channel=ApplicationChannel.WEB,
        name="测试丙",
        phone="13800138000",
    )
    values = application_rows.row(on.sealer, command, on.market.database.now())
    ended: dict[str, dict[str, Any]] = {
        "REGISTERED": {"household_id": on.household, "made_household": False},
        "REJECTED": {"reject_reason": "OTHER"},
    }
    key = await on.put(applications, **values, status=state, **ended.get(state, {}))
    return on.made("Application", applications, key)


async def override(on: Ground, state: str, move: str, role: Role) -> Made:
    household, now = await a_household(on.market), on.market.database.now()
    of_it = sa.select(assessments.c.id).where(assessments.c.household_id == household)
    key = await on.put(
        assessment_overrides,
        assessment_id=await on.market.value(of_it),
        eligibility_class="SUBSISTENCE_ALLOWANCE",
        reason="They lost their house",
        status=state,
        proposed_by=on.account("assistance_2"),
        proposed_at=now,
        decided_by=None if state == "PENDING" else on.account("other_township"),
    )
    return on.made("AssessmentOverride", assessment_overrides, key)


async def appeal(on: Ground, state: str, move: str, role: Role) -> Made:
    household, now = await a_household(on.market), on.market.database.now()
    of_it = sa.select(assessments.c.id).where(assessments.c.household_id == household)
    key = await on.put(
        appeals,
        household_id=household,
        assessment_id=await on.market.value(of_it),
        status=state,
        reason="They count a pension twice",
        filed_by=on.account("grid"),
        filed_at=now,
        due_at=now + timedelta(days=30),
        decided_by=None if state == "OPEN" else on.account("assistance_2"),
    )
    return on.made("Appeal", appeals, key, household=household)
