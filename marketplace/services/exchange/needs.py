"""Needs: writing down what government assistance leaves open for a household."""

from __future__ import annotations

from uuid import uuid4

from marketplace.domain.exchange.categories import CategoryFacts
from marketplace.domain.exchange.government_aid import covered_by_government
from marketplace.domain.exchange.needs import NeedStatus, NeedTerms, as_visits, residual
from marketplace.persistence.database import Database, Reading
from marketplace.persistence.exchange import facts, needs
from marketplace.services.acting import Act, once, record
from marketplace.services.exchange.reach import check_stands, in_reach
from marketplace.services.exchange.residuals import settle


async def create(database: Database, act: Act, terms: NeedTerms) -> int:
    """Write a need down as a draft; its key. Its quantity is what government aid leaves open.

    Raises InvalidInput (among others ASSESSMENT_REQUIRED, COVERED_BY_GOVERNMENT), Conflict for
    one's own household or a taken reference, NotFound for a household outside the viewer's scope.
    """
    async with once(database, act, "needCreate") as turn:
        if turn.replay is not None:
            return int(str(turn.replay["need"]))
        db, now = turn.db, database.now()
        await facts.lock_household(db, terms.household_id)
        household = await facts.household(db, terms.household_id)
        await in_reach(db, act.viewer, household)
        assert household is not None, "what is not there is out of reach"
        check_stands(household)
        category = await facts.category(db, terms.category_id)
        terms = as_visits(terms, category)
        by_government = await _by_government(db, terms, category, database)
        quantity = residual(
            terms,
            category,
            covered_by_government=by_government,
            severity=household["severity"],
            now=now,
        )
        values = {
            "household_id": terms.household_id,
            "category_id": terms.category_id,
            "region_id": household["region_id"],
            "status": NeedStatus.DRAFT,
            "quantity_asked": terms.quantity_asked,
            "quantity_by_government": by_government,
            "quantity": quantity,
            "quantity_min": terms.quantity_min,
            "severity": household["severity"],
            "visit_minutes": terms.visit_minutes,
            "every_days": terms.every_days,
            "deadline": terms.deadline,
            "external_reference": terms.external_reference,
            "seal_id": uuid4().hex,
            "created_by": act.viewer.account_id,
            "created_at": now,
        }
        need_id = await needs.add(db, values)
        told = {"quantity": quantity, "byGovernment": by_government}
        await record(turn, database, "need.created", "Need", need_id, **told)
        await settle(turn, database, terms.household_id)
        turn.outcome = {"need": need_id}
        return need_id


async def _by_government(
    db: Reading, terms: NeedTerms, category: CategoryFacts | None, database: Database
) -> int:
    if category is None or terms.quantity_asked <= 0:
        return 0
    return covered_by_government(
        terms.quantity_asked,
        category_low=category.tree_low,
        category_high=category.tree_high,
        aids=await facts.government_aid(db, terms.household_id),
        on=database.now().date(),
        counted=await needs.counted_as_government_aid(db, terms.household_id),
    )
