"""Sharing out: the optimizer's answer as plan lines, a household's units to its needs in turn."""

from __future__ import annotations

import numpy as np

from marketplace.persistence.exchange.market import Market
from marketplace.services.exchange.groups import Groups
from marketplace.services.exchange.numbers import IntArray, ints
from marketplace.services.exchange.translation import Translation


def lines_of(
    translation: Translation, market: Market, pair_units: IntArray
) -> dict[str, list[int]]:
    """The lines of a plan as columns, by need and offer: a group's units to its needs in turn."""
    used = np.flatnonzero(pair_units)
    problem, groups = translation.problem, translation.groups
    need, offer = problem.pair_need[used], problem.pair_offer[used]
    scale, step = translation.need_scale[need], translation.pair_step[used]
    rows, which, units = _shared_out(
        groups, translation.need_group[need], scale, ints(market.needs["units"]), pair_units[used]
    )
    need_ids = ints(market.needs["id"])[rows]
    offer_rows = translation.offer_row[offer[which]]
    offer_ids = ints(market.offers["id"])[offer_rows]
    order = np.lexsort((offer_ids, need_ids))
    columns = {
        "need_id": need_ids,
        "offer_id": offer_ids,
        "units_served": units * scale[which],
        "units_drawn": units * step[which],
        "cost": translation.pair_cost_m[used][which],
        "offer_version": ints(market.offers["version"])[offer_rows],
    }
    return {name: column[order].tolist() for name, column in columns.items()}


def _shared_out(
    groups: Groups, group: IntArray, scale: IntArray, open_units: IntArray, units: IntArray
) -> tuple[IntArray, IntArray, IntArray]:
    """Need row, index of the pair, and units of every line; pairs are sorted by group."""
    alone = groups.size[group] == 1
    rows = [groups.first[group[alone]]]
    which = [np.flatnonzero(alone)]
    moved = [units[alone]]
    at, room = -1, 0
    member, last = 0, 0
    for k in np.flatnonzero(~alone).tolist():
        if group[k] != at:
            at = int(group[k])
            member, last = int(groups.start[at]) - 1, int(groups.start[at + 1])
            room = 0
        rest = int(units[k])
        while rest:
            while room == 0:
                member += 1
                assert member < last, "a group gets no more than its needs have open"
                room = int(open_units[groups.row[member]] // scale[k])
            part = min(rest, room)
            rows.append(groups.row[member : member + 1])
            which.append(np.array([k], np.int64))
            moved.append(np.array([part], np.int64))
            rest, room = rest - part, room - part
    return np.concatenate(rows), np.concatenate(which), np.concatenate(moved)
