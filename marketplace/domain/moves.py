"""Moves of a lifecycle: from which states each may be made, where it leads, and who may make it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from marketplace.domain.errors import Conflict, Text
from marketplace.domain.permissions import MUTATIONS, Viewer
from marketplace.domain.states import any_in_chinese, in_chinese

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
            f"该{noun.zh}当前状态为{in_chinese(status)}，"
            f"仅在状态为{any_in_chinese(before)}时可执行此操作。",
        )


def check_version(noun: Text, expected: int | None, version: int) -> None:
    """Raise Conflict where a thing changed since it was read; None: whoever asks has not read it.

    >>> check_version(Text("offer", "供给"), 3, 3)
    """
    if expected not in (None, version):
        raise stale(noun, version)


def stale(noun: Text, version: int) -> Conflict:
    """The refusal of what was decided on a thing as it is no longer."""
    return Conflict.of(
        "expected_version",
        f"The {noun.en} is at version {version} now. Read it again and decide anew.",
        f"该{noun.zh}已更新至版本 {version}，请重新读取后再操作。",
    )


def moves_from(moves: Mapping[str, Move[S]], viewer: Viewer, status: S) -> tuple[str, ...]:
    """The mutations that lead on from `status` and that the viewer's role may ask for."""
    return tuple(
        name
        for name, move in moves.items()
        if status in move.before and viewer.role in MUTATIONS.get(name, ())
    )
