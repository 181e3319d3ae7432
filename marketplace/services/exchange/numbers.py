"""Columns of the market as arrays of numbers, and sums of them that cannot wrap."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

UNLIMITED = 2**62
COST_MAX = 10**12  # as the optimizer allows; a cost so high is the highest anyway


def ints(values: Iterable[object], none: int = 0) -> IntArray:
    """Whole numbers; `none` where there is no value."""
    return np.array([none if value is None else value for value in values], np.int64)


def reals(values: Iterable[object]) -> npt.NDArray[np.float64]:
    """Numbers; NaN where there is no value."""
    return np.array([np.nan if value is None else value for value in values], np.float64)


def rows_of(ids: Iterable[object], wanted: Iterable[object]) -> IntArray:
    """Where the wanted ids stand in a sorted column that holds them all."""
    return np.searchsorted(ints(ids), ints(wanted)).astype(np.int64)


def times(values: IntArray, scale: IntArray) -> IntArray:
    """Values for one real unit as values for `scale` of them, capped before they overflow."""
    product: IntArray = np.minimum(values, COST_MAX // scale) * scale
    return product


def up(values: IntArray, by: IntArray) -> IntArray:
    """Quotients rounded up."""
    quotient: IntArray = -(-values // by)
    return quotient


def total(values: IntArray) -> int:
    """A sum that may pass 64 bits."""
    return (int((values >> 32).sum()) << 32) + int((values & 0xFFFFFFFF).sum())
