"""Choices: what rules leave to decide, fixed after a guide, and the rest solved exactly as a flow.

Fixed are: which needs with a minimum are served, which pairs may be used where they are counted,
which lots are taken, and how money is split over prices. What is then left is a plain network, and
the flow stages find the best plan there is for these choices, at every level and in cost.
"""

from dataclasses import dataclass

import numpy as np

from matching.arrays import BoolArray, FloatArray, IntArray, summed
from matching.backends import Backend
from matching.chunks import solve_chunk
from matching.network import Network
from matching.ruled.component import RuledComponent

NEAR_WHOLE = 1e-6
# Needs whose minimum the flow cannot reach are given up, this many times before all of them are.
ROUNDS = 4


def completed(
    component: RuledComponent, guide: FloatArray, share: float, backend: Backend
) -> IntArray:
    """A plan that keeps every rule, best for the choices that `guide` [p] (units) makes.

    Needs with a minimum are chosen when the guide serves at least `share` of it.
    """
    served = np.bincount(component.net.pair_need, guide, len(component.need_least))
    whole = component.need_least > 1
    chosen = ~whole | (served >= share * component.need_least - NEAR_WHOLE)
    for left in reversed(range(ROUNDS)):
        x = _solved(component, _chosen(component, guide, chosen), backend)
        got = summed(component.net.pair_need, x, len(chosen))
        failed = whole & chosen & (got < component.need_least)
        if not failed.any():
            break
        if left > 1:  # the nearer half may do once the others ask no more
            lack = (component.need_least - got) / component.need_least
            failed &= lack >= np.median(lack[failed])
        chosen &= ~failed
        if not left:
            x = np.where(failed[component.net.pair_need], 0, x)
    return x


@dataclass(frozen=True, slots=True, eq=False)
class _Chosen:
    """chosen [n] needs that may be served, open [p] pairs that may be used, forced [p] units of
    them, wanted [p] units of the guide."""

    chosen: BoolArray
    open: BoolArray
    forced: IntArray
    wanted: FloatArray


def _chosen(component: RuledComponent, guide: FloatArray, chosen: BoolArray) -> _Chosen:
    net = component.net
    wanted = np.where(chosen[net.pair_need], guide, 0.0)
    lotted = component.pair_lot > 1
    taken = lotted & (wanted >= component.pair_lot - NEAR_WHOLE)
    open_ = chosen[net.pair_need] & (taken | ~lotted)
    for slots, index in (
        (component.need_slots, net.pair_need),
        (component.offer_slots, net.pair_offer),
    ):
        counted = np.flatnonzero(open_ & component.pair_fresh & (slots >= 0)[index])
        ranked = np.lexsort((net.pair_cost[counted], -wanted[counted], index[counted]))
        rows = counted[ranked]
        group = index[rows]
        starts = np.flatnonzero(np.diff(group, prepend=-1))
        rank = np.arange(len(rows)) - np.repeat(starts, np.diff(np.append(starts, len(rows))))
        open_[rows[rank >= slots[group]]] = False
    forced = np.where(open_ & taken, component.pair_lot, 0)
    return _Chosen(chosen, open_, forced, wanted)


def _solved(component: RuledComponent, choices: _Chosen, backend: Backend) -> IntArray:
    net = component.net
    room = np.where(choices.open, net.pair_cap - choices.forced, 0)
    given = summed(net.pair_need, choices.forced, len(net.need_units))
    pairs = np.flatnonzero((room > 0) & (given < net.need_units)[net.pair_need])
    x = choices.forced.copy()
    if len(pairs):
        plain = _network(component, choices, pairs, room, given)
        x[pairs] += solve_chunk(plain, backend).x
    return x


def _network(
    component: RuledComponent, choices: _Chosen, pairs: IntArray, room: IntArray, given: IntArray
) -> Network:
    """The network of these pairs, with an offer and a hub for each price."""
    net, p = component.net, len(pairs)
    needs, need = np.unique(net.pair_need[pairs], return_inverse=True)
    source, offer, offer_units = _by_price(
        component, choices, pairs, net.pair_offer, component.offer_units
    )
    hub = np.full(p, -1, np.int64)
    inside = np.flatnonzero(net.pair_hub[pairs] >= 0)
    _, at, hub_cap = _by_price(component, choices, pairs[inside], net.pair_hub, component.hub_left)
    hub[inside] = at
    hub_offer = np.zeros(len(hub_cap), np.int64)
    hub_offer[at] = offer[inside]
    units, before, weight, start = _tranches(component, choices, needs, given)
    return Network(
        need_units=(net.need_units - given)[needs],
        tranche_start=start,
        tranche_units=units,
        tranche_before=before,
        tranche_weight=weight,
        offer_units=offer_units,
        hub_offer=hub_offer,
        hub_cap=hub_cap,
        pair_need=need.astype(np.int64),
        pair_offer=offer,
        pair_hub=hub,
        pair_cap=room[pairs],
        pair_cost=_slopes(component, choices, pairs),
        pair_prior=np.maximum(net.pair_prior - choices.forced, 0)[pairs],
        need_from=np.array([0, len(needs)]),
        offer_from=np.array([0, len(source)]),
        hub_from=np.array([0, len(hub_cap)]),
        pair_from=np.array([0, p]),
        change_penalty=net.change_penalty,
    )


def _slopes(component: RuledComponent, choices: _Chosen, pairs: IntArray) -> IntArray:
    """Cost of a unit with its part of the pair's fixed cost, were it used as the guide does."""
    fixed, wanted = component.pair_fixed[pairs], choices.wanted[pairs]
    few = np.minimum(component.net.pair_cap[pairs], component.net.need_units.max())
    units = np.where(wanted >= 1, wanted, np.minimum(few, 1))
    slope: IntArray = component.net.pair_cost[pairs] + (fixed / units).astype(np.int64)
    return slope


def _by_price(
    component: RuledComponent,
    choices: _Chosen,
    pairs: IntArray,
    index: IntArray,
    limit: IntArray,
) -> tuple[IntArray, IntArray, IntArray]:
    """Offers (or hubs) by price: which each is of, which one each of `pairs` draws from, and the
    units that are left of it, split as the guide does; what is over goes to the largest rests."""
    draw = component.pair_draw[pairs]
    names, member = np.unique(np.stack([index[pairs], draw]), axis=1, return_inverse=True)
    owner, price, member = names[0], names[1], member.ravel()
    every = np.flatnonzero(choices.open & (index >= 0))
    spent = summed(index[every], (choices.forced * component.pair_draw)[every], len(limit))
    left = limit - spent
    single = np.bincount(owner, minlength=len(limit))[owner] == 1
    wish = np.maximum(choices.wanted - choices.forced, 0)[pairs]
    wished = np.bincount(member, wish, len(owner))
    units = np.where(single, left[owner] // price, np.floor(wished + NEAR_WHOLE).astype(np.int64))
    over = left - summed(owner, units * price, len(limit))
    rest = wished - units
    for at in np.lexsort((-rest, owner)).tolist():
        j = owner[at]
        if single[at] or over[j] < price[at]:
            continue
        more = over[j] // price[at] if rest[at] <= NEAR_WHOLE else 1
        units[at] += more
        over[j] -= more * price[at]
    return owner, member.astype(np.int64), np.maximum(units, 0)


def _tranches(
    component: RuledComponent, choices: _Chosen, needs: IntArray, given: IntArray
) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    """units, before, weight of the steps that are still open of these needs, and their start."""
    steps = component.steps
    row = np.full(len(choices.chosen), -1, np.int64)
    row[needs] = np.arange(len(needs))
    taken = np.clip(given[steps.need] - steps.before, 0, steps.units)
    rows = np.flatnonzero((row[steps.need] >= 0) & (steps.units > taken))
    need = steps.need[rows]
    keys = np.stack([-steps.band, steps.coef])
    if component.only_fixed_costs:
        keys = np.stack([-steps.level, steps.coef * 0])
    _, rank = np.unique(keys[:, rows], axis=1, return_inverse=True)
    rank = rank.ravel().astype(np.int64) + 1
    block = (component.need_least[need] > 1) & (steps.before[rows] == 0)
    weight = np.where(block, rank.max(initial=0) + 1, rank)
    before = np.maximum(steps.before[rows] - given[need], 0)
    start = np.searchsorted(row[need], np.arange(len(needs) + 1))
    return (steps.units - taken)[rows], before, weight, start
