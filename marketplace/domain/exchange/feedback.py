"""Feedback and complaints: a household or a provider writes, the competent desk replies in time."""

from __future__ import annotations

from enum import StrEnum


class FeedbackKind(StrEnum):
    PRAISE = "PRAISE"
    SUGGESTION = "SUGGESTION"
    QUESTION = "QUESTION"
    COMPLAINT = "COMPLAINT"


class FeedbackFrom(StrEnum):
    HOUSEHOLD = "HOUSEHOLD"
    PROVIDER = "PROVIDER"


class FeedbackStatus(StrEnum):
    OPEN = "OPEN"
    ANSWERED = "ANSWERED"
    CLOSED = "CLOSED"
