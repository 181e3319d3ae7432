"""Moves of a lifecycle: from which states each may be made, where it leads, and who may make it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from marketplace.domain.errors import Conflict, Text
from marketplace.domain.permissions import MUTATIONS, Viewer

S = TypeVar("S", bound=StrEnum)


@dataclass(frozen=True, slots=True, kw_only=True)
class Move(Generic[S]):
    """One arrow of a lifecycle; who may make it stands in MUTATIONS under the same name.

    after   where it leads; None where that depends on more than the move, and its rule says so
    """

    before: frozenset[S]
    after: S | None


def check_move(moves: Mapping[str, Move[S]], move: str, status: S, noun: Text) -> None:
    """Raise Conflict, naming the state, unless `move` may be made from `status`."""
    before = moves[move].before
    if status not in before:
        allowed = ", ".join(sorted(before))
        raise Conflict.of(
            "id",
            f"The {noun.en} is {status}; this is possible only when it is {allowed}.",
            f"该{noun.zh}当前状态为 {status}，仅在 {allowed} 状态下可执行此操作。",
        )


def moves_from(moves: Mapping[str, Move[S]], viewer: Viewer, status: S) -> tuple[str, ...]:
    """The mutations that lead on from `status` and that the viewer's role may ask for."""
    return tuple(
        name
        for name, move in moves.items()
        if status in move.before and viewer.role in MUTATIONS.get(name, ())
    )
