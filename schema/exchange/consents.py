"""Consents in the graph: for the household itself and the officers of its region."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from marketplace.domain.exchange.consents import (
    ConsentPurpose,
    ConsentStatus,
    HowGiven,
    RecipientClass,
    allowed_moves,
)
from marketplace.domain.permissions import STAFF
from marketplace.persistence.tables.exchange import consents
from marketplace.persistence.tables.registry import households
from schema.context import Context
from schema.enums import described
from schema.readgraph.declare import (
    Columns,
    Condition,
    Descending,
    Edge,
    Entity,
    Scope,
    column,
    for_viewer,
    node,
    one,
)
from schema.readgraph.references import referenced_by
from schema.registry.trees import of_household

described(
    ConsentStatus,
    "Where a consent stands.",
    {
        ConsentStatus.GIVEN: "in force.",
        ConsentStatus.WITHDRAWN: "taken back by the household.",
        ConsentStatus.LAPSED: "its time has run out.",
    },
)
described(
    ConsentPurpose,
    "What a household agrees to.",
    {
        ConsentPurpose.CHARITABLE_ASSISTANCE: "慈善救助, that charity may be asked to help it.",
    },
)
described(
    RecipientClass,
    "Who may learn of a household's need.",
    {
        RecipientClass.VERIFIED_PROVIDERS: "已核验的供给方, verified providers.",
    },
)
described(
    HowGiven,
    "How a household said yes.",
    {
        HowGiven.SIGNED: "书面签字, on paper.",
        HowGiven.ONLINE: "线上, by the household itself, signed in.",
        HowGiven.VERBAL_WITNESSED: "口头见证, by word of mouth before a witness.",
    },
)


def _visible(row: Columns, scope: Scope) -> Condition:
    home = households.alias()
    region = sa.select(home.c.region_id).where(home.c.id == row["household_id"])
    return of_household(scope, row["household_id"], region.scalar_subquery())


def _moves(context: Context, status: str) -> list[str]:
    return list(allowed_moves(context.viewer, status=ConsentStatus(status)))


@node(
    table=consents,
    visible=_visible,
    order=(Descending("givenAt"),),
    description="慈善救助授权: a household's leave to pass its needs on to charity.",
)
class Consent(Entity):
    reference: str = referenced_by("C", "given_at")
    status: ConsentStatus = column("status", "Where it stands.", filter=ConsentStatus)
    purpose: ConsentPurpose = column("purpose", "What the household agrees to.")
    recipient_class: RecipientClass = column("recipient_class", "Who may learn of it.")
    text_version: str = column("text_version", "Which wording was agreed to.")
    how_given: HowGiven = column("how_given", "How the household said yes.")
    evidence_reference: str | None = column(
        "evidence_reference", "Where the paper or the recording is kept.", roles=STAFF
    )
    given_at: datetime = column("given_at", "Since when.", filter=True, order=True)
    expires_at: datetime | None = column("expires_at", "Until when; null: until withdrawn.")
    ended_at: datetime | None = column("ended_at", "When it was withdrawn or ran out.")
    version: int = column("version", "Goes up with every change; for `expectedVersion`.")
    allowed_moves: list[str] = for_viewer(
        ("status",), _moves, "Mutations that the viewer may ask for now."
    )
    household: Edge = one("Household", "household_id", "Whose it is.", filter=True)
    text: Edge = one(
        "ConsentText", "text_version", "The wording, where it is kept.", there="version"
    )
