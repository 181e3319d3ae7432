"""Personal data: reading who is behind a household, for a stated purpose, and recording it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from marketplace.domain.errors import InvalidInput, NotFound
from marketplace.domain.events import Event
from marketplace.domain.permissions import Role, Viewer, require
from marketplace.domain.registry.households import Relation
from marketplace.domain.registry.identity import has_number_of_somebody
from marketplace.persistence import events
from marketplace.persistence.crypto import Sealer
from marketplace.persistence.database import Database, Reading, Row
from marketplace.persistence.registry import households
from marketplace.services.acting import Act
from marketplace.services.registry.households import within

PURPOSE_LENGTH_MIN = 4
PURPOSE_LENGTH_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalMember:
    member_id: int
    name: str
    relation: Relation
    identity_number: str | None
    birth_date: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalData:
    """The members in the clear, the head first; never kept, logged or cached."""

    household_id: int
    address: str | None
    phone: str | None
    members: tuple[PersonalMember, ...]


async def read(
    database: Database, act: Act, sealer: Sealer, household_id: int, purpose: str
) -> PersonalData:
    """Read a household's personal data; who read what and why is written in the same transaction.

    Raises Unauthenticated or Forbidden by role, NotFound outside the viewer's scope (and for what
    is not there), InvalidInput for a purpose that says nothing.
    """
    require(act.viewer, "personalData")
    purpose = purpose_said(purpose)
    async with database.write() as db:
        household = await households.located(db, household_id)
        if household is None or not await _in_scope(db, act.viewer, household):
            raise NotFound
        members = await households.members_of(db, household_id)
        found = _opened(sealer, household, members)
        await events.append(
            db,
            Event(
                kind="household.viewed",
                at=database.now(),
                entity="Household",
                entity_id=household_id,
                account_id=act.viewer.account_id,
                data={"purpose": purpose, "role": act.viewer.role, "members": len(members)},
                request_id=act.request_id,
            ),
        )
    return found


def purpose_said(purpose: str) -> str:
    """The purpose as it is recorded. Raises InvalidInput where it says nothing, or too much."""
    purpose = " ".join(purpose.split())
    letters = {c for c in purpose if c.isalpha()}
    if len(purpose) < PURPOSE_LENGTH_MIN or len(letters) < 3:
        raise InvalidInput.of(
            "purpose",
            "Say in a few words what you need this for; it is recorded with your name.",
            "请用一句话说明查询用途，系统将连同您的账号一并记录。",
            code="REQUIRED",
        )
    if len(purpose) > PURPOSE_LENGTH_MAX or not purpose.isprintable():
        raise InvalidInput.of(
            "purpose",
            f"At most {PURPOSE_LENGTH_MAX} characters without control characters.",
            f"最多 {PURPOSE_LENGTH_MAX} 个字符，且不得含控制字符。",
            code="TOO_LARGE",
        )
    if has_number_of_somebody(purpose):
        # The purpose stays in the log for ever, where no personal data may stand.
        raise InvalidInput.of(
            "purpose",
            "Leave numbers of persons and phones out of the purpose.",
            "用途中请勿填写身份证号、电话等个人信息。",
        )
    return purpose


async def _in_scope(db: Reading, viewer: Viewer, household: Row) -> bool:
    if viewer.role is Role.AUDITOR:
        return True
    if viewer.role is Role.APPLICANT:
        return bool(household["id"] == await households.household_of_account(db, viewer.account_id))
    return within(viewer, household["region_low"])


def _opened(sealer: Sealer, household: Row, members: Sequence[Row]) -> PersonalData:
    def text(row: Row, place: str) -> str | None:
        sealed = row[f"{place.partition('.')[2]}_sealed"]
        return None if sealed is None else sealer.open(sealed, place=place, seal_id=row["seal_id"])

    return PersonalData(
        household_id=household["id"],
        address=text(household, households.ADDRESS),
        phone=text(household, households.PHONE),
        members=tuple(
            PersonalMember(
                member_id=row["id"],
                name=text(row, households.NAME) or "",
                relation=Relation(row["relation"]),
                identity_number=text(row, households.IDENTITY_NUMBER),
                birth_date=date.fromisoformat(born)
                if (born := text(row, households.BIRTH_DATE))
                else None,
            )
            for row in members
        ),
    )
