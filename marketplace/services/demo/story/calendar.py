"""The clock of the story: it stands where it was set, and never goes back."""

from __future__ import annotations

from datetime import datetime, timedelta

from marketplace.domain.days import COUNTY_TIME

YEAR = 2023
BETWEEN_ACTS = timedelta(minutes=3)


class Calendar:
    """Called, it says what time it is; a database takes it as its clock."""

    def __init__(self) -> None:
        self._at = on(1, 1, 8)

    def __call__(self) -> datetime:
        return self._at

    def goes_to(self, at: datetime) -> None:
        """Let time pass until then; where that is past already, a little."""
        self._at = max(at, self._at + BETWEEN_ACTS)

    def goes_on(self, by: timedelta = BETWEEN_ACTS) -> None:
        self._at += by


def on(month: int, day: int, hour: int = 9) -> datetime:
    """A full hour of 2023 in the county."""
    return datetime(YEAR, month, day, hour, tzinfo=COUNTY_TIME)
