"""Cells as people type them: taken, or refused with a reason, and never anything else."""

from __future__ import annotations

import csv
import io
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.domain.errors import InvalidInput
from marketplace.domain.registry.households import Relation, TargetGroup, group_mask
from marketplace.services.importing import values
from marketplace.services.importing.cells import BadCell
from marketplace.services.importing.tables import read_table

PARSERS = (
    values.fen,
    values.day,
    values.day_end,
    values.relation,
    values.groups,
    values.monitoring,
    values.organization_kind,
    values.category_kind,
    values.line,
)
# What GB18030 and a CSV can hold in a cell; surrounding blanks are not kept.
cell = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp", "Cn", "Co", "Cf"]), min_size=1
)


@given(st.text(), st.sampled_from(PARSERS))
def test_a_cell_is_taken_or_refused_in_both_languages(typed: str, parse: object) -> None:
    assert callable(parse)
    bad = None
    try:
        parse(typed)
    except BadCell as refused:
        bad = refused

    assert bad is None or (bad.code and bad.text.en and bad.text.zh)


@given(st.integers(0, 10**14))
def test_an_amount_in_yuan_is_read_to_the_fen(amount: int) -> None:
    assert values.fen(f"{amount // 100}.{amount % 100:02d}") == amount
    assert values.fen(f"{amount // 100:,}.{amount % 100:02d}元") == amount


@pytest.mark.parametrize("typed", ["1.005", "1e400", "NaN", "Infinity", "1_000", "-5", "1,00", ""])
def test_what_is_no_amount_is_refused(typed: str) -> None:
    with pytest.raises(BadCell):
        values.fen(typed)


@given(st.dates(date(1900, 1, 1), date(2999, 12, 31)))
def test_a_day_is_read_however_it_is_written(day: date) -> None:
    y, m, d = day.year, day.month, day.day
    for typed in (f"{y}-{m:02d}-{d:02d}", f"{y}/{m}/{d}", f"{y}年{m}月{d}日", f"{y}.{m}.{d}"):
        assert values.day(typed) == day


@given(st.sets(st.sampled_from(list(TargetGroup)), min_size=1))
def test_groups_are_read_by_name_and_by_label(groups: set[TargetGroup]) -> None:
    assert values.groups(";".join(groups)) == group_mask(groups)
    assert values.groups("、".join(group.label.zh for group in groups)) == group_mask(groups)


def test_words_are_read_in_both_languages() -> None:
    assert values.relation("户主") is values.relation("self") is Relation.SELF
    with pytest.raises(BadCell) as refused:
        values.relation("neighbour")
    assert refused.value.code == "UNKNOWN"


@given(
    st.integers(1, 5).flatmap(
        lambda width: st.lists(
            st.lists(cell, min_size=width, max_size=width), min_size=1, max_size=6
        )
    ),
    st.sampled_from(["utf-8", "utf-8-sig", "gb18030", "utf-16"]),
)
def test_a_table_comes_back_as_it_was_written_in_every_encoding(
    rows: list[list[str]], encoding: str
) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([["a"] * len(rows[0]), *rows])
    try:
        data = text.getvalue().encode(encoding)
    except UnicodeEncodeError:
        return  # not every character is in every set
    if encoding == "gb18030" and _is_utf_8_too(data):
        return  # bytes that are both cannot be told apart

    table = read_table(data, "file.csv")

    assert [list(row.cells) for row in table.rows] == rows


@given(st.binary(max_size=300), st.booleans())
def test_bytes_of_any_kind_are_read_or_refused(data: bytes, packed: bool) -> None:
    try:
        table = read_table((b"PK\x03\x04" if packed else b"") + data, "file")
    except InvalidInput:
        return

    assert all(len(row.cells) == len(table.headings) for row in table.rows)


def _is_utf_8_too(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return not data.isascii()
