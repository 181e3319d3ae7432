"""The tables, one file a wing, and the column types that they share."""

from marketplace.persistence.tables.columns import metadata
from marketplace.persistence.tables.exchange import (
    allocations,
    consents,
    government_aids,
    need_reviews,
    needs,
    offer_regions,
    offers,
    plan_lines,
    plan_records,
    plans,
    published_needs,
    referrals,
)
from marketplace.persistence.tables.fieldwork import monitoring_checks, visits
from marketplace.persistence.tables.house import (
    accounts,
    api_keys,
    events,
    idempotency_keys,
    jobs,
)
from marketplace.persistence.tables.oversight import (
    integrity_appeals,
    integrity_cases,
    integrity_entries,
    integrity_findings,
    recoveries,
    restricted_offers,
    restrictions,
)
from marketplace.persistence.tables.registry import (
    assessments,
    categories,
    households,
    members,
    organizations,
    regions,
)

__all__ = [
    "accounts",
    "allocations",
    "api_keys",
    "assessments",
    "categories",
    "consents",
    "events",
    "government_aids",
    "households",
    "idempotency_keys",
    "integrity_appeals",
    "integrity_cases",
    "integrity_entries",
    "integrity_findings",
    "jobs",
    "members",
    "metadata",
    "monitoring_checks",
    "need_reviews",
    "needs",
    "offer_regions",
    "offers",
    "organizations",
    "plan_lines",
    "plan_records",
    "plans",
    "published_needs",
    "recoveries",
    "referrals",
    "regions",
    "restricted_offers",
    "restrictions",
    "visits",
]
