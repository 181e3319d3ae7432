"""An event: what happened, to what, by whom; never with personal data in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One entry of the log; `kind` is entity and past participle, such as "offer.posted"."""

    kind: str
    at: datetime
    entity: str
    entity_id: int
    account_id: int | None = None  # none: the system itself
    data: Mapping[str, object] = field(default_factory=dict)
    request_id: str | None = None

    def row(self) -> dict[str, object]:
        return {
            "kind": self.kind,
            "at": self.at,
            "entity": self.entity,
            "entity_id": self.entity_id,
            "account_id": self.account_id,
            "data": dict(self.data),
            "request_id": self.request_id,
        }
