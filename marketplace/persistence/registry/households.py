"""Rows of households and members, sealed before they are written, and of their assessments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa

from marketplace.domain.registry.assessments import Assessed, Circumstances
from marketplace.domain.registry.households import (
    NewMember,
    RegisterHousehold,
    Relation,
    plain_phone,
)
from marketplace.domain.registry.recognition import due_at, runs_out_at, snapshot_of
from marketplace.persistence.crypto import Sealer, new_seal_id
from marketplace.persistence.database import Reading, Row, Writing
from marketplace.persistence.registry import duplicates
from marketplace.persistence.tables import accounts, households, members, regions

ADDRESS = "households.address"
PHONE = "households.phone"
NAME = "members.name"
IDENTITY_NUMBER = "members.identity_number"
BIRTH_DATE = "members.birth_date"
CHUNK = 1_000


def household_row(sealer: Sealer, command: RegisterHousehold, now: datetime) -> dict[str, object]:
    """A new row of `households`; nothing in it names anybody to who has no key."""
    seal_id = new_seal_id()
    phone = command.phone or None
    return {
        "region_id": command.region_id,
        "member_count": command.heads,
        "target_groups": command.groups,
        "monitoring_category": command.monitoring_category,
        "latitude": command.latitude,
        "longitude": command.longitude,
        "seal_id": seal_id,
        "address_sealed": _sealed(sealer, command.address or None, ADDRESS, seal_id),
        "phone_sealed": _sealed(sealer, phone, PHONE, seal_id),
        "phone_index": phone_index(sealer, phone) if phone else None,
        "external_reference": command.external_reference,
        "created_at": now,
    }


def member_row(
    sealer: Sealer, household_id: int, member: NewMember, now: datetime
) -> dict[str, object]:
    """A new row of `members`."""
    seal_id = new_seal_id()
    number = member.identity_number or None
    born = member.birth_date.isoformat() if member.birth_date else None
    return {
        "household_id": household_id,
        "is_head": member.relation is Relation.SELF,
        "relation": member.relation,
        "target_groups": member.target_groups,
        "seal_id": seal_id,
        "name_sealed": sealer.seal(member.name, place=NAME, seal_id=seal_id),
        "name_index": name_index(sealer, member.name),
        "identity_number_sealed": _sealed(sealer, number, IDENTITY_NUMBER, seal_id),
        "identity_number_index": identity_index(sealer, number) if number else None,
        "birth_date_sealed": _sealed(sealer, born, BIRTH_DATE, seal_id),
        "created_at": now,
    }


def assessment_row(
    household_id: int,
    found: Circumstances,
    assessed: Assessed,
    *,
    assessed_by: int | None,
    assessed_at: datetime,
) -> dict[str, object]:
    """A new row of `assessments`."""
    return {
        "household_id": household_id,
        "assessed_by": assessed_by,
        "assessed_at": assessed_at,
        "policy_version": assessed.policy_version,
        "member_count": found.member_count,
        "income_fen_month": found.income_fen_month,
        "property_fen": found.property_fen,
        "medical_fen_month": found.medical_fen_month,
        "education_fen_month": found.education_fen_month,
        "disability_care_fen_month": found.disability_care_fen_month,
        "housing_fen_month": found.housing_fen_month,
        "disaster_fen_month": found.disaster_fen_month,
        "eligibility_class": assessed.eligibility_class,
        "severity": assessed.severity,
        "trace": [step.row() for step in assessed.trace],
        "override_reason": None,
        "snapshot": snapshot_of(found, assessed.lines),
        "valid_until": runs_out_at(assessed.eligibility_class, assessed_at, assessed.lines),
        "due_at": due_at(assessed.eligibility_class, assessed_at, assessed.lines),
    }


def identity_index(sealer: Sealer, number: str) -> str:
    return sealer.blind_index(number, place=IDENTITY_NUMBER)


def name_index(sealer: Sealer, name: str) -> str:
    return sealer.blind_index(name, place=NAME)


def phone_index(sealer: Sealer, phone: str) -> str:
    return sealer.blind_index(plain_phone(phone), place=PHONE)


async def add_many(
    db: Writing,
    sealer: Sealer,
    commands: Sequence[RegisterHousehold],
    created_at: Sequence[datetime],
) -> list[int]:
    """Add checked households with their members; their keys in the order given."""
    known = list(zip(commands, created_at, strict=True))
    keys = await db.insert_keys(households, [household_row(sealer, c, at) for c, at in known])
    rows = [
        member_row(sealer, key, member, at)
        for key, (command, at) in zip(keys, known, strict=True)
        for member in command.members
    ]
    await db.insert_many(members, rows)
    if known:
        await duplicates.note_households(db, keys, max(at for _, at in known))
    return keys


async def known_numbers(db: Reading, indexes: Iterable[str]) -> frozenset[str]:
    """Those blind indexes of identity numbers that somebody who is a member has."""
    wanted = sorted(set(indexes))
    found: set[str] = set()
    for start in range(0, len(wanted), CHUNK):
        part = wanted[start : start + CHUNK]
        statement = sa.select(members.c.identity_number_index).where(
            members.c.identity_number_index.in_(part), members.c.ended_at.is_(None)
        )
        found |= {row["identity_number_index"] for row in await db.rows(statement)}
    return frozenset(found)


async def of_numbers(db: Reading, indexes: Iterable[str]) -> dict[str, Row]:
    """Index of an identity number -> household_id and monitoring_category of who is a member."""
    wanted = sorted(set(indexes))
    found: dict[str, Row] = {}
    for start in range(0, len(wanted), CHUNK):
        statement = (
            sa.select(
                members.c.identity_number_index,
                members.c.household_id,
                households.c.monitoring_category,
            )
            .join(households, households.c.id == members.c.household_id)
            .where(
                members.c.identity_number_index.in_(wanted[start : start + CHUNK]),
                members.c.ended_at.is_(None),
            )
        )
        found |= {row["identity_number_index"]: row for row in await db.rows(statement)}
    return found


async def flag(db: Writing, categories: Mapping[int, str]) -> None:
    """Write down how households are watched from now on."""
    flagged = (
        sa.update(households)
        .where(households.c.id == sa.bindparam("key"))
        .values(monitoring_category=sa.bindparam("category"), version=households.c.version + 1)
    )
    if categories:
        await db.execute(
            flagged, [{"key": key, "category": categories[key]} for key in sorted(categories)]
        )


async def by_index(
    db: Reading, by: str, index: str, *, region: tuple[int, int] | None, limit: int
) -> Sequence[Row]:
    """Households by a blind index, the newest first; those who ceased to be members count, too.

    by        name, identity_number or phone
    region    interval of a subtree; None: everywhere
    """
    statement = sa.select(households.c.id, households.c.status, households.c.created_at)
    if by == "phone":
        statement = statement.where(households.c.phone_index == index)
    else:
        column = members.c[f"{by}_index"]
        of_it = sa.select(members.c.household_id).where(column == index)
        statement = statement.where(households.c.id.in_(of_it))
    if region is not None:
        inside = sa.select(regions.c.id).where(regions.c.tree_low.between(*region))
        statement = statement.where(households.c.region_id.in_(inside))
    return await db.rows(statement.order_by(households.c.id.desc()).limit(limit))


async def reference_taken(db: Reading, external_reference: str) -> bool:
    found = sa.select(households.c.id).where(households.c.external_reference == external_reference)
    return await db.scalar(found) is not None


async def lock(db: Writing, household_id: int) -> Row | None:
    """A household's row with its region's place in the tree and its code, locked.

    Rows that only point to it may still be written: who holds a need does not wait for it.
    """
    return await db.row(
        _located()
        .where(households.c.id == household_id)
        .with_for_update(of=households, key_share=True)
    )


async def located(db: Reading, household_id: int) -> Row | None:
    return await db.row(_located().where(households.c.id == household_id))


async def members_of(db: Reading, household_id: int) -> Sequence[Row]:
    """Who is a member now, the head first."""
    return await db.rows(
        sa.select(members)
        .where(members.c.household_id == household_id, members.c.ended_at.is_(None))
        .order_by(members.c.is_head.desc(), members.c.id)
    )


async def county_code(db: Reading, tree_low: int) -> str | None:
    """The code of the county around a place of the tree."""
    found = await db.scalar(
        sa.select(regions.c.code).where(
            regions.c.level == "COUNTY",
            regions.c.tree_low <= tree_low,
            regions.c.tree_high >= tree_low,
        )
    )
    return None if found is None else str(found)


async def household_of_account(db: Reading, account_id: int | None) -> int | None:
    """The household that an account belongs to: an applicant's, or an officer's own."""
    if account_id is None:
        return None
    found = await db.scalar(sa.select(accounts.c.household_id).where(accounts.c.id == account_id))
    return None if found is None else int(str(found))


def _located() -> sa.Select[tuple[object, ...]]:
    return sa.select(
        households,
        regions.c.tree_low.label("region_low"),
        regions.c.code.label("region_code"),
        regions.c.level.label("region_level"),
    ).join(regions, regions.c.id == households.c.region_id)


def _sealed(sealer: Sealer, text: str | None, place: str, seal_id: str) -> str | None:
    return None if text is None else sealer.seal(text, place=place, seal_id=seal_id)
