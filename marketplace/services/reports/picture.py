"""What the picture of a plan shows, said so that it singles nobody out; no charts, no HTML yet."""

from __future__ import annotations

from dataclasses import dataclass, field

from marketplace.domain.errors import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A group of needs; percent of its needs by what they get, which add up to 100.

    households    rounded; None: fewer than five, and then all percentages are 0 and not shown
    mean          the mean over its needs of the share that each gets, in percent
    """

    name: Text
    households: int | None
    full: int = 0
    partly: int = 0
    none: int = 0
    mean: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakdown:
    """One way to divide the needs into groups; `left_out` groups did not fit."""

    key: str
    title: Text
    bars: tuple[Bar, ...]
    note: Text | None = None
    left_out: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Flows:
    """Households reached by each source at each target, rounded; None: fewer than five, or none."""

    sources: tuple[Text, ...]
    targets: tuple[Text, ...]
    households: tuple[tuple[int | None, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Short:
    """What stays short of one kind in one place, rounded as its households allow.

    unit         "fen" for cash
    percent      of what was asked
    unit_fen     what one unit is worth by its reference price; None: no one price fits
    next_unit    what one unit more would serve
    """

    name: Text
    place: Text
    households: int
    units: int
    unit: str
    percent: int
    unit_fen: int | None
    next_unit: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A number about the plan as a whole, with what it counts."""

    name: Text
    value: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A plan, ready to be drawn.

    title         such as "Plan M-2026-000001"
    proof         one sentence: how good it is, and why one may believe it
    proven        whether that sentence says that it is optimal
    short_more    kinds and places with fewer than five households short, which are not listed
    """

    title: Text
    made: Text
    policy: Text
    proof: str
    proven: bool
    facts: tuple[Fact, ...]
    breakdowns: tuple[Breakdown, ...]
    flows: Flows
    short: tuple[Short, ...]
    short_more: int = 0
    short_left_out: int = 0
    notes: tuple[Text, ...] = field(default_factory=tuple)
