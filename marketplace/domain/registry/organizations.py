"""An organization: a provider of help, verified before its offers open."""

from __future__ import annotations

from enum import StrEnum


class OrganizationKind(StrEnum):
    CHARITY = "CHARITY"
    ENTERPRISE = "ENTERPRISE"
    VOLUNTEER_GROUP = "VOLUNTEER_GROUP"
    SOCIAL_ORGANIZATION = "SOCIAL_ORGANIZATION"
    FEDERATION = "FEDERATION"


class OrganizationStatus(StrEnum):
    APPLIED = "APPLIED"
    VERIFIED = "VERIFIED"
    SUSPENDED = "SUSPENDED"
    REJECTED = "REJECTED"
