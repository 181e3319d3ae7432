"""Refusals of entries of a list, as an outcome keeps them for when the request is repeated."""

from __future__ import annotations

from collections.abc import Mapping

from marketplace.domain.errors import Fault, Text


def kept(refused: Mapping[int, Fault]) -> list[object]:
    """Faults by place in the list, as JSON.

    >>> bad = Fault(("lines", "2"), "TWICE", Text("Twice.", "重复。"))
    >>> again(kept({2: bad})) == {2: bad}
    True
    """
    return [[i, list(f.field), f.code, f.text.en, f.text.zh] for i, f in refused.items()]


def again(refused: object) -> dict[int, Fault]:
    """The faults that were kept."""
    assert isinstance(refused, list), "an outcome keeps a list"
    return {i: Fault(tuple(field), code, Text(en, zh)) for i, field, code, en, zh in refused}
