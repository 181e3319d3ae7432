"""Arrays: what a caller hands over, turned into checked, read-only columns of whole numbers."""

import contextlib
from collections.abc import Sequence
from typing import Any, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

IntArray: TypeAlias = npt.NDArray[np.int64]
IndexArray: TypeAlias = npt.NDArray[np.int32]
BoolArray: TypeAlias = npt.NDArray[np.bool_]
FloatArray: TypeAlias = npt.NDArray[np.float64]
Whole: TypeAlias = int | Sequence[int] | IntArray | IndexArray
Real: TypeAlias = float | Sequence[float] | FloatArray

Array = TypeVar("Array", bound="np.ndarray[Any, Any]")


def whole(name: str, values: Whole, size: int | None, low: int, high: int) -> IntArray:
    """A read-only int64 column; a single number is repeated `size` times.

    Raises ValueError naming array and index for anything but whole numbers in low..high.

    >>> whole("units", [3, 4], 2, 1, 9)
    array([3, 4])
    """
    array = _listed(values) if isinstance(values, list | tuple) else np.asarray(values)
    if array.ndim == 0 and size is not None:
        one = whole(name, [array.item()], 1, low, high)
        return np.broadcast_to(one, size) if size else one[:0]  # no memory for what is all alike
    if array.ndim != 1:
        raise ValueError(f"{name}: one dimension wanted, not {array.ndim}.")
    if size is not None and len(array) != size:
        raise ValueError(f"{name}: {size} entries wanted, not {len(array)}; see {name}[{size}].")
    if len(array) == 0:
        return frozen(np.empty(0, np.int64))
    if array.dtype.kind not in "iu":
        return frozen(_whole_objects(name, array, low, high))
    outside = np.flatnonzero((array < low) | (array > high))
    if len(outside):
        index = int(outside[0])
        raise ValueError(f"{name}[{index}] is {array[index]}; {low} to {high} is allowed.")
    return frozen(np.array(array, np.int64))


def flags(name: str, values: bool | Sequence[bool] | BoolArray, size: int) -> BoolArray:
    """A read-only column of truth values; a single one is repeated."""
    array = np.asarray(values)
    if array.dtype.kind != "b" and len(np.atleast_1d(array)):
        raise ValueError(f"{name}[0] is {np.atleast_1d(array)[0]!r}; True or False is wanted.")
    if array.ndim == 0:
        array = np.full(size, bool(array))
    if array.shape != (size,):
        raise ValueError(f"{name}: {size} entries wanted, not {array.shape}; see {name}[{size}].")
    return frozen(np.array(array, np.bool_))


def reals(name: str, values: Real, size: int, low: float, high: float) -> FloatArray:
    """A read-only float column in low..high; NaN stands for unknown and passes."""
    array = np.asarray(values)
    if array.dtype.kind not in "iuf" and array.size:
        raise ValueError(f"{name}[0] is {np.atleast_1d(array)[0]!r}; a number is wanted.")
    array = array.astype(np.float64)
    if array.ndim == 0:
        array = np.full(size, float(array))
    if array.shape != (size,):
        raise ValueError(f"{name}: {size} entries wanted, not {array.shape}; see {name}[{size}].")
    outside = np.flatnonzero((array < low) | (array > high))
    if len(outside):
        index = int(outside[0])
        raise ValueError(f"{name}[{index}] is {array[index]}; {low} to {high} is allowed.")
    return frozen(array)


def frozen(array: Array) -> Array:
    """The same array, closed for writing."""
    array.setflags(write=False)
    return array


def exact_sum(values: IntArray) -> int:
    """The sum as a Python integer: never wraps, whatever the size of the terms (all >= 0).

    >>> exact_sum(np.full(10, 2**62))
    46116860184273879040
    """
    high, low = values >> 31, values & 0x7FFFFFFF
    return (int(high.sum()) << 31) + int(low.sum())


def exact_dot(left: IntArray, right: IntArray) -> int:
    """Sum of products of two columns (both >= 0) as a Python integer.

    >>> exact_dot(np.array([2**40]), np.array([2**40])) == 2**80
    True
    """
    if len(left) == 0:
        return 0
    if int(left.max()) * int(right.max()) * len(left) < 2**63:
        return int(np.dot(left, right))
    used = np.flatnonzero(left)
    return sum(a * b for a, b in zip(left[used].tolist(), right[used].tolist(), strict=True))


def summed(index: IntArray | IndexArray, values: IntArray, size: int) -> IntArray:
    """Values added up by index. In integers: bincount would add floats, exact only below 2^53."""
    total = np.zeros(size, np.int64)
    some = np.flatnonzero(values)  # most pairs of a plan move nothing
    np.add.at(total, index[some], values[some])
    return total


def offsets(index: IntArray | IndexArray, size: int) -> IntArray:
    """Where each of `size` runs starts in a sorted index; one more entry for the end."""
    start = np.zeros(size + 1, np.int64)
    np.cumsum(np.bincount(index, minlength=size), out=start[1:])
    return start


def _listed(values: list[int] | tuple[int, ...]) -> "np.ndarray[Any, Any]":
    """A list as an array that hides nothing: numpy would make 1 of True, and floats of 2^63."""
    if set(map(type, values)) <= {int}:
        with contextlib.suppress(OverflowError):
            return np.array(values, np.int64)
    array = np.empty(len(values), object)
    for index, value in enumerate(values):
        array[index] = value.item() if isinstance(value, np.generic) else value
    return array


def _whole_objects(name: str, array: "np.ndarray[Any, Any]", low: int, high: int) -> IntArray:
    """Name the entry to blame in an array of other things than integers; there may be none."""
    for index, value in enumerate(array.tolist()):
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError(f"{name}[{index}] is {value!r}; a whole number is wanted.")
        if not low <= value <= high:
            raise ValueError(f"{name}[{index}] is {value}; {low} to {high} is allowed.")
    return array.astype(np.int64)
