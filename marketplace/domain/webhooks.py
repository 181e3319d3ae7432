"""Webhooks: who may have one, which events it asks for, and what it is told of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from marketplace.domain.checks import fault
from marketplace.domain.errors import Fault, Forbidden, Text
from marketplace.domain.moves import Move
from marketplace.domain.permissions import PROVIDERS, Role, Viewer

DESKS = frozenset({Role.CHARITY_OFFICER, Role.ASSISTANCE_OFFICER, Role.TOWNSHIP_OFFICER})
KINDS_MAX = 50
URL_LENGTH_MAX = 500
PER_SUBSCRIBER_MAX = 10
OVERLAP = timedelta(hours=24)  # how long the secret before a rotation signs beside the new one


class WebhookStatus(StrEnum):
    """Whether a webhook is told of events."""

    ENABLED = "ENABLED"
    DISABLED = "DISABLED"


EITHER = frozenset(WebhookStatus)
MOVES: Mapping[str, Move[WebhookStatus]] = {
    "webhookUpdate": Move(before=EITHER, after=None),
    "webhookRotateSecret": Move(before=EITHER, after=None),
    "webhookDisable": Move(before=frozenset({WebhookStatus.ENABLED}), after=WebhookStatus.DISABLED),
    "webhookEnable": Move(before=frozenset({WebhookStatus.DISABLED}), after=WebhookStatus.ENABLED),
}

_KIND = re.compile(r"[a-z][A-Za-z_]{0,40}\.(\*|[a-z][A-Za-z_]{0,40})")
# The house's own business; who looked at whose data is for supervision alone.
UNTOLD = (
    *("account.", "key.", "notification.", "webhook.", "message."),
    *("household.searched", "household.found"),
)
VIEWED = ".viewed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """Whose webhook it is: an organization, or the desk of a role in a region."""

    role: Role
    organization_id: int | None = None
    region_id: int | None = None


def subscriber_of(viewer: Viewer) -> Subscriber:
    """For whom a viewer makes webhooks. Raises Forbidden where the account has no such scope."""
    if viewer.role is Role.ADMIN:
        return Subscriber(role=viewer.role, region_id=viewer.region_id)
    if viewer.role in PROVIDERS and viewer.organization_id is not None:
        return Subscriber(role=viewer.role, organization_id=viewer.organization_id)
    if viewer.role in DESKS and viewer.region_id is not None:
        return Subscriber(role=viewer.role, region_id=viewer.region_id)
    raise Forbidden


def may_manage(viewer: Viewer, of: Subscriber, region_low: int | None) -> bool:
    """Whether a webhook is the viewer's own to change; the operator's are all."""
    if viewer.role is Role.ADMIN:
        return True
    if viewer.role in PROVIDERS:
        return of.role in PROVIDERS and of.organization_id == viewer.organization_id
    return (
        of.role is viewer.role
        and region_low is not None
        and viewer.region_low <= region_low <= viewer.region_high
    )


def check_kinds(kinds: Sequence[str]) -> list[Fault]:
    """What is wrong with the kinds of events that are asked for."""
    found = [
        Fault(
            ("kinds", str(at)),
            "INVALID",
            Text(
                f"{kind[:60]!r} is no kind of event. Examples: allocation.confirmed, need.*",
                f"{kind[:60]!r} 不是事件类型，例如 allocation.confirmed、need.*",
            ),
        )
        for at, kind in enumerate(kinds[:KINDS_MAX])
        if not _KIND.fullmatch(kind)
    ]
    if len(kinds) > KINDS_MAX:
        found.append(
            fault("kinds", "TOO_MANY", f"At most {KINDS_MAX} kinds.", f"最多 {KINDS_MAX} 个类型。")
        )
    return found


def is_wanted(kinds: Sequence[str], kind: str) -> bool:
    """Whether a webhook asks for a kind of event; one that names none asks for all.

    >>> [is_wanted(["need.*", "offer.posted"], k) for k in ("need.published", "offer.closed")]
    [True, False]
    >>> is_wanted([], "household.viewed")
    False
    """
    if kind.startswith(UNTOLD) or kind.endswith(VIEWED):
        return False
    return not kinds or kind in kinds or f"{kind.partition('.')[0]}.*" in kinds
