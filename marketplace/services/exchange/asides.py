"""What of the market took no part in a plan, by kind and reason."""

from __future__ import annotations

from dataclasses import dataclass, field

from marketplace.domain.exchange.plans import LeftAsideReason
from marketplace.domain.ids import reference
from marketplace.persistence.exchange.market import Columns
from marketplace.services.exchange.numbers import IntArray

REFERENCES_MAX = 20  # named in the plan for each reason; the rest are counted


@dataclass(slots=True)
class Aside:
    """What took no part: entries as the plan's row keeps them.

    rows   which rows of NEEDs or OFFERs, all of them, for which reason
    """

    found: list[dict[str, object]] = field(default_factory=list)
    rows: list[tuple[str, LeftAsideReason, IntArray]] = field(default_factory=list)

    def add(
        self,
        of: str,
        reason: LeftAsideReason,
        rows: Columns,
        index: IntArray,
        units: int | None = None,
    ) -> None:
        """Rows (of NEEDs or OFFERs) for one reason; `units` where only so much took no part."""
        if len(index) == 0:
            return
        named = [
            reference(of[0], int(str(rows["year"][i])), int(str(rows["id"][i])))
            for i in index[:REFERENCES_MAX].tolist()
        ]
        entry: dict[str, object] = {
            "of": of,
            "reason": reason.value,
            "count": len(index),
            "references": named,
        }
        self.rows.append((of, reason, index))
        self.found.append(entry if units is None else entry | {"units": units})
