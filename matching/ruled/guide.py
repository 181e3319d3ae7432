"""A guide: one linear relaxation over all bands at once, earlier bands weighing more."""

import math
from dataclasses import dataclass

import numpy as np

from matching.arrays import FloatArray
from matching.ruled.highs import relaxed
from matching.ruled.model import Model

# A unit at the last level of a band weighs as much as one at the first level of the next, so that
# no exchange of unit against unit ever speaks for the later band.
BAND_RATIO = 8


@dataclass(frozen=True, slots=True, eq=False)
class Guide:
    """wanted [p] units that the relaxation would move; `most`: no plan's values of bands, each
    times BAND_RATIO to the number of bands after it, come to more."""

    wanted: FloatArray
    most: float

    def bound(self, served: list[int], b: int) -> int:
        """Most value of band b for plans that serve as much as this in every band before.
        `served` is of all bands that the guide is of."""
        weight: list[int] = [BAND_RATIO**left for left in reversed(range(len(served)))]
        before = sum(w * value for w, value in zip(weight[:b], served[:b], strict=True))
        return math.floor((self.most - before) / weight[b])


def guide(model: Model, time_s: float, count: int) -> Guide | None:
    """What the relaxation of the first `count` bands would do; None: not found in time."""
    steps = model.part.steps
    rows = np.flatnonzero(steps.band < count)
    smallest = float(steps.coef.min(initial=1))
    weight = steps.coef[rows] / smallest * float(BAND_RATIO) ** (count - 1 - steps.band[rows])
    values, bound = relaxed(model, model.step_columns[rows], weight, time_s)
    if values is None:
        return None
    return Guide(values[: len(model.part.net.pair_need)], bound * smallest)
