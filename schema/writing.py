"""What the inputs of all wings have in common: descriptions, ids, and acts that name nobody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import strawberry

from marketplace.domain.ids import key_of
from marketplace.domain.registry.households import TargetGroup, group_mask
from marketplace.services.acting import Act
from marketplace.services.registry.sealing import sealer_of
from schema.payloads import Info, act_of

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


def sealed_act(info: Info, input: object) -> Act:
    """As `act_of`, for inputs with personal data: whoever has no key cannot guess at the digest."""
    act = act_of(info, input)
    sealer = sealer_of(info.context.settings)
    digest = sealer.blind_index(act.input_digest, place="idempotency_keys.input_digest")
    return replace(act, input_digest=digest)
