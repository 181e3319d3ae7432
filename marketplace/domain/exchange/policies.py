"""Policies as data: each holds from a day on, until the next one does."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Protocol, TypeVar


class Dated(Protocol):
    @property
    def valid_from(self) -> date: ...


P = TypeVar("P", bound=Dated)


def in_force(policies: Sequence[P], day: date) -> P:
    """The one that holds on a day, of policies in the order of their days; at first the first."""
    holding = [each for each in policies if each.valid_from <= day]
    return holding[-1] if holding else policies[0]
