"""Candidate pairs are exactly those that the rules allow, with their distance."""

import math

import numpy as np
import pytest

from matching import (
    NeedColumns,
    OfferColumns,
    TooManyPairs,
    candidates,
    cash_units,
    region_intervals,
)

NOWHERE = float("nan")


def haversine_m(here: tuple[float, float], there: tuple[float, float]) -> float:
    (a, b), (c, d) = (tuple(map(math.radians, point)) for point in (here, there))
    half = math.sin((a - c) / 2) ** 2 + math.cos(a) * math.cos(c) * math.sin((b - d) / 2) ** 2
    return 2 * 6_371_008.8 * math.asin(math.sqrt(half))


def random_columns(seed: int) -> tuple[NeedColumns, OfferColumns, list[list[tuple[int, int]]]]:
    r = np.random.default_rng(seed)
    n, m = int(r.integers(0, 12)), int(r.integers(0, 9))

    def places(size: int) -> tuple[np.ndarray, np.ndarray]:
        latitude, longitude = r.uniform(27, 28, size), r.uniform(116, 117, size)
        unknown = r.random(size) < 0.2
        latitude[unknown] = longitude[unknown] = NOWHERE
        return latitude, longitude

    low, at = r.integers(0, 6, n), places(n)
    needs = NeedColumns(
        category_low=low,
        category_high=low + r.integers(0, 4, n),
        region=r.integers(0, 9, n),
        latitude=at[0],
        longitude=at[1],
        groups=r.integers(0, 8, n),
    )
    intervals = [
        [(int(a), int(a + r.integers(0, 3))) for a in r.integers(0, 8, int(count))]
        for count in r.integers(0, 3, m)
    ]
    offsets, region_low, region_high = region_intervals(intervals)
    low, at = r.integers(0, 6, m), places(m)
    radius = np.where(r.random(m) < 0.4, math.inf, r.uniform(1, 90, m))
    radius[r.random(m) < 0.1] = NOWHERE
    offers = OfferColumns(
        category_low=low,
        category_high=low + r.integers(0, 3, m),
        by_purpose=r.random(m) < 0.3,
        region_offsets=offsets,
        region_low=region_low,
        region_high=region_high,
        latitude=at[0],
        longitude=at[1],
        radius_km=radius,
        groups=r.integers(0, 4, m),
    )
    return needs, offers, intervals


def expected(
    needs: NeedColumns, offers: OfferColumns, intervals: list[list[tuple[int, int]]]
) -> list[tuple[int, int, int]]:
    found = []
    for i in range(len(needs.region)):
        for j in range(len(offers.groups)):
            if offers.by_purpose[j]:
                fits = offers.category_low[j] <= needs.category_low[i] <= offers.category_high[j]
            else:
                fits = needs.category_low[i] <= offers.category_low[j] <= needs.category_high[i]
            regions = intervals[j]
            fits &= not regions or any(a <= needs.region[i] <= b for a, b in regions)
            fits &= offers.groups[j] == 0 or bool(offers.groups[j] & needs.groups[i])
            here = (needs.latitude[i], needs.longitude[i])
            there = (offers.latitude[j], offers.longitude[j])
            known = not math.isnan(here[0]) and not math.isnan(there[0])
            distance = haversine_m(here, there) if known else 0.0
            if math.isfinite(offers.radius_km[j]):
                fits &= known and distance <= offers.radius_km[j] * 1000
            if fits:
                found.append((i, j, round(distance) if known else 50_000))
    return found


@pytest.mark.parametrize("seed", range(60))
def test_pairs_are_those_that_every_rule_allows(seed: int) -> None:
    needs, offers, intervals = random_columns(seed)
    pairs = candidates(needs, offers)
    rows = zip(pairs.need.tolist(), pairs.offer.tolist(), pairs.cost.tolist(), strict=True)
    assert list(rows) == expected(needs, offers, intervals)


@pytest.mark.parametrize("seed", range(10))
def test_small_chunks_find_the_same_pairs(seed: int) -> None:
    needs, offers, _ = random_columns(seed)
    whole = candidates(needs, offers)
    pieces = candidates(needs, offers, chunk_pairs=3)
    assert pieces.need.tolist() == whole.need.tolist()
    assert pieces.offer.tolist() == whole.offer.tolist()


def test_forbidden_pairs_are_left_out_and_too_many_are_refused_whole() -> None:
    needs = NeedColumns(
        category_low=[1, 1],
        category_high=[1, 1],
        region=[1, 1],
        latitude=[0, 0],
        longitude=[0, 1],
    )
    offers = OfferColumns(category_low=[1], category_high=[1], latitude=[0], longitude=[0])
    assert candidates(needs, offers).cost.tolist() == [0, 111_195]
    left = candidates(needs, offers, forbidden=([0], [0]))
    assert (left.need.tolist(), left.offer.tolist()) == ([1], [0])
    assert candidates(needs, offers, max_pairs=2).need.tolist() == [0, 1]
    with pytest.raises(TooManyPairs, match="1"):
        candidates(needs, offers, max_pairs=1)
    with pytest.raises(ValueError, match=r"forbidden offer\[0\]"):
        candidates(needs, offers, forbidden=([0], [1]))


def test_a_radius_reaches_across_the_date_line_and_round_the_world() -> None:
    needs = NeedColumns(
        category_low=[1, 1],
        category_high=[1, 1],
        region=[1, 1],
        latitude=[0, 0],
        longitude=[179.9, 0.05],
    )
    offers = OfferColumns(
        category_low=[1, 1],
        category_high=[1, 1],
        latitude=[0, 0],
        longitude=[-179.9, 0],
        radius_km=[30, 30_000],
    )
    pairs = candidates(needs, offers)
    assert list(zip(pairs.need.tolist(), pairs.offer.tolist(), strict=True)) == [
        (0, 0),
        (0, 1),
        (1, 1),
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("category_low", [1.5]),
        ("category_high", [0]),
        ("region", [-1]),
        ("region", [1, 2]),
        ("latitude", [91]),
        ("latitude", ["x"]),
        ("longitude", [-181]),
        ("longitude", [1, 2]),
        ("groups", [True]),
    ],
)
def test_a_wrong_column_of_needs_is_refused_by_name(name: str, value: list[object]) -> None:
    sound = {
        "category_low": [1],
        "category_high": [1],
        "region": [1],
        "latitude": [0],
        "longitude": [0],
    }
    NeedColumns(**sound)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=rf"{name}.*\[\d\]"):
        NeedColumns(**sound | {name: value})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("category_high", [0, 1]),
        ("by_purpose", [1, 0]),
        ("by_purpose", [True]),
        ("groups", [-1, 0]),
        ("radius_km", [-1, 0]),
        ("radius_km", [True, False]),
        ("region_offsets", [0, 1]),
        ("region_offsets", [0, 2, 1]),
        ("region_offsets", [0, 1, 1]),
        ("region_offsets", [1, 2, 2]),
        ("region_low", [9, 5]),
        ("region_high", [9]),
    ],
)
def test_a_wrong_column_of_offers_is_refused_by_name(name: str, value: list[object]) -> None:
    sound = {
        "category_low": [1, 1],
        "category_high": [1, 1],
        "latitude": [0, 0],
        "longitude": [0, 0],
        "region_offsets": [0, 1, 2],
        "region_low": [1, 5],
        "region_high": [3, 5],
    }
    OfferColumns(**sound)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"region_.*\[\d\]" if "region" in name else name):
        OfferColumns(**sound | {name: value})  # type: ignore[arg-type]


def test_cash_buys_whole_units_at_the_reference_price() -> None:
    assert cash_units([1000, 99, 10**15], [100, 100, 3]).tolist() == [10, 0, 333_333_333_333_333]
    with pytest.raises(ValueError, match=r"price_fen\[0\]"):
        cash_units([1], 0)
