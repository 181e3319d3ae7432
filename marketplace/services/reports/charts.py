"""The charts of a plan as Vega-Lite: shares as stacked bars, flows as a heat map.

Drawn at the width of a phone, so that letters stay legible there; names and numbers stand in the
tables beside them in full. The colours are told apart by lightness alone: in grey print, and by
those who see few colours.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence

from marketplace.domain.errors import Language, Text
from marketplace.services.reports.picture import Bar, Flows, Picture

Spec = Mapping[str, object]

VEGA_LITE = "https://vega.github.io/schema/vega-lite/v6.json"
WIDTH = 340
FONT = "system-ui, 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', sans-serif"
FONT_PX = 12
NAME_PX_MAX = 132
VALUE_PX = 40
COLUMN_PX = 6.7  # of a Latin letter; Chinese characters take two columns
INK = "#1b1b1b"
FULL, PARTLY, NONE = "#0b3c5d", "#6baed6", "#fde3c8"
STEPS = ((5, "#deebf7"), (20, "#9ecae1"), (50, "#4292c6"), (200, "#084594"))
DARK_FROM = 50
PARTS = (
    ("full", Text("in full", "全额"), FULL),
    ("partly", Text("in part", "部分"), PARTLY),
    ("none", Text("nothing", "未满足"), NONE),
)


def chart_specs(picture: Picture, language: Language) -> dict[str, Spec]:
    """A Vega-Lite specification for each chart that has something to show, by its key."""
    specs: dict[str, Spec] = {}
    for breakdown in picture.breakdowns:
        bars = [bar for bar in breakdown.bars if bar.households is not None]
        if bars:
            specs[breakdown.key] = _bars(bars, language)
    if any(cell is not None for row in picture.flows.households for cell in row):
        specs["flows"] = _flows(picture.flows, language)
    return specs


def shortened(name: str, columns: int) -> str:
    """A name in so many columns at most, with an ellipsis where it is cut.

    >>> shortened("金溪县慈善总会", 10), shortened("Rice", 10)
    ('金溪县慈…', 'Rice')
    """
    if _columns(name) <= columns:
        return name
    kept = ""
    for letter in name:
        if _columns(kept + letter) > columns - 1:
            break
        kept += letter
    return kept + "…"


def _bars(bars: Sequence[Bar], language: Language) -> Spec:
    names, extent = _names([bar.name for bar in bars], language)
    said = {key: text.said_in(language) for key, text, _ in PARTS}
    values = [
        {"name": name, "part": said[key], "at": at, "percent": getattr(bar, key)}
        for name, bar in zip(names, bars, strict=True)
        for at, (key, _, _) in enumerate(PARTS)
    ]
    y = {"field": "name", "type": "nominal", "sort": names, "axis": _axis(extent), "title": None}
    colour = {
        "field": "part",
        "type": "nominal",
        "title": None,
        "scale": {"domain": list(said.values()), "range": [colour for _, _, colour in PARTS]},
        "legend": {"orient": "top", "symbolStrokeColor": INK, "symbolStrokeWidth": 0.6},
    }
    stacked = {
        "mark": {"type": "bar", "height": 15, "stroke": INK, "strokeWidth": 0.6},
        "encoding": {
            "y": y,
            "x": {
                "field": "percent",
                "type": "quantitative",
                "title": None,
                "scale": {"domain": [0, 100], "nice": False},
                "axis": {"values": [0, 50, 100], "labelExpr": "datum.value + ' %'"},
            },
            "color": colour,
            "order": {"field": "at", "type": "quantitative"},
        },
    }
    means = [{"name": n, "mean": f"{bar.mean} %"} for n, bar in zip(names, bars, strict=True)]
    plot = WIDTH - extent - VALUE_PX
    mean = {
        "data": {"values": means},
        "mark": {"type": "text", "align": "right", "fontWeight": "bold", "color": INK},
        "encoding": {
            "y": y,
            "x": {"value": plot + VALUE_PX - 2},
            "text": {"field": "mean", "type": "nominal"},
        },
    }
    return _spec(plot, 22) | {"data": {"values": values}, "layer": [stacked, mean]}


def _flows(flows: Flows, language: Language) -> Spec:
    rows, extent = _names(flows.sources, language)
    columns = _distinct([shortened(t.said_in(language), 14) for t in flows.targets])
    values = [
        {"row": row, "column": column, "households": cell, "band": _band(cell)}
        for row, cells in zip(rows, flows.households, strict=True)
        for column, cell in zip(columns, cells, strict=True)
        if cell is not None
    ]
    y = {"field": "row", "type": "nominal", "sort": rows, "axis": _axis(extent), "title": None}
    x = {
        "field": "column",
        "type": "nominal",
        "sort": columns,
        "title": None,
        "axis": {"orient": "top", "labelAngle": -90, "labelLimit": 0, "ticks": False},
    }
    bands = [_band(least) for least, _ in STEPS]
    colour = {
        "field": "band",
        "type": "ordinal",
        "title": None,
        "scale": {"domain": bands, "range": [colour for _, colour in STEPS]},
        "legend": {"orient": "bottom", "symbolType": "square", "columns": 2},
    }
    dark = {"condition": {"test": f"datum.households >= {DARK_FROM}", "value": "white"}}
    layers = [
        {
            "mark": {"type": "rect", "stroke": "white"},
            "encoding": {
                "y": _scaled(y, rows),
                "x": _scaled(x, columns),
                "color": colour,
            },
        },
        {
            "mark": {"type": "text", "fontSize": 10},
            "encoding": {
                "y": _scaled(y, rows),
                "x": _scaled(x, columns),
                "text": {"field": "households", "type": "quantitative", "format": "~s"},
                "color": dark | {"value": INK},
            },
        },
    ]
    step = (WIDTH - extent) / max(1, len(columns))
    width = min(step, 40) * len(columns)
    return _spec(round(width), 24) | {"data": {"values": values}, "layer": layers}


def _scaled(channel: Mapping[str, object], domain: Sequence[str]) -> Spec:
    """Rows and columns without a single cell are there, too."""
    return {**channel, "scale": {"domain": list(domain)}}


def _band(households: int | None) -> str:
    at = [index for index, (least, _) in enumerate(STEPS) if (households or 0) >= least]
    index = at[-1] if at else 0
    least = STEPS[index][0]
    return f"≥ {least}" if index + 1 == len(STEPS) else f"{least}–{STEPS[index + 1][0] - 5}"


def _names(texts: Sequence[Text], language: Language) -> tuple[list[str], int]:
    """Names as they fit beside a chart, no two alike, and the pixels that they take."""
    fits = int(NAME_PX_MAX / COLUMN_PX)
    names = _distinct([shortened(text.said_in(language), fits) for text in texts])
    widest = max((_columns(name) for name in names), default=0)
    return names, min(NAME_PX_MAX, int(widest * COLUMN_PX)) + 8


def _distinct(names: Sequence[str]) -> list[str]:
    """Equal names would be one row: later ones get a number."""
    seen: dict[str, int] = {}
    found = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        found.append(name if seen[name] == 1 else f"{name} {seen[name]}")
    return found


def _columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def _axis(extent: int) -> Spec:
    """Names beside the chart; a fixed width, as the fonts of the reader are not known here."""
    return {
        "minExtent": extent,
        "maxExtent": extent,
        "labelLimit": 0,
        "ticks": False,
        "domain": False,
    }


def _spec(width: int, step: int) -> dict[str, object]:
    return {
        "$schema": VEGA_LITE,
        "width": width,
        "height": {"step": step},
        "padding": 2,
        "background": "white",
        "config": {
            "font": FONT,
            "view": {"stroke": None},
            "axis": {"labelFontSize": FONT_PX, "labelColor": INK, "gridColor": "#d0d0d0"},
            "legend": {"labelFontSize": FONT_PX, "labelColor": INK},
            "text": {"fontSize": FONT_PX},
        },
    }
