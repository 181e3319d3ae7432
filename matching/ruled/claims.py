"""Claims: what a plan says of its ruled components, held against the plan itself.

No certificate proves a mixed-integer optimum. But what is claimed can be refuted: by the units, by
a bound below what is served, by a better plan that is easily found, by one unit that still fits.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from matching.arrays import IntArray
from matching.bands import Band
from matching.network import Layout, Network
from matching.ruled.component import RuledComponent
from matching.ruled.greedy import greedy


class _Part(Protocol):
    @property
    def status(self) -> str: ...
    @property
    def bands(self) -> tuple[Band, ...]: ...
    @property
    def served(self) -> IntArray: ...
    @property
    def bound(self) -> IntArray: ...


class _Planned(Protocol):
    @property
    def pair_units(self) -> IntArray: ...
    @property
    def components(self) -> "Sequence[_Part]": ...


def unfounded(
    components: list[RuledComponent], plan: _Planned, net: Network, layout: Layout
) -> list[str]:
    """Claims that do not hold, in words."""
    told = []
    x = plan.pair_units[layout.pair_row]
    for c, part in enumerate(components, layout.n_flow):
        claim, mine = plan.components[c], x[net.pair_from[c] : net.pair_from[c + 1]]
        said = _unfounded(part, claim, mine)
        if said:
            told.append(f"component {c}: {said}")
    return told


def _unfounded(part: RuledComponent, claim: _Part, x: IntArray) -> str:
    if not part.feasible(x):
        return "its units break a rule"
    if bool((np.cumsum(claim.served) > np.cumsum(claim.bound)).any()):
        return "a bound is below what is served"
    values, bands = part.values(x), claim.bands
    if bands and [band.served for band in bands] != values:
        return "its bands serve another value than they say"
    if not bands and not part.only_fixed_costs:
        return "it says nothing of its bands"
    if any(band.bound < band.served for band in bands):
        return "a band's bound is below what it serves"
    if claim.status != "optimal":
        return ""
    if any(not band.proven for band in bands):
        return "it is called optimal with a band unproven"
    other = greedy(part, x.astype(np.float64))
    if part.feasible(other) and part.values(other) > values:
        return "a better plan is at hand"
    return ""
