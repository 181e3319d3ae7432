"""The residual: what government leaves open of all needs of a household, reckoned together.

Units of aid go to needs in three rounds, each from the oldest need on, so that as little changes
as can be:

    1  what a need was given so far, as far as the aid is still there
    2  what a need has open beside what charity has in hand
    3  what charity has in hand: then it is given twice, which is told as an overlap

A need draws first on aid that has ended, then on the narrowest. Aid counts toward a need if it had
begun and had not ended before the need was written down.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from marketplace.domain.errors import Text
from marketplace.domain.exchange.government_aid import GovernmentAidKind
from marketplace.domain.exchange.needs import NeedStatus

# Whose quantity follows the aid; what was served already stays as it was, and what is suspended is
# reckoned anew when it comes back.
RECKONED = frozenset(
    {
        NeedStatus.DRAFT,
        NeedStatus.REFERRED,
        NeedStatus.RETURNED,
        NeedStatus.PUBLISHED,
    }
)
AID_NAMES = {
    GovernmentAidKind.SUBSISTENCE_ALLOWANCE: Text("Subsistence allowance", "低保金"),
    GovernmentAidKind.EXTREME_POVERTY_SUPPORT: Text("Extreme-poverty support", "特困供养"),
    GovernmentAidKind.TEMPORARY_ASSISTANCE: Text("Temporary assistance", "临时救助"),
    GovernmentAidKind.MEDICAL: Text("Medical assistance", "医疗救助"),
    GovernmentAidKind.EDUCATION: Text("Education assistance", "教育救助"),
    GovernmentAidKind.HOUSING: Text("Housing assistance", "住房救助"),
    GovernmentAidKind.DISASTER: Text("Disaster relief", "受灾救助"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Aid:
    """Granted aid with what it covers; `category_low..category_high` is its subtree."""

    id: int
    kind: GovernmentAidKind
    category_low: int
    category_high: int
    units: int
    starts_on: date
    ends_on: date | None

    def counts(self, need: Asked, on: date) -> bool:
        return (
            self.starts_on <= on
            and (self.ends_on is None or self.ends_on >= need.created_on)
            and self.category_low <= need.category_high
            and need.category_low <= self.category_high
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A need as the reckoning sees it; units of its category.

    drawn        what government was reckoned to give of it so far, overlap included
    covered      what charity has in hand or has given
    quantity_min less than this is of no use, as it was asked for
    """

    id: int
    category_low: int
    category_high: int
    asked: int
    drawn: int
    covered: int
    quantity_min: int
    created_on: date
    is_reckoned: bool


@dataclass(slots=True)
class Drawn:
    """Units by aid, in the order in which they were drawn; `twice` are those of round 3."""

    by_aid: dict[int, int] = field(default_factory=dict)
    twice: dict[int, int] = field(default_factory=dict)

    @property
    def units(self) -> int:
        return sum(self.by_aid.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Residual:
    """What follows for one need.

    by_government, quantity   as the need's row says them: quantity is at least what is covered
    overlap                   given by government beyond that
    is_met                    government gives all of it, and charity has nothing in hand
    """

    by_government: int
    quantity: int
    quantity_min: int
    overlap: int
    is_met: bool


def reckon(needs: Sequence[Asked], aids: Sequence[Aid], on: date) -> dict[int, Drawn]:
    """What each need draws on each aid, by the need's id; needs by ascending id.

    >>> aid = Aid(id=1, kind=GovernmentAidKind.MEDICAL, category_low=3, category_high=3, units=30,
    ...           starts_on=date(2026, 1, 1), ends_on=None)
    >>> need = Asked(id=7, category_low=2, category_high=4, asked=100, drawn=0, covered=80,
    ...              quantity_min=1, created_on=date(2026, 2, 1), is_reckoned=True)
    >>> reckon([need], [aid], date(2026, 3, 1))[7]
    Drawn(by_aid={1: 30}, twice={1: 10})
    """
    left = {aid.id: aid.units for aid in aids}
    drawn = {need.id: Drawn() for need in needs}
    for need in needs:
        _draw(need, need.drawn, aids, left, drawn[need.id], on)
    for need in needs:
        if need.is_reckoned:
            open_units = need.asked - need.covered - drawn[need.id].units
            _draw(need, open_units, aids, left, drawn[need.id], on)
    for need in needs:
        if need.is_reckoned:
            _draw(need, need.asked - drawn[need.id].units, aids, left, drawn[need.id], on)
            _mark_twice(need, drawn[need.id])
    return drawn


def residual_of(need: Asked, drawn: Drawn) -> Residual:
    """The columns of a reckoned need."""
    units = drawn.units
    is_met = units >= need.asked and need.covered == 0
    by_government = min(units, need.asked - max(need.covered, 1))
    quantity = need.asked - by_government
    return Residual(
        by_government=by_government,
        quantity=quantity,
        quantity_min=min(need.quantity_min, quantity),
        overlap=units - by_government,
        is_met=is_met,
    )


def trace(
    need: Asked, drawn: Drawn, aids: Mapping[int, Aid], references: Mapping[int, str], unit: str
) -> dict[str, object]:
    """The arithmetic as JSON: asked, byGovernment, left, and the steps in both languages.

    references    of the decisions on aid, by id
    """
    steps = [_step(f"Asked for: {need.asked} {unit}.", f"申请：{need.asked} {unit}。", need.asked)]
    for aid_id, units in drawn.by_aid.items():
        aid, reference = aids[aid_id], references[aid_id]
        name = AID_NAMES[aid.kind]
        steps.append(
            _step(
                f"{name.en} {reference} gives {units} {unit} of it.",
                f"{name.zh}（{reference}）已覆盖 {units} {unit}。",
                -units,
            )
        )
    left = need.asked - drawn.units
    steps.append(_step(f"Left for charity: {left} {unit}.", f"需慈善补充：{left} {unit}。", left))
    twice = sum(drawn.twice.values())
    if twice:
        steps.append(
            _step(
                f"Charity has {twice} {unit} of what government gives in hand already: look "
                "whether they are still needed.",
                f"其中 {twice} {unit} 慈善方已安排，与政府救助重复，请核实是否仍需要。",
                twice,
            )
        )
    return {
        "asked": need.asked,
        "byGovernment": drawn.units,
        "left": left,
        "overlap": twice,
        "quantityMin": need.quantity_min,
        "steps": steps,
    }


def _draw(
    need: Asked, units: int, aids: Sequence[Aid], left: dict[int, int], drawn: Drawn, on: date
) -> None:
    fitting = [aid for aid in aids if aid.counts(need, on)]
    fitting.sort(
        key=lambda aid: (
            aid.ends_on is None or aid.ends_on >= on,
            aid.category_high - aid.category_low,
            aid.id,
        )
    )
    for aid in fitting:
        taken = max(0, min(units, left[aid.id]))
        if taken:
            left[aid.id] -= taken
            units -= taken
            drawn.by_aid[aid.id] = drawn.by_aid.get(aid.id, 0) + taken


def _mark_twice(need: Asked, drawn: Drawn) -> None:
    """What is drawn beyond what charity leaves, told of the aid that came last."""
    beyond = drawn.units - (need.asked - need.covered)
    for aid_id in reversed(drawn.by_aid):
        if beyond > 0:
            part = min(beyond, drawn.by_aid[aid_id])
            drawn.twice[aid_id] = part
            beyond -= part


def _step(en: str, zh: str, units: int) -> dict[str, object]:
    return {"en": en, "zh": zh, "units": units}
