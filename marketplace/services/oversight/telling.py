"""Telling a household what was decided about it, without saying why to whoever reads its phone."""

from __future__ import annotations

from datetime import date

from marketplace.domain.errors import Text
from marketplace.domain.ids import reference
from marketplace.persistence.crypto import Sealer
from marketplace.persistence.database import Database, Row, Writing
from marketplace.services import messages

ENDED = Text(
    "{case}: this restriction of your household is over.",
    "{case}：本事项对您家庭的限制已解除。",
)
REFUSED = Text(
    "{case}: your appeal was decided and the restriction stands. Ask your township's civil "
    "affairs office for the reasons.",
    "{case}：您的申诉已有结论，限制继续执行；理由请向乡镇民政所查询。",
)
RESTRICTED = Text(
    "{case}: assistance to your household is restricted until {until}. You may appeal: ask your "
    "township's civil affairs office, or sign in.",
    "{case}：对您家庭的救助自即日起限制至 {until}。您可以申诉：请联系乡镇民政所，或登录办理。",
)


async def tell(
    db: Writing,
    database: Database,
    sealer: Sealer,
    case: Row,
    said: Text,
    until: date | None = None,
) -> None:
    """Put a message for the case's household in line, in the transaction; nothing for providers."""
    if case["household_id"] is None:
        return
    named = {
        "case": reference("I", case["created_at"].year, case["id"]),
        "until": until.isoformat() if until else "",
    }
    await messages.to_household(
        db,
        sealer,
        household_id=case["household_id"],
        text=Text(said.en.format(**named), said.zh.format(**named)),
        kind="integrity_case.decided",
        now=database.now(),
    )
