"""Explaining a plan: why each line, why each need is short, and where one unit more does most.

Computed once, beside the plan, and kept with it as numbers and keys; what is said of them to whom
is decided where it is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

import matching
from marketplace.domain.exchange.explained import HINDRANCES, KINDS, LACKS, LINE_CODES, MARK
from marketplace.persistence.exchange.market import Market
from marketplace.services.exchange.explaining_cells import Places, cell_columns
from marketplace.services.exchange.explaining_lines import Lines, line_columns
from marketplace.services.exchange.explaining_needs import REASONS, Short, short_of
from marketplace.services.exchange.numbers import IntArray, ints, rows_of
from marketplace.services.exchange.translation import Translation

SHORT_COLUMNS = (
    "units",
    "kind",
    "lack",
    "aside",
    "rules",
    "level",
    "offers",
    "needs_higher",
    "needs_equal",
    "held_higher",
    "estimate",
)
# Positions stand for these names; they are kept beside, so that names may be added later.
NAMES: Mapping[str, tuple[str, ...]] = {
    "kinds": KINDS,
    "lacks": LACKS,
    "hindrances": HINDRANCES,
    "reasons": REASONS,
    "codes": LINE_CODES,
}


def explained_of(
    market: Market,
    translation: Translation,
    plans: tuple[matching.Plan, ...],
    lines: Lines,
    places: Places,
) -> dict[str, object]:
    """What a plan says of itself, as plain values.

    plans   of all rounds; what is said goes by the first, and is an estimate where there are more
    """
    plan = plans[0]
    served = _served(market, lines)
    short = short_of(market, translation, plan, served, guessed=len(plans) > 1)
    return {
        "mark": MARK,
        "order": plan.policy.order,
        "levels": _levels(translation.problem, plan),
        "names": {name: list(values) for name, values in NAMES.items()},
        "needs": list(market.needs["id"]),
        "short": _columns(market, short),
        "lines": line_columns(market, translation, plan, lines),
        "cells": cell_columns(market, short, places),
    }


def _levels(problem: matching.Problem, plan: matching.Plan) -> dict[str, object]:
    """Of every level: the policy's key, the gravest severity of its units, whether it is floor."""
    tranches = matching.tranches(problem.need_units, problem.need_severity, plan.policy)
    severity = np.zeros(len(plan.level_keys), np.int64)
    np.maximum.at(severity, tranches.level, problem.need_severity[tranches.need])
    is_floor = plan.policy.order == "floor"
    return {
        "key": [[str(part) for part in key] for key in plan.level_keys],
        "severity": severity.tolist(),
        "floor": [int(is_floor and key[0] == 0) for key in plan.level_keys],
    }


def _served(market: Market, lines: Lines) -> IntArray:
    """Units that lines give to each need of the market."""
    served = np.zeros(len(market.needs["id"]), np.int64)
    np.add.at(served, rows_of(market.needs["id"], lines["need_id"]), ints(lines["units_served"]))
    return served


def _columns(market: Market, short: Short) -> dict[str, list[int]]:
    columns = {name: getattr(short, name).tolist() for name in SHORT_COLUMNS}
    return {"need": ints(market.needs["id"])[short.row].tolist()} | columns
