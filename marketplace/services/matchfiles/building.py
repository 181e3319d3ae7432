"""From rows of files to a problem in arrays: codes as tree positions, pairs that may meet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from marketplace.domain.errors import InvalidInput, Text
from marketplace.services.matchfiles.faults import Faults
from marketplace.services.matchfiles.pairs import PairColumns
from marketplace.services.matchfiles.rows import NeedRow, OfferRow
from marketplace.services.matchfiles.trees import (
    Tree,
    category_path,
    region_path,
    remembered,
)
from matching import (
    NeedColumns,
    OfferColumns,
    Problem,
    TooManyPairs,
    candidates,
    region_intervals,
)

PAIRS_MAX = 20_000_000  # about 6 GB while solving
GROUPS_MAX = 62
METRES = 1_000
ASSUMED_KM = 50

Bools = npt.NDArray[np.bool_]
Place = tuple[float, float] | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Market:
    """The problem, the rows behind its needs and offers, and what a cost of 1 is: unit / scale.

    `priced` is false where nothing said what a pair costs; then every cost is 0. `assumed` pairs
    cost ASSUMED_KM, since a coordinate is missing.
    """

    needs: tuple[NeedRow, ...]
    offers: tuple[OfferRow, ...]
    problem: Problem
    cost_scale: int
    cost_unit: str
    priced: bool
    assumed: int = 0


def market_of(
    needs: tuple[NeedRow, ...],
    offers: tuple[OfferRow, ...],
    pairs: PairColumns | None,
    pairs_name: str,
    faults: Faults,
) -> Market:
    """The problem of matching these rows: over the listed pairs, or over all that may meet.

    A listed pair that the rows forbid (category, region, group) is a fault, and left out. Raises
    InvalidInput (TOO_MANY_GROUPS, TOO_MANY_PAIRS, TOO_LARGE).
    """
    need_columns, offer_columns = _columns(needs, offers)
    if pairs is None:
        return _from_candidates(needs, offers, need_columns, offer_columns)
    good = _refuse_forbidden(pairs, pairs_name, need_columns, offer_columns, faults)
    problem = _problem(needs, offers, pairs.need[good], pairs.offer[good], pairs.cost[good])
    return Market(
        needs=needs,
        offers=offers,
        problem=problem,
        cost_scale=pairs.scale,
        cost_unit=pairs.unit,
        priced=pairs.priced,
    )


def _from_candidates(
    needs: tuple[NeedRow, ...],
    offers: tuple[OfferRow, ...],
    need_columns: NeedColumns,
    offer_columns: OfferColumns,
) -> Market:
    placed = any(row.place for row in needs) and any(row.place for row in offers)
    try:
        found = candidates(
            need_columns,
            offer_columns,
            unknown_distance_m=ASSUMED_KM * METRES,
            max_pairs=PAIRS_MAX,
        )
    except TooManyPairs:
        raise InvalidInput.of(
            ("offers",),
            f"More than {PAIRS_MAX:,} pairs of need and offer may meet. Give regions or a radius, "
            "or list the pairs in a file of their own.",
            f"可匹配的组合超过 {PAIRS_MAX:,} 个。请填写服务地区或服务半径，或另附配对文件。",
            code="TOO_MANY_PAIRS",
        ) from None
    cost = found.cost if placed else np.zeros(len(found.cost), np.int64)
    unknown = np.isnan(need_columns.latitude)[found.need]
    unknown |= np.isnan(offer_columns.latitude)[found.offer]
    return Market(
        needs=needs,
        offers=offers,
        problem=_problem(needs, offers, found.need, found.offer, cost),
        cost_scale=METRES,
        cost_unit="km",
        priced=placed,
        assumed=int(unknown.sum()) if placed else 0,
    )


def _problem(
    needs: tuple[NeedRow, ...],
    offers: tuple[OfferRow, ...],
    pair_need: npt.NDArray[np.int32],
    pair_offer: npt.NDArray[np.int32],
    pair_cost: npt.NDArray[np.int64],
) -> Problem:
    limits = _ints(row.household_max for row in offers)
    try:
        return Problem(
            need_units=_ints(row.quantity for row in needs),
            need_severity=_ints(row.severity for row in needs),
            need_household=_households(needs),
            need_min=_ints(row.quantity_min for row in needs),
            need_max_offers=_ints(row.offers_max for row in needs),
            offer_min_lot=_ints(row.delivery_min for row in offers),
            offer_max_needs=_ints(row.deliveries_max for row in offers),
            offer_units=_ints(row.quantity for row in offers),
            offer_household_max=limits,
            pair_need=pair_need.astype(np.int64),
            pair_offer=pair_offer.astype(np.int64),
            pair_cost=pair_cost,
        )
    except ValueError as fault:  # every row was checked: only their sums can still be too large
        raise InvalidInput.of(
            ("quantity",),
            "The quantities add up to more than can be counted (2^61). Leave the absurd ones out "
            "with --max-quantity.",
            "数量合计超出可计算范围（2^61）。请用 --max-quantity 剔除不合理的数量。",
            code="TOO_LARGE",
        ) from fault


def _columns(
    needs: Sequence[NeedRow], offers: Sequence[OfferRow]
) -> tuple[NeedColumns, OfferColumns]:
    names = [row.category for row in needs] + [row.category for row in offers]
    kinds = remembered(category_path, names)
    kind_tree = Tree(kinds.values())
    kind_at = {text: kind_tree.interval(path) for text, path in kinds.items()}
    places = remembered(
        region_path,
        [row.region for row in needs if row.region] + [r for row in offers for r in row.regions],
    )
    region_tree = Tree(places.values())
    # Position 0 is "no region known": no offer with a restriction reaches it.
    region_at = {text: region_tree.position(path) + 1 for text, path in places.items()}
    spans = {
        text: (low + 1, high + 1)
        for text, (low, high) in ((t, region_tree.interval(p)) for t, p in places.items())
    }
    bits = _group_bits(offers)
    latitude, longitude = _places(row.place for row in needs)
    need_columns = NeedColumns(
        category_low=_ints(kind_at[row.category][0] for row in needs),
        category_high=_ints(kind_at[row.category][1] for row in needs),
        region=_ints(region_at.get(row.region, 0) for row in needs),
        latitude=latitude,
        longitude=longitude,
        groups=_ints(_mask(row.groups, bits) for row in needs),
    )
    starts, lows, highs = region_intervals([[spans[r] for r in row.regions] for row in offers])
    latitude, longitude = _places(row.place for row in offers)
    radii = [np.inf if row.radius_km is None else row.radius_km for row in offers]
    return need_columns, OfferColumns(
        category_low=_ints(kind_at[row.category][0] for row in offers),
        category_high=_ints(kind_at[row.category][1] for row in offers),
        region_offsets=starts,
        region_low=lows,
        region_high=highs,
        latitude=latitude,
        longitude=longitude,
        radius_km=np.array(radii, np.float64),
        groups=_ints(_mask(row.groups, bits) for row in offers),
    )


def _refuse_forbidden(
    pairs: PairColumns, name: str, needs: NeedColumns, offers: OfferColumns, faults: Faults
) -> Bools:
    """Which listed pairs agree with the rows they name; one fault for each that does not."""
    need, offer = pairs.need, pairs.offer
    kind = offers.category_low[offer]
    fits_kind = (needs.category_low[need] <= kind) & (kind <= needs.category_high[need])
    wanted = offers.groups[offer]
    fits_group = (wanted == 0) | ((wanted & needs.groups[need]) != 0)
    fits_region = _in_regions(needs.region[need], offer, offers)
    for fits, code, why in (
        (fits_kind, "CATEGORY", Text("The categories do not fit.", "类别不符。")),
        (fits_region, "REGION", Text("The offer does not serve the region.", "不在服务地区内。")),
        (
            fits_group,
            "GROUPS",
            Text("The offer is meant for other groups.", "不属于供给指定的人群。"),
        ),
    ):
        for number in faults.some(pairs.number[~fits].tolist()):
            faults.add(name, number, "offer_id", code, why)
    good: Bools = fits_kind & fits_group & fits_region
    return good


def _in_regions(
    region: npt.NDArray[np.int64], offer: npt.NDArray[np.int32], offers: OfferColumns
) -> Bools:
    starts = offers.region_offsets
    count = np.diff(starts)[offer]
    fits: Bools = count == 0
    for nth in range(int(count.max(initial=0))):
        rows = np.flatnonzero(~fits & (count > nth))
        at = starts[offer[rows]] + nth
        fits[rows] = (offers.region_low[at] <= region[rows]) & (
            region[rows] <= offers.region_high[at]
        )
    return fits


def _group_bits(offers: Iterable[OfferRow]) -> dict[str, int]:
    """A bit for each group that an offer is meant for; groups no offer names decide nothing."""
    names = sorted({group.casefold() for row in offers for group in row.groups})
    if len(names) > GROUPS_MAX:
        raise InvalidInput.of(
            ("groups",),
            f"The offers name {len(names)} different groups; {GROUPS_MAX} is the limit.",
            f"供给中出现 {len(names)} 种人群，上限为 {GROUPS_MAX} 种。",
            code="TOO_MANY_GROUPS",
        )
    return {name: 1 << index for index, name in enumerate(names)}


def _mask(groups: Iterable[str], bits: dict[str, int]) -> int:
    return sum(bits.get(name, 0) for name in {group.casefold() for group in groups})


def _households(needs: Sequence[NeedRow]) -> npt.NDArray[np.int64]:
    """A number for each household; a need without one is a household of its own."""
    numbers: dict[str, int] = {}
    own = len(needs)
    return _ints(
        numbers.setdefault(row.household, len(numbers)) if row.household else own + index
        for index, row in enumerate(needs)
    )


def _places(places: Iterable[Place]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    both = np.array([place or (np.nan, np.nan) for place in places], np.float64).reshape(-1, 2)
    return both[:, 0].copy(), both[:, 1].copy()


def _ints(values: Iterable[int]) -> npt.NDArray[np.int64]:
    return np.fromiter(values, np.int64)
