"""The plan as a file: one line for each pair that something moves along."""

from __future__ import annotations

import csv
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import openpyxl

from marketplace.domain.errors import Language
from marketplace.services.matchfiles.building import Market
from marketplace.services.matchfiles.columns import plan_headings
from matching import Plan

SHEET_ROWS_MAX = 1_048_575
Line = tuple[str, ...]


def write_plan(path: Path, market: Market, plan: Plan, language: Language) -> int:
    """Write the plan, sorted as the needs and offers came, and return its number of lines.

    CSV in UTF-8, with a byte order mark in Chinese so that spreadsheets know; XLSX where the name
    ends so. The file appears whole or not at all.
    """
    lines = plan_lines(market, plan)
    with _whole(path) as written:
        if path.suffix.lower() == ".xlsx":
            return _write_workbook(written, lines, language)
        return _write_text(written, lines, language)


def write_whole(path: Path, text: str) -> None:
    """Write a text file that appears whole or not at all."""
    with _whole(path) as written:
        written.write_text(text, encoding="utf-8")


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """A file beside the wanted one, which takes its place once it is written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, made = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(handle)
    written = Path(made)
    try:
        yield written
        written.chmod(0o644)
        written.replace(path)
    finally:
        written.unlink(missing_ok=True)


def plan_lines(market: Market, plan: Plan) -> Iterator[Line]:
    """The cells of each line, in the order of the columns PLAN."""
    problem = market.problem
    used = np.flatnonzero(plan.pair_units)
    used = used[np.lexsort((problem.pair_offer[used], problem.pair_need[used]))]
    columns = (problem.pair_need, problem.pair_offer, plan.pair_units, problem.pair_cost)
    for need_at, offer_at, units, cost in zip(*(c[used].tolist() for c in columns), strict=True):
        need, offer = market.needs[need_at], market.offers[offer_at]
        yield (
            need.id,
            offer.id,
            str(units),
            unit_cost(cost, market),
            need.category,
            offer.category,
            need.household,
            offer.organization,
            need.region,
        )


def unit_cost(cost: int, market: Market) -> str:
    """A cost as its file gave it: exact, without trailing zeros; empty where there was none."""
    if not market.priced:
        return ""
    scale = market.cost_scale  # a power of ten
    whole, rest = divmod(cost, scale)
    decimals = str(scale + rest)[1:].rstrip("0")
    return f"{whole}.{decimals}" if decimals else str(whole)


def _write_text(path: Path, lines: Iterator[Line], language: Language) -> int:
    encoding = "utf-8-sig" if language == "zh-CN" else "utf-8"
    count = 0
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file)
        writer.writerow(plan_headings(language))
        for line in lines:
            writer.writerow(line)
            count += 1
    return count


def _write_workbook(path: Path, lines: Iterator[Line], language: Language) -> int:
    """Numbers as numbers; a plan longer than a sheet goes on in the next one."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append(plan_headings(language))
    count = 0
    for line in lines:
        if count and count % SHEET_ROWS_MAX == 0:
            sheet = book.create_sheet()
            sheet.append(plan_headings(language))
        need, offer, units, cost, *others = line
        # Above 2^53 a spreadsheet would round.
        amount: int | str = int(units) if int(units) < 2**53 else units
        sheet.append([need, offer, amount, float(cost) if cost else None, *others])
        count += 1
    book.save(path)
    return count
