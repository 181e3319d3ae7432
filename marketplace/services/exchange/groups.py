"""Groups: needs of one household in one category that are one need to the optimizer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from marketplace.persistence.exchange.market import Columns
from marketplace.services.exchange.numbers import BoolArray, IntArray, ints


@dataclass(frozen=True, slots=True, kw_only=True)
class Groups:
    """Needs of one household in one category, as one: G groups over sorted rows.

    row     [R] row of the market's needs, group by group, the most severe first
    start   [G+1] where each group begins in `row`
    """

    row: IntArray
    start: IntArray

    @property
    def first(self) -> IntArray:
        return self.row[self.start[:-1]]

    @property
    def size(self) -> IntArray:
        return np.diff(self.start)

    def of_rows(self, count: int) -> IntArray:
        """The group that each of the market's needs lies in: int64[count]."""
        of_row = np.zeros(count, np.int64)
        of_row[self.row] = np.repeat(np.arange(len(self.size)), self.size)
        return of_row


def grouped(needs: Columns) -> Groups:
    """All needs in their groups.

    A need that is of use only from some quantity on is a group of its own, since what the group
    gets might reach it in part; so is one with visits at fixed intervals.
    """
    alone = ints(needs["quantity_min"]) - ints(needs["covered"]) > 1
    every, minutes = optional(needs, "every_days"), optional(needs, "visit_minutes")
    alone |= every > 0
    rows = np.arange(len(alone))
    household, category = ints(needs["household"]), ints(needs["category"])
    own = np.where(alone, rows + 1, 0)
    order = np.lexsort((rows, -ints(needs["severity"]), own, minutes, category, household))
    new = np.ones(len(order), np.bool_)
    new[1:] = False
    for key in (household, category, minutes, own):
        new[1:] |= key[order[1:]] != key[order[:-1]]
    return Groups(row=order, start=np.append(np.flatnonzero(new), len(order)))


def parted(groups: Groups, which: BoolArray) -> tuple[Groups, IntArray]:
    """The same with some groups taken apart, need by need; and the former group of each."""
    former = np.repeat(np.arange(len(which)), groups.size)
    new = which[former]
    new[groups.start[:-1]] = True
    start = np.flatnonzero(new)
    return Groups(row=groups.row, start=np.append(start, len(groups.row))), former[start]


def optional(columns: Columns, name: str) -> IntArray:
    """A column that only services fill; 0 where there is nothing."""
    return ints(columns.get(name) or [None] * len(columns["id"]))
