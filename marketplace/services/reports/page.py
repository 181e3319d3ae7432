"""The page: one HTML file with its charts inside, that fetches nothing and runs no script."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from functools import cache

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from marketplace.domain.errors import Language, Text
from marketplace.domain.registry.categories import UNITS
from marketplace.services.reports.picture import Breakdown, Picture, Short
from marketplace.services.reports.style import page_policy, read, style
from marketplace.services.reports.words import words_in

FEN_PER_YUAN = 100


def page(picture: Picture, drawn: Mapping[str, str], language: Language) -> str:
    """The page as HTML; `drawn` are the charts as SVG, by the keys of their specifications.

    Charts stand in image elements: whatever a name in them says, nothing in an image can run.
    """

    def say(text: Text) -> str:
        return text.said_in(language)

    def alt(breakdown: Breakdown) -> str:
        told = [f"{say(b.name)} {b.mean} %" for b in breakdown.bars if b.households is not None]
        return words_in(language)["bars_alt"].format(say(breakdown.title), ", ".join(told))

    def amount(units: int, unit: str) -> str:
        if not units:  # too little for so few households to be said
            return "–"
        if unit == "fen":
            return _yuan(units)
        known = UNITS.get(unit)
        return f"{units:,} {say(known) if known else unit}".strip()

    def worth(one: Short) -> str:
        if one.unit == "fen":
            return _yuan(FEN_PER_YUAN)
        return "–" if one.unit_fen is None else _yuan(one.unit_fen)

    return _template().render(
        picture=picture,
        language=language,
        images={key: _image(svg) for key, svg in drawn.items()},
        policy=page_policy(),
        # Our own file; it must stand there letter by letter, for its hash.
        style=Markup(style()),  # noqa: S704
        t=words_in(language),
        say=say,
        alt=alt,
        amount=amount,
        worth=worth,
        number=lambda value: f"{value:,}",
    )


@cache
def _template() -> Template:
    env = Environment(autoescape=True, undefined=StrictUndefined)
    return env.from_string(read("report.html"))


def _image(svg: str) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


def _yuan(fen: int) -> str:
    """Cents only where there are some."""
    whole, rest = divmod(fen, FEN_PER_YUAN)
    return f"¥{whole:,}.{rest:02}" if rest else f"¥{whole:,}"
