"""A desk's list of results as a page: both languages, made to be printed and signed, no script."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from html import escape

from marketplace.domain.days import COUNTY_TIME, county_day
from marketplace.domain.errors import Language, Text
from marketplace.domain.exchange.results import Desk
from marketplace.domain.ids import reference
from marketplace.domain.registry.categories import UNITS
from marketplace.persistence.database import Row
from marketplace.services.exchange.results_list import ResultsList
from marketplace.services.reports.style import page_policy, style

FEN_PER_YUAN = 100
TITLE = Text("Results to acknowledge", "救助结果反馈签收单")
DESKS = {
    Desk.CHARITY: Text("Charity desk", "慈善事业和社会工作口"),
    Desk.ASSISTANCE: Text("Assistance desk", "社会救助口"),
    Desk.TOWNSHIP: Text("Township office", "乡镇民政所"),
}
HEADS = (
    Text("Result", "结果编号"),
    Text("Place", "所在地"),
    Text("Need, household", "需求、家庭编号"),
    Text("What", "内容"),
    Text("Given by", "供给方"),
    Text("Delivered", "送达日期"),
    Text("Due", "签收期限"),
    Text("Acknowledged", "签收"),
)
# The charity desk sees a household only while it consents, so its paper names none.
NO_HOUSEHOLDS = frozenset({Desk.CHARITY})


def html(found: ResultsList, language: Language) -> str:
    """The page. Names and labels go by the language; headings and titles are in both."""
    days = f"{found.asked.starts_on:%Y-%m-%d} – {found.asked.ends_on:%Y-%m-%d}"
    heads = "".join(f'<th scope="col">{_both(head, "<br>")}</th>' for head in _heads(found.desk))
    body = "".join(_line(row, found, language) for row in found.rows)
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(page_policy())}">'
        '<meta name="referrer" content="no-referrer">'
        f'<title>{_both(TITLE, " ")}</title><link rel="icon" href="data:,">'
        f"<style>{style()}</style></head><body><header>"
        f"<h1>{_both(TITLE, ' ')}</h1><p>{_both(DESKS[found.desk], ' ')}, {days}</p>"
        f'{"".join(_notes(found))}</header><main><section class="wide"><div class="scroll">'
        f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div></section>"
        f"</main><footer><p>{_both(_SIGNED, ' ')}</p></footer></body></html>\n"
    )


_SIGNED = Text(
    "Received by: ____________________   Date: ______________",
    "签收人：____________________   日期：______________",
)


def _heads(desk: Desk) -> Iterator[Text]:
    return (head for head in HEADS if not (desk in NO_HOUSEHOLDS and head is HEADS[2]))


def _notes(found: ResultsList) -> Iterator[str]:
    count = len(found.rows)
    made = f"{found.printed_at.astimezone(COUNTY_TIME):%Y-%m-%d %H:%M}"
    said = Text(f"{count} results, as of {made}.", f"共 {count} 项，截至 {made}。")
    if found.asked.only_waiting:
        said = Text(f"{said.en} Only those not acknowledged.", f"{said.zh}仅列未签收。")
    yield f'<p class="small">{_both(said, " ")}</p>'
    if found.cut:
        more = Text("There are more: ask for fewer days.", "未列全，请缩短时段。")
        yield f'<p class="proof open">{_both(more, " ")}</p>'


def _line(row: Row, found: ResultsList, language: Language) -> str:
    is_zh = language == "zh-CN"
    place = row["name_zh"] if is_zh else row["name_en"] or row["name_zh"]
    above = row["parent_zh"] if is_zh else row["parent_en"] or row["parent_zh"]
    label = row["label_zh"] if is_zh else row["label_en"] or row["label_zh"]
    whose = (
        reference("N", row["need_at"].year, row["need_id"])
        + " "
        + reference("H", row["household_at"].year, row["household_id"])
    )
    cells = [
        reference("J", row["sent_at"].year, row["id"]),
        f"{above or ''} {place}".strip(),
        *([] if found.desk in NO_HOUSEHOLDS else [whose]),
        f"{label}: {_amount(row['units_received'], row['unit'], language)}",
        row["organization"],
        _day(row["delivered_at"]),
        _due(row, found),
        "" if row["acknowledged_at"] is None else _day(row["acknowledged_at"]),
    ]
    first, *rest = (escape(cell) for cell in cells)
    return f'<tr><th scope="row">{first}</th>{"".join(f"<td>{cell}</td>" for cell in rest)}</tr>'


def _due(row: Row, found: ResultsList) -> str:
    late = row["acknowledged_at"] is None and row["due_at"] <= found.printed_at
    return _day(row["due_at"]) + (" 逾期 overdue" if late else "")


def _amount(units: int, unit: str | None, language: Language) -> str:
    if unit == "fen":
        whole, rest = divmod(units, FEN_PER_YUAN)
        return f"¥{whole:,}.{rest:02}" if rest else f"¥{whole:,}"
    known = UNITS.get(unit or "")
    return f"{units:,} {known.said_in(language) if known else unit or ''}".strip()


def _day(moment: datetime) -> str:
    return f"{county_day(moment):%Y-%m-%d}"


def _both(text: Text, between: str) -> str:
    return f"{escape(text.zh)}{between}{escape(text.en)}"
