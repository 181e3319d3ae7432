"""What the inputs of the exchange have in common: their descriptions, and how ids are taken."""

from __future__ import annotations

from collections.abc import Sequence

import strawberry

from marketplace.domain.ids import key_of
from marketplace.domain.registry.households import TargetGroup, group_mask

INPUT = strawberry.argument(description="What is asked for.")
KEY = (
    "Names this request, so that sending it again does it only once: the same key and input get "
    "the same answer for 24 hours. The Idempotency-Key header does the same."
)
VERSION = "The version that was read; if it has changed since, the answer is CONFLICT."


def keys_of(kind: str, ids: Sequence[str]) -> tuple[int, ...]:
    """The row keys of opaque ids of one kind. Raises InvalidId."""
    return tuple(key_of(kind, each) for each in ids)


def mask_of(groups: Sequence[TargetGroup]) -> int:
    """Target groups as a bit mask."""
    return group_mask(TargetGroup(group) for group in groups)
