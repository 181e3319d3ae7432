"""An account: a person or a program that acts, in a role and within a scope; and its keys."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field

from marketplace.domain.checks import fault, text
from marketplace.domain.errors import Fault, InvalidInput
from marketplace.domain.permissions import OFFICERS, PROVIDERS, Role

NAME_LENGTH_MAX = 100
KEY_BYTES = 32  # 256 bits: a plain SHA-256 is enough, nobody guesses it
PREFIX_LENGTH = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateAccount:
    """Scope by role: providers an organization, officers a region, applicants a household."""

    name: str
    role: Role
    organization_id: int | None = None
    region_id: int | None = None
    household_id: int | None = None


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key as it is shown once; kept are `prefix`, to tell it apart, and `digest`."""

    key: str = field(repr=False)

    @property
    def prefix(self) -> str:
        return self.key[:PREFIX_LENGTH]

    @property
    def digest(self) -> str:
        """SHA-256 as hex: all that the database knows of it."""
        return hashlib.sha256(self.key.encode()).hexdigest()


def new_key() -> NewKey:
    """A fresh key of 256 random bits; its beginning lets secret scanners know it."""
    return NewKey(f"aidloop_{secrets.token_urlsafe(KEY_BYTES)}")


def check_account(command: CreateAccount) -> None:
    """Raise InvalidInput for a role without the scope that bounds it."""
    if faults := list(_faults(command)):
        raise InvalidInput(*faults)


def _faults(command: CreateAccount) -> Iterator[Fault]:
    yield from text("name", command.name, 1, NAME_LENGTH_MAX)
    role = command.role
    if role is Role.PUBLIC:
        yield fault("role", "INVALID", "The public has no account.", "公众无需账号。")
    for name, scope, needed, en, zh in (
        ("organization_id", command.organization_id, role in PROVIDERS, "an organization", "单位"),
        ("region_id", command.region_id, role in OFFICERS, "a region", "区划"),
        ("household_id", command.household_id, role is Role.APPLICANT, "a household", "家庭"),
    ):
        if needed and scope is None:
            yield fault(
                name, "REQUIRED", f"The role {role} needs {en}.", f"角色 {role} 须指定{zh}。"
            )
    if command.organization_id is not None and role not in PROVIDERS:
        yield fault(
            "organization_id",
            "INVALID",
            "Only providers act for an organization.",
            "仅供给方角色可指定单位。",
        )
