"""Lines of assistance that are set for a county: what may be put in, and what never changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from marketplace.domain.checks import REFERENCE_LENGTH_MAX, fault, text, within
from marketplace.domain.errors import Conflict, Fault, InvalidInput
from marketplace.domain.registry.assessments import Lines

AMOUNT_FEN_MAX = 10_000_000  # a hundred thousand yuan a head and month: a typing error
MONTHS_MAX = 120
NOTE_LENGTH_MAX = 500


def check_lines(lines: Lines, known: Sequence[Lines], *, today: date) -> None:
    """Raise InvalidInput or Conflict with what keeps these lines from being set.

    known    of every county: those that a household can have been assessed by are never changed

    Lines count from a day that lies ahead, or today: what was decided yesterday stays as it was.
    """
    faults = list(_faults(lines))
    if faults:
        raise InvalidInput(*faults)
    here = [k for k in known if k.county_code == lines.county_code and k.area is lines.area]
    if lines.valid_from < today or any(k.valid_from >= lines.valid_from for k in here):
        raise Conflict.of(
            "valid_from",
            "Lines that have counted are never changed: these must count from today or later, and "
            "from a later day than any that are there.",
            "已生效的标准不得更改：新标准须自今日或之后生效，且晚于现有标准的生效日期。",
            code="PAST_LINES",
        )
    if any(k.version == lines.version for k in here):
        raise Conflict.of(
            "version",
            "There are lines of this name already. Name them by their year, such as jinxi-2027.",
            "已有同名标准，请按年度命名，例如 jinxi-2027。",
            code="TAKEN",
        )


def _faults(lines: Lines) -> Iterator[Fault]:
    yield from text("version", lines.version, 1, REFERENCE_LENGTH_MAX)
    if not (len(lines.county_code) == 6 and lines.county_code.isdigit()):
        yield fault(
            "county_code",
            "INVALID",
            "A county has six digits (GB/T 2260), such as 361027.",
            "县级代码为 6 位数字（GB/T 2260），例如 361027。",
        )
    line = lines.subsistence_fen_month
    yield from within("subsistence_fen_month", line, 1, AMOUNT_FEN_MAX)
    income = lines.disposable_income_fen_month
    yield from within("disposable_income_fen_month", income, max(1, line), AMOUNT_FEN_MAX)
    yield from within("edge_percent", lines.edge_percent, 100, 1_000)
    yield from within("property_months", lines.property_months, 1, MONTHS_MAX)
    least = max(1, lines.property_months)
    yield from within("edge_property_months", lines.edge_property_months, least, MONTHS_MAX)
    for name in ("subsistence", "extreme", "edge", "rigid"):
        months = f"{name}_review_months"
        yield from within(months, getattr(lines, months), 1, MONTHS_MAX)
    yield from within("rigid_valid_months", lines.rigid_valid_months, 1, 12)
    for name, note in (("note_zh", lines.note.zh), ("note_en", lines.note.en)):
        if len(note) > NOTE_LENGTH_MAX:
            yield fault(
                name,
                "TOO_LARGE",
                f"At most {NOTE_LENGTH_MAX} characters.",
                f"最多 {NOTE_LENGTH_MAX} 个字符。",
            )
