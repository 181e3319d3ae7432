"""The picture of a plan from files: townships by code, groups and providers by their words."""

from __future__ import annotations

import csv
import io
from collections.abc import Hashable, Iterable, Mapping
from functools import cache
from importlib import resources
from typing import TypeVar

import numpy as np

from marketplace.domain.errors import Language, Text
from marketplace.domain.registry.households import GROUP_LABELS
from marketplace.services.exchange.plan_figures import NOWHERE, IntArray, Served
from marketplace.services.exchange.plan_picture import Heading, Kind, Material, picture
from marketplace.services.matchfiles import proof
from marketplace.services.matchfiles.building import Market
from marketplace.services.matchfiles.rows import NeedRow
from marketplace.services.matchfiles.running import Matched
from marketplace.services.matchfiles.trees import category_name, category_path, region_path
from marketplace.services.reports.picture import Fact, Picture

TOWNSHIP_LEVELS = 4  # of a code: province, prefecture, county, township
GROUPS_MAX = 62
Key = TypeVar("Key", bound=Hashable)


def picture_of(matched: Matched, language: Language) -> Picture:
    """The picture of a plan that was made from files."""
    market, plan = matched.market, matched.plan
    total = matched.total
    heading = Heading(
        title=Text("Plan from files", "文件匹配方案"),
        made=Text(
            f"Computed from {matched.files[0].name} and {matched.files[1].name}.",
            f"依据 {matched.files[0].name} 和 {matched.files[1].name} 计算。",
        ),
        proof=proof.verdict(plan).said_in(language),
        proven=plan.status == "optimal" and plan.certificate.optimal,
        facts=(
            _fact("needs", "需求", len(market.needs)),
            _fact("needs served", "获助需求", total.needs - total.none),
            _fact("offers", "供给", len(market.offers)),
        ),
    )
    return picture(heading, _material(matched))


def _fact(en: str, zh: str, value: int) -> Fact:
    return Fact(name=Text(en, zh), value=Text(f"{value:,}", f"{value:,}"))


def _material(matched: Matched) -> Material:
    market, problem = matched.market, matched.market.problem
    places, place = _numbered(_township(need.region) for need in market.needs)
    kinds, category = _numbered(category_path(need.category) for need in market.needs)
    spelled = {category_path(need.category): need.category for need in market.needs}
    givers, source = _numbered(offer.organization or offer.id for offer in market.offers)
    groups, masks = _masks(market)
    used = np.flatnonzero(matched.plan.pair_units)
    need, offer = problem.pair_need[used], problem.pair_offer[used]
    household = np.asarray(problem.need_household, np.int64)
    known = np.array([bool(need.region) for need in market.needs], np.bool_)
    place = np.where(known, place, NOWHERE) if len(known) else place
    return Material(
        needs=Served(
            household=household,
            severity=np.asarray(problem.need_severity, np.int64),
            asked=np.asarray(problem.need_units, np.int64),
            served=np.array(matched.served, np.int64),
        ),
        place=place,
        category=category,
        groups=masks,
        line_household=household[need],
        line_source=source[offer],
        line_place=place[need],
        places=dict(sorted(((at, _place_name(key)) for key, at in places.items() if key), key=str)),
        kinds={at: _kind(spelled[key]) for key, at in kinds.items()},
        group_names=groups,
        sources={at: Text(name, name) for name, at in givers.items()},
        policy=matched.plan.policy,
    )


def _numbered(keys: Iterable[Key]) -> tuple[dict[Key, int], IntArray]:
    """A number for each distinct key, in the order they come, and the number of each."""
    numbers: dict[Key, int] = {}
    at = [numbers.setdefault(key, len(numbers)) for key in keys]
    return numbers, np.array(at, np.int64)


def _masks(market: Market) -> tuple[tuple[Text, ...], IntArray]:
    """The groups that most needs are of, and each need's as a bit mask."""
    count: dict[str, int] = {}
    for need in market.needs:
        for group in _groups(need):
            count[group] = count.get(group, 0) + 1
    shown = sorted(count, key=lambda group: (-count[group], group))[:GROUPS_MAX]
    bit = {group: 1 << at for at, group in enumerate(shown)}
    masks = [sum(bit.get(group, 0) for group in _groups(need)) for need in market.needs]
    return tuple(_group_name(group) for group in shown), np.array(masks, np.int64)


def _groups(need: NeedRow) -> set[str]:
    return {group.casefold() for group in need.groups}


def _group_name(group: str) -> Text:
    known = {key.value.casefold(): text for key, text in GROUP_LABELS.items()}
    return known.get(group, Text(group, group))


def _township(region: str) -> tuple[str, ...]:
    return region_path(region)[:TOWNSHIP_LEVELS] if region else ()


def _place_name(path: tuple[str, ...]) -> Text:
    digits = "".join(path)
    known = _shipped_regions().get(digits) if digits.isdigit() else None
    said = digits if digits.isdigit() else "/".join(path)
    return known or Text(said, said)


def _kind(category: str) -> Kind:
    unit, price = _shipped_units().get(category_path(category)[-1], ("", None))
    return Kind(name=category_name(category), unit=unit, unit_fen=price)


@cache
def _shipped_regions() -> Mapping[str, Text]:
    """Names by code without the zeros that name no level."""
    found = {}
    for row in _rows("regions.csv"):
        digits = "".join(region_path(row["code"]))
        found[digits] = Text(row["name_en"] or row["name_zh"], row["name_zh"])
    return found


@cache
def _shipped_units() -> Mapping[str, tuple[str, int | None]]:
    """Unit and reference price by category code."""
    return {
        row["code"]: (
            row["unit"],
            int(row["reference_price_fen"]) if row["reference_price_fen"] else None,
        )
        for row in _rows("categories.csv")
    }


def _rows(name: str) -> list[dict[str, str]]:
    text = resources.files("marketplace").joinpath(f"data/{name}").read_text("utf-8")
    return list(csv.DictReader(io.StringIO(text)))
