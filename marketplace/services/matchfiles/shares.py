"""Who gets what share: a plan's totals by category, region, provider, severity and size."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from marketplace.domain.errors import Text
from marketplace.services.matchfiles.rows import NeedRow, OfferRow
from marketplace.services.matchfiles.trees import category_name

GROUPS_SHOWN = 20
QUARTER = 4


@dataclass(slots=True)
class Share:
    """Totals of a group of needs: `quarter`, `full`, `none` count needs by the share they got."""

    needs: int = 0
    asked: int = 0
    served: int = 0
    quarter: int = 0
    full: int = 0
    none: int = 0
    millionths: int = 0

    def add(self, asked: int, served: int) -> None:
        self.needs += 1
        self.asked += asked
        self.served += served
        self.quarter += QUARTER * served >= asked
        self.full += served == asked
        self.none += served == 0
        self.millionths += served * 1_000_000 // asked

    @property
    def units_share(self) -> float:
        """Units served over units asked."""
        return self.served / self.asked if self.asked else 0.0

    @property
    def mean_share(self) -> float:
        """The mean over needs, small and large alike, of the share each got."""
        return self.millionths / 1_000_000 / self.needs if self.needs else 0.0

    def to_json(self) -> dict[str, object]:
        return {
            "needs": self.needs,
            "asked": self.asked,
            "served": self.served,
            "units_share": self.units_share,
            "mean_share": self.mean_share,
            "at_least_a_quarter": self.quarter,
            "full": self.full,
            "none": self.none,
        }


@dataclass(frozen=True, slots=True)
class Table:
    """Shares by group, in the order to show them; `left_out` groups did not fit."""

    key: str
    title: Text
    rows: tuple[tuple[Text, Share], ...]
    left_out: int = 0

    def to_json(self) -> dict[str, object]:
        return {name.en: share.to_json() for name, share in self.rows}


@dataclass(frozen=True, slots=True)
class Given:
    """What providers gave: name, offers, units offered, units drawn."""

    rows: tuple[tuple[str, int, int, int], ...]
    left_out: int

    def to_json(self) -> dict[str, object]:
        return {
            name: {"offers": offers, "offered": offered, "given": given}
            for name, offers, offered, given in self.rows
        }


def total(needs: Sequence[NeedRow], served: Sequence[int]) -> Share:
    """All needs as one group; served[i] are the units that needs[i] gets."""
    share = Share()
    for need, units in zip(needs, served, strict=True):
        share.add(need.quantity, units)
    return share


def tables(needs: Sequence[NeedRow], served: Sequence[int]) -> tuple[Table, ...]:
    """By category always, by severity and region where the needs differ in them, and by size."""
    found = [_largest("category", Text("By category", "按类别"), needs, served, _category)]
    if any(need.severity != needs[0].severity for need in needs):
        found.append(
            _sorted("severity", Text("By severity", "按困难程度"), needs, served, _severity)
        )
    if any(need.region for need in needs):
        found.append(_largest("region", Text("By region", "按地区"), needs, served, _region))
    found.append(_sorted("size", Text("By quantity asked", "按需求数量"), needs, served, _size))
    return tuple(found)


def given(offers: Sequence[OfferRow], drawn: Sequence[int]) -> Given:
    """By organization (by offer where none is named), the largest givers first."""
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for offer, units in zip(offers, drawn, strict=True):
        entry = sums[offer.organization or offer.id]
        entry[0] += 1
        entry[1] += offer.quantity
        entry[2] += units
    rows = sorted(sums.items(), key=lambda item: (-item[1][2], item[0]))
    shown = tuple((name, count, all_, used) for name, (count, all_, used) in rows[:GROUPS_SHOWN])
    return Given(shown, max(0, len(rows) - GROUPS_SHOWN))


Key = Callable[[NeedRow], Text]


def _groups(needs: Sequence[NeedRow], served: Sequence[int], key: Key) -> dict[Text, Share]:
    found: defaultdict[Text, Share] = defaultdict(Share)
    for need, units in zip(needs, served, strict=True):
        found[key(need)].add(need.quantity, units)
    return found


def _largest(
    name: str, title: Text, needs: Sequence[NeedRow], served: Sequence[int], key: Key
) -> Table:
    rows = sorted(
        _groups(needs, served, key).items(), key=lambda item: (-item[1].needs, item[0].en)
    )
    return Table(name, title, tuple(rows[:GROUPS_SHOWN]), max(0, len(rows) - GROUPS_SHOWN))


def _sorted(
    name: str, title: Text, needs: Sequence[NeedRow], served: Sequence[int], key: Key
) -> Table:
    rows = sorted(_groups(needs, served, key).items(), key=lambda item: _leading(item[0]))
    return Table(name, title, tuple(rows))


def _leading(label: Text) -> int:
    return int(label.en.split("–")[0].replace(",", "").rstrip("+"))


def _category(need: NeedRow) -> Text:
    return category_name(need.category)


def _region(need: NeedRow) -> Text:
    return _same(need.region or "—")


def _severity(need: NeedRow) -> Text:
    low = (need.severity - 1) // 20 * 20
    return _same(f"{low + 1}–{low + 20}")


def _size(need: NeedRow) -> Text:
    """Powers of ten: 1–9, 10–99, … and a million or more."""
    digits = len(str(need.quantity))
    if digits > 6:
        return _same("1,000,000+")
    return _same(f"{10 ** (digits - 1):,}–{10**digits - 1:,}")


def _same(text: str) -> Text:
    return Text(text, text)
