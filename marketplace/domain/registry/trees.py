"""Trees as nested sets: each node gets the interval of its subtree, numbered in pre-order."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TypeVar

from marketplace.domain.errors import Fault, InvalidInput, Text

Key = TypeVar("Key", bound=Hashable)


def numbered(parents: Mapping[Key, Key | None]) -> dict[Key, tuple[int, int]]:
    """Node -> (low, high), from 1; children in the mapping's order, leaves have low == high.

    Raises InvalidInput for a parent that is no node (UNKNOWN_PARENT) and for nodes that no root
    leads to (CYCLE); the faults' field is the node.

    >>> numbered({"food": None, "rice": "food", "oil": "food", "cash": None})
    {'food': (1, 3), 'rice': (2, 2), 'oil': (3, 3), 'cash': (4, 4)}
    """
    children: dict[Key | None, list[Key]] = {None: []}
    for node, parent in parents.items():
        children.setdefault(parent, []).append(node)
    _all_known(parents)
    low: dict[Key, int] = {}
    high: dict[Key, int] = {}
    # A stack and not recursion: a chain of ten thousand nodes is a tree, too.
    waiting: list[tuple[Key, bool]] = [(root, False) for root in reversed(children[None])]
    while waiting:
        node, is_left = waiting.pop()
        if is_left:
            high[node] = len(low)
            continue
        low[node] = len(low) + 1
        waiting.append((node, True))
        waiting.extend((child, False) for child in reversed(children.get(node, [])))
    if caught := [node for node in parents if node not in low]:
        raise InvalidInput(*(_in_a_circle(node) for node in caught))
    return {node: (low[node], high[node]) for node in low}


def _all_known(parents: Mapping[Key, Key | None]) -> None:
    faults = [
        Fault(
            (str(node),),
            "UNKNOWN_PARENT",
            Text(f"{node}: there is no {parent} to be below.", f"{node}：上级 {parent} 不存在。"),
        )
        for node, parent in parents.items()
        if parent is not None and parent not in parents
    ]
    if faults:
        raise InvalidInput(*faults)


def _in_a_circle(node: object) -> Fault:
    return Fault(
        (str(node),),
        "CYCLE",
        Text(f"{node} lies below itself.", f"{node} 的上级关系构成循环。"),
    )
