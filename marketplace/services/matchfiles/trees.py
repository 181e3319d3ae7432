"""Codes as positions in a tree: what lies under a code is one interval of positions."""

from __future__ import annotations

import csv
import io
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib import resources
from itertools import pairwise

from marketplace.domain.errors import Text

TreePath = tuple[str, ...]

# Digits that name the province, prefecture, county, township and village in a code: GB/T 2260,
# then the statistics bureau's. What follows (grid cells) is one more level.
REGION_LEVELS = (2, 4, 6, 9, 12)


class Tree:
    """Positions of the paths that occur, in the order of the tree.

    >>> tree = Tree([("a",), ("a", "x"), ("b",)])
    >>> tree.position(("a", "x")), tree.interval(("a",)), tree.interval(("c",))
    (1, (0, 1), (3, 2))
    """

    def __init__(self, paths: Iterable[TreePath]) -> None:
        self._sorted = sorted(set(paths))
        self._at = {path: index for index, path in enumerate(self._sorted)}

    def position(self, path: TreePath) -> int:
        return self._at[path]

    def interval(self, path: TreePath) -> tuple[int, int]:
        """First and last position under a path, both included; empty (high < low) under none."""
        depth = len(path)
        low = bisect_left(self._sorted, path)
        high = bisect_right(self._sorted, path, key=lambda other: other[:depth])
        return low, high - 1


def category_path(text: str) -> TreePath:
    """A shipped category by code or label, with all above it; else levels set apart by / or >.

    >>> category_path("大米"), category_path("masks / FFP2")
    (('goods', 'food', 'staple_food', 'rice'), ('masks', 'ffp2'))
    """
    known = _shipped_categories().get(text.casefold())
    return known[0] if known else _levels(text)


def category_name(text: str) -> Text:
    """The label of a shipped category, in both languages; else the text as it stands.

    >>> category_name("quilt").zh
    '棉被'
    """
    known = _shipped_categories().get(text.casefold())
    return known[1] if known else Text(text, text)


def region_path(text: str) -> TreePath:
    """A region code by its levels (trailing zeros name no level), else levels set apart by / or >.

    >>> region_path("361027000000"), region_path("361027100201"), region_path("US/CA")
    (('36', '10', '27'), ('36', '10', '27', '100', '201'), ('us', 'ca'))
    """
    if not text.isascii() or not text.isdigit():
        return _levels(text)
    cuts = (0, *REGION_LEVELS)
    parts = [text[a:b] for a, b in pairwise(cuts)] + [text[cuts[-1] :]]
    while len(parts) > 1 and not parts[-1].strip("0"):
        parts.pop()
    return tuple(parts)


def remembered(parse: Callable[[str], TreePath], texts: Iterable[str]) -> Mapping[str, TreePath]:
    """The path of every distinct text: files repeat the same few codes."""
    return {text: parse(text) for text in set(texts)}


def _levels(text: str) -> TreePath:
    parts = (part.strip() for part in text.casefold().replace(">", "/").split("/"))
    return tuple(part for part in parts if part) or (text,)


@cache
def _shipped_categories() -> Mapping[str, tuple[TreePath, Text]]:
    """Path and label by code, Chinese label and English label."""
    data = resources.files("marketplace").joinpath("data/categories.csv").read_text("utf-8")
    rows = list(csv.DictReader(io.StringIO(data)))
    parent = {row["code"]: row["parent"] for row in rows}
    known: dict[str, tuple[TreePath, Text]] = {}
    for row in rows:
        path = [row["code"]]
        while parent[path[-1]]:
            path.append(parent[path[-1]])
        for name in (row["label_en"], row["label_zh"], row["code"]):
            label = Text(row["label_en"], row["label_zh"])
            known[name.casefold()] = tuple(reversed(path)), label
    return known
