"""A referral: the batch in which the assistance desk passes needs to the charity desk."""

from __future__ import annotations

from enum import StrEnum


class ReviewDecision(StrEnum):
    APPROVE = "APPROVE"
    RETURN = "RETURN"
    REJECT = "REJECT"
