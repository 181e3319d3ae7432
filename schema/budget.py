"""What a caller may still ask for: points that run out with use and come back with time."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

CALLERS_KEPT = 10_000  # whoever was silent longest is forgotten first, and starts afresh


@dataclass(frozen=True, slots=True)
class Purse:
    """A caller's points after a charge; `wait_s` is how long to wait where it was refused."""

    left: int
    wait_s: float


class Budget:
    """A leaky bucket for each caller of one process: an account, or an address without a key.

    points    how many a caller has at most, and to begin with
    per_s     how many come back in a second
    """

    def __init__(
        self, points: int, per_s: int, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.points = points
        self.per_s = per_s
        self._clock = clock
        self._callers: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def charge(self, caller: str, cost: int) -> Purse:
        """Take the cost from the caller's points, or nothing at all where they do not suffice."""
        now = self._clock()
        left, at = self._callers.pop(caller, (float(self.points), now))
        left = min(self.points, left + (now - at) * self.per_s)
        refused = cost > left
        if not refused:
            left -= cost
        self._callers[caller] = (left, now)
        if len(self._callers) > CALLERS_KEPT:
            self._callers.popitem(last=False)
        return Purse(int(left), (cost - left) / self.per_s if refused else 0.0)
