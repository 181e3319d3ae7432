"""One-time codes, messages to households and webhooks: their words, limits and back-off."""

from __future__ import annotations

import secrets
from datetime import timedelta
from enum import StrEnum

CODE_DIGITS = 6
CODE_TRIES_MAX = 5
CODES_PER_HOUR_MAX = 10  # of one purpose and subject: 50 guesses an hour at a million codes


class CodePurpose(StrEnum):
    """What a code proves, by whoever knows it; the subject is the row it is about."""

    APPLICATION_FOLLOW = "APPLICATION_FOLLOW"  # subject: the application
    DELIVERY_CONFIRM = "DELIVERY_CONFIRM"  # subject: the allocation
    FEEDBACK = "FEEDBACK"  # subject: the allocation or household that may speak without an account


class MessageStatus(StrEnum):
    """Where a message to a household stands; a failed one stays and can be sent again."""

    QUEUED = "QUEUED"
    SENT = "SENT"
    FAILED = "FAILED"


class WebhookDeliveryStatus(StrEnum):
    """Where one event for one webhook stands; DEAD: given up, to be looked at by a person."""

    QUEUED = "QUEUED"
    SENT = "SENT"
    DEAD = "DEAD"


MESSAGE_KEPT_FOR = timedelta(days=3)  # whoever waited so long for a code asks for a new one
WEBHOOK_ATTEMPTS_MAX = 24  # about three days, by the back-off below
BACK_OFF_FIRST_S = 5
BACK_OFF_MAX_S = 4 * 3600


def new_code() -> str:
    """Digits that nobody can guess.

    >>> len(new_code())
    6
    """
    return f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"


def back_off(attempts: int) -> timedelta:
    """How long to wait after so many attempts: seconds at first, hours in the end.

    >>> [int(back_off(n).total_seconds()) for n in (1, 2, 3, 20)]
    [5, 20, 80, 14400]
    """
    return timedelta(seconds=min(BACK_OFF_MAX_S, BACK_OFF_FIRST_S * 4 ** min(attempts - 1, 12)))
