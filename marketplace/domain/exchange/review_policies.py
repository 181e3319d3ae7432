"""A review policy: how many people approve a need of which worth, by when, and how many a week."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from marketplace.domain.checks import fault, near, within
from marketplace.domain.errors import Fault, InvalidInput

BANDS_MAX = 10
APPROVALS_MAX = 5
DAYS_MAX = 365
CAPACITY_MAX = 100_000
VALUE_MAX = 10**15  # fen


@dataclass(frozen=True, slots=True)
class Band:
    """Needs that are worth so much at reference prices, in fen, or more."""

    from_fen: int
    approvals: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewPolicy:
    """How a county's charity desk reviews; bands rise, and the first one begins at nothing.

    A need without a reference price belongs to the first band.

    review_days      until a referred need should be decided on, in days of 24 hours
    resubmit_days    until a returned need should be back
    weekly_capacity  needs that the desk can review in a week; None: as many as come
    version          0: what holds where no county has set any
    """

    bands: tuple[Band, ...] = (Band(0, 1), Band(500_000, 2), Band(5_000_000, 3))
    review_days: int = 5
    resubmit_days: int = 10
    weekly_capacity: int | None = None
    version: int = 0

    def approvals_asked(self, value_fen: int | None) -> int:
        """
        >>> [ReviewPolicy().approvals_asked(v) for v in (None, 499_999, 500_000, 5_000_000)]
        [1, 1, 2, 3]
        """
        return [band for band in self.bands if band.from_fen <= (value_fen or 0)][-1].approvals

    def review_by(self, now: datetime) -> datetime:
        return now + timedelta(days=self.review_days)

    def resubmit_by(self, now: datetime) -> datetime:
        return now + timedelta(days=self.resubmit_days)

    def bands_to_json(self) -> list[dict[str, int]]:
        return [{"fromFen": band.from_fen, "approvals": band.approvals} for band in self.bands]


POLICY = ReviewPolicy()


def bands_from_json(stored: Sequence[Mapping[str, int]]) -> tuple[Band, ...]:
    return tuple(Band(each["fromFen"], each["approvals"]) for each in stored)


def check_policy(policy: ReviewPolicy, *, valid_from: datetime | None, now: datetime) -> None:
    """Raise InvalidInput with everything that keeps this from being a policy.

    valid_from    None: at once; the past is settled
    """
    faults = [*_band_faults(policy.bands), *_number_faults(policy)]
    faults += near("valid_from", valid_from, now)
    if valid_from is not None and valid_from < now:
        faults.append(
            fault(
                "valid_from",
                "INVALID",
                "A policy holds from now on or later: what was decided stays so.",
                "政策自现在或以后生效，已作出的决定不受影响。",
            )
        )
    if faults:
        raise InvalidInput(*faults)


def _band_faults(bands: Sequence[Band]) -> Iterator[Fault]:
    if not 1 <= len(bands) <= BANDS_MAX:
        yield fault(
            "bands",
            "TOO_MANY" if bands else "REQUIRED",
            f"Name between 1 and {BANDS_MAX} bands.",
            f"须设置 1 至 {BANDS_MAX} 个金额档。",
        )
        return
    begins = [band.from_fen for band in bands]
    if begins[0] != 0 or begins != sorted(set(begins)):
        yield fault(
            "bands",
            "INVALID",
            "The first band begins at 0, and each further one higher.",
            "第一档从 0 起，其后各档须递增。",
        )
    for at, band in enumerate(bands):
        for name, value, most in (
            ("from_fen", band.from_fen, VALUE_MAX),
            ("approvals", band.approvals, APPROVALS_MAX),
        ):
            for found in within(name, value, 1 if name == "approvals" else 0, most):
                yield Fault(("bands", str(at), *found.field), found.code, found.text)
    counts = [band.approvals for band in bands]
    if counts != sorted(counts):
        yield fault(
            "bands",
            "INVALID",
            "What is worth more never needs fewer people.",
            "金额越高，所需审核人数不得减少。",
        )


def _number_faults(policy: ReviewPolicy) -> Iterator[Fault]:
    yield from within("review_days", policy.review_days, 1, DAYS_MAX)
    yield from within("resubmit_days", policy.resubmit_days, 1, DAYS_MAX)
    if policy.weekly_capacity is not None:
        yield from within("weekly_capacity", policy.weekly_capacity, 1, CAPACITY_MAX)
