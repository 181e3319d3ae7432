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
from marketplace.persistence.tables.house import (
    accounts,
    api_keys,
    events,
    idempotency_keys,
    jobs,
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
    "jobs",
    "members",
    "metadata",
    "need_reviews",
    "needs",
    "offer_regions",
    "offers",
    "organizations",
    "plan_lines",
    "plan_records",
    "plans",
    "published_needs",
    "referrals",
    "regions",
]
