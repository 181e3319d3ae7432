"""The picture of a plan from its columns and names: grouped, ordered, rounded, few left out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

import matching
from marketplace.domain.errors import Text
from marketplace.domain.exchange.disclosure import (
    HOUSEHOLDS_MIN,
    rounded,
    rounded_amount,
    rounded_percent,
    shared,
)
from marketplace.domain.exchange.publishing import severity_band
from marketplace.services.exchange import plan_figures
from marketplace.services.exchange.plan_figures import (
    NOWHERE,
    IntArray,
    Served,
    Share,
    Shortage,
)
from marketplace.services.reports.picture import Bar, Breakdown, Fact, Flows, Picture, Short

PLACES_SHOWN = 30
KINDS_SHOWN = 15
GROUPS_SHOWN = 15
SOURCES_SHOWN = 10
TARGETS_SHOWN = 9
SHORT_SHOWN = 20

ELSEWHERE = Text("elsewhere", "其他地区")
OTHERS = Text("others", "其他")
BANDS: Mapping[str, Text] = {
    "CRITICAL": Text("critical (80–100)", "特别严重（80–100）"),
    "HIGH": Text("high (60–79)", "严重（60–79）"),
    "MEDIUM": Text("medium (35–59)", "中等（35–59）"),
    "LOW": Text("low (1–34)", "较轻（1–34）"),
}
SO_FAR = (
    Text("nothing yet", "尚未获得"),
    Text("less than a quarter so far", "不足四分之一"),
    Text("a quarter to a half so far", "四分之一至一半"),
    Text("half or more so far", "一半以上"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A category: its name, and the unit and price of what is counted in it."""

    name: Text
    unit: str
    unit_fen: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """A plan as columns, with the names of their keys in the order to show them.

    place, category     [N] key of each need in `places` and `kinds`; a place may be NOWHERE
    groups              [N] bit mask over `group_names`
    line_household, line_source, line_place    [L] of each line of the plan
    """

    needs: Served
    place: IntArray
    category: IntArray
    groups: IntArray
    line_household: IntArray
    line_source: IntArray
    line_place: IntArray
    places: Mapping[int, Text]
    kinds: Mapping[int, Kind]
    group_names: Sequence[Text]
    sources: Mapping[int, Text]
    policy: matching.Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """What stands above the charts, as the caller has it; `facts` come before ours."""

    title: Text
    made: Text
    proof: str
    proven: bool
    facts: tuple[Fact, ...] = ()
    notes: tuple[Text, ...] = ()


def picture(heading: Heading, material: Material) -> Picture:
    """Everything that the page shows; households are rounded, groups below five say nothing."""
    short, more, left_out = _short(material)
    return Picture(
        title=heading.title,
        made=heading.made,
        policy=policy_text(material.policy),
        proof=heading.proof,
        proven=heading.proven,
        facts=heading.facts + _facts(plan_figures.total(material.needs)),
        breakdowns=_breakdowns(material),
        flows=_flows(material),
        short=short,
        short_more=more,
        short_left_out=left_out,
        notes=heading.notes,
    )


def policy_text(policy: matching.Policy) -> Text:
    """The policy's order in one clause."""
    share = policy.floor_share
    percent = f"{float(share):.0%}"
    return {
        "floor": Text(
            f"first {percent} of every need, the most severe first; then the rest, by severity "
            "with diminishing returns",
            f"先按严重程度满足每项需求的 {percent}，再按严重程度、边际递减满足其余部分",
        ),
        "leximin": Text(
            "the worst-off first, by the share of the need that is served", "满足比例最低者优先"
        ),
        "severity": Text("strictly by severity", "严格按严重程度"),
        "weighted": Text("by severity with diminishing returns", "按严重程度、边际递减"),
    }[policy.order]


def _facts(all_: Share) -> tuple[Fact, ...]:
    households = rounded(all_.households)
    few = Text("<5", "<5")
    about = few if households is None else Text(f"≈ {households:,}", f"约 {households:,}")
    mean = Text(f"{all_.mean:.0%}", f"{all_.mean:.0%}")
    return (
        Fact(name=Text("households", "家庭"), value=about),
        Fact(name=Text("mean share served", "平均满足率"), value=mean),
    )


def _breakdowns(material: Material) -> tuple[Breakdown, ...]:
    needs = material.needs
    by_place = plan_figures.by_key(needs, material.place)
    by_kind = plan_figures.by_key(needs, material.category)
    kinds = sorted(by_kind, key=lambda key: (-by_kind[key].needs, key))
    places = [key for key in material.places if key in by_place]
    if NOWHERE in by_place:
        places.append(NOWHERE)
    bands = plan_figures.by_severity_band(needs)
    groups = plan_figures.by_mask(needs, material.groups, len(material.group_names))
    names = {key: material.places.get(key, ELSEWHERE) for key in places}
    found = (
        Breakdown(
            key="place",
            title=Text("By township", "按乡镇"),
            bars=_bars((names[key], by_place[key]) for key in places[:PLACES_SHOWN]),
            left_out=max(0, len(places) - PLACES_SHOWN),
        ),
        Breakdown(
            key="severity",
            title=Text("By severity", "按困难程度"),
            bars=_bars((BANDS[band], of) for band, of in bands.items()),
        ),
        Breakdown(
            key="group",
            title=Text("By target group", "按对象类别"),
            bars=_bars(
                (material.group_names[bit], of) for bit, of in list(groups.items())[:GROUPS_SHOWN]
            ),
            note=Text(
                "A household of two groups counts in both.", "属于两类的家庭在两类中均计入。"
            ),
            left_out=max(0, len(groups) - GROUPS_SHOWN),
        ),
        Breakdown(
            key="kind",
            title=Text("By kind of help", "按需求类别"),
            bars=_bars((material.kinds[key].name, by_kind[key]) for key in kinds[:KINDS_SHOWN]),
            left_out=max(0, len(kinds) - KINDS_SHOWN),
        ),
    )
    return tuple(breakdown for breakdown in found if breakdown.bars)


def _bars(groups: Iterable[tuple[Text, Share]]) -> tuple[Bar, ...]:
    return tuple(_bar(name, of) for name, of in groups)


def _bar(name: Text, of: Share) -> Bar:
    households = rounded(of.households)
    if households is None:
        return Bar(name=name, households=None)
    full, none = rounded_percent(of.full, of.needs), rounded_percent(of.none, of.needs)
    # What is rounded up twice is taken back from the larger one, so that they add up to 100.
    over = max(0, full + none - 100)
    full, none = (full - over, none) if full >= none else (full, none - over)
    return Bar(
        name=name,
        households=households,
        full=full,
        partly=100 - full - none,
        none=none,
        mean=round(100 * of.mean),
    )


def _flows(material: Material) -> Flows:
    """The sources that reach most households in rows, the rest in one; townships likewise."""
    source = _largest(material.line_source, material.line_household, SOURCES_SHOWN)
    target = _largest(material.line_place, material.line_household, TARGETS_SHOWN)
    rows = [key for key in source if source[key] == key]
    columns = [key for key in material.places if target.get(key) == key]
    if target.get(NOWHERE) == NOWHERE:
        columns.append(NOWHERE)
    rows += [_REST] if _REST in source.values() else []
    columns += [_REST] if _REST in target.values() else []
    found = plan_figures.flows(
        material.line_household,
        _replaced(material.line_source, source),
        _replaced(material.line_place, target),
    )
    return Flows(
        sources=tuple(material.sources.get(key, OTHERS) for key in rows),
        targets=tuple(
            ELSEWHERE if key == NOWHERE else material.places.get(key, OTHERS) for key in columns
        ),
        households=tuple(
            tuple(rounded(found.get((row, column), 0)) for column in columns) for row in rows
        ),
    )


_REST = -2


def _largest(key: IntArray, household: IntArray, count: int) -> dict[int, int]:
    """Each key as itself, or as the rest; those with most households stay, the most first."""
    one = np.zeros_like(key)
    many = {k: n for (k, _), n in plan_figures.flows(household, key, one).items()}
    order = sorted(many, key=lambda k: (-many[k], k))
    kept = order if len(order) <= count else order[: count - 1]
    return {k: k if k in kept else _REST for k in order}


def _replaced(key: IntArray, by: Mapping[int, int]) -> IntArray:
    return np.array([by[k] for k in key.tolist()], np.int64)


def _short(material: Material) -> tuple[tuple[Short, ...], int, int]:
    """What is short, the most urgent first; groups below five households; what did not fit."""
    found = plan_figures.shortages(
        material.needs, material.category, material.place, material.policy
    )
    said = [one for one in found if one.households >= HOUSEHOLDS_MIN]
    shown = tuple(_said(one, material) for one in said[:SHORT_SHOWN])
    return shown, len(found) - len(said), len(said) - len(shown)


def _said(one: Shortage, material: Material) -> Short:
    kind, needs = material.kinds[one.category], material.needs
    households = rounded(one.households)
    units = rounded_amount(one.short, households=one.households, largest=one.most)
    assert households is not None, "fewer than five were left out"
    assert units is not None
    lacking = (material.category == one.category) & (material.place == one.place)
    lacking &= needs.served < needs.asked
    mildest = shared((-needs.severity[lacking]).tolist(), needs.household[lacking].tolist())
    assert mildest is not None, "fewer than five were left out"
    band = severity_band(min(int(needs.severity[one.next_need]), -mildest))
    asked, served = int(needs.asked[one.next_need]), int(needs.served[one.next_need])
    # Quarters, not shares: this is one household's need.
    so_far = SO_FAR[0 if served == 0 else 1 + (4 * served >= asked) + (2 * served >= asked)]
    return Short(
        name=kind.name,
        place=material.places.get(one.place, ELSEWHERE),
        households=households,
        units=units,
        unit=kind.unit,
        percent=rounded_percent(one.short, one.asked),
        unit_fen=kind.unit_fen,
        next_unit=Text(f"{BANDS[band].en}: {so_far.en}", f"{BANDS[band].zh}：{so_far.zh}"),
    )
