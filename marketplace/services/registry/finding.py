"""Finding a household by what is known of its people: exactly, for a stated purpose, recorded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from marketplace.domain.errors import InvalidInput
from marketplace.domain.events import Event
from marketplace.domain.ids import reference
from marketplace.domain.permissions import Role, require
from marketplace.domain.registry.households import PHONE_LENGTH_MAX
from marketplace.persistence import events
from marketplace.persistence.crypto import Sealer
from marketplace.persistence.database import Database
from marketplace.persistence.registry import households
from marketplace.services.acting import Act
from marketplace.services.registry.personal_data import purpose_said

FOUND_MAX = 20
TEXT_LENGTH_MAX = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class FindHousehold:
    """Exactly one of the three; what was typed is compared by blind index and kept nowhere."""

    purpose: str
    name: str | None = None
    identity_number: str | None = None
    phone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundHousehold:
    """A key and what is printed on papers; no more than that."""

    household_id: int
    reference: str
    status: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """`is_cut`: there are more, which so common a name cannot tell apart."""

    households: tuple[FoundHousehold, ...]
    is_cut: bool


async def find(database: Database, act: Act, sealer: Sealer, command: FindHousehold) -> Found:
    """Households of the viewer's region with this very name, identity number or phone.

    That it was asked, by what and why, is written in the same transaction, never what was typed.
    Raises Unauthenticated or Forbidden by role, InvalidInput.
    """
    require(act.viewer, "householdFind")
    purpose = purpose_said(command.purpose)
    by, index = _index(sealer, command)
    viewer = act.viewer
    everywhere = viewer.role is Role.AUDITOR
    async with database.write() as db:
        rows = await households.by_index(
            db,
            by,
            index,
            region=None if everywhere else (viewer.region_low, viewer.region_high),
            limit=FOUND_MAX + 1,
        )
        kept = rows[:FOUND_MAX]
        told: dict[str, object] = {"purpose": purpose, "role": viewer.role, "by": by}
        assert viewer.account_id is not None, "whoever has a role has an account"
        asked = told | {"found": len(kept)}
        happened = [
            _event(database, act, "household.searched", "Account", viewer.account_id, asked),
            *(_event(database, act, "household.found", "Household", r["id"], told) for r in kept),
        ]
        await events.append_many(db, happened)
    found = tuple(
        FoundHousehold(
            household_id=row["id"],
            reference=reference("H", row["created_at"].year, row["id"]),
            status=row["status"],
            created_at=row["created_at"],
        )
        for row in kept
    )
    return Found(households=found, is_cut=len(rows) > FOUND_MAX)


def _event(
    database: Database, act: Act, kind: str, entity: str, key: int, data: dict[str, object]
) -> Event:
    return Event(
        kind=kind,
        at=database.now(),
        entity=entity,
        entity_id=key,
        account_id=act.viewer.account_id,
        data=data,
        request_id=act.request_id,
    )


def _index(sealer: Sealer, command: FindHousehold) -> tuple[str, str]:
    """By which index, and the value to look for. Raises InvalidInput."""
    given = {
        "name": (command.name, TEXT_LENGTH_MAX, households.name_index),
        "identity_number": (command.identity_number, TEXT_LENGTH_MAX, households.identity_index),
        "phone": (command.phone, PHONE_LENGTH_MAX, households.phone_index),
    }
    typed = {name: each for name, each in given.items() if each[0] is not None}
    if len(typed) != 1:
        raise InvalidInput.of(
            "name",
            "Give exactly one of name, identityNumber and phone.",
            "姓名、身份证号、电话须且只能填写一项。",
            code="REQUIRED",
        )
    ((name, (text, most, indexed)),) = typed.items()
    assert text is not None, "only what was given is here"
    if not 0 < len(text.strip()) <= most:
        raise InvalidInput.of(
            name, f"1 to {most} characters.", f"应为 1 至 {most} 个字符。", code="INVALID"
        )
    return name, indexed(sealer, text.strip())
