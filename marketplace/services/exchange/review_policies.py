"""Review policies: how many people approve what, set anew by the operator for a county."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from marketplace.domain.errors import NotFound
from marketplace.domain.exchange.review_policies import ReviewPolicy, check_policy
from marketplace.persistence.database import Database
from marketplace.persistence.exchange import review_policies as rows
from marketplace.services.acting import Act, once, record
from marketplace.services.exchange.reach import in_scope


@dataclass(frozen=True, slots=True, kw_only=True)
class SetReviewPolicy:
    """What holds in a region (None: the viewer's own) and all below it that sets nothing itself.

    valid_from    None: at once
    """

    policy: ReviewPolicy
    region_id: int | None = None
    valid_from: datetime | None = None


async def put(database: Database, act: Act, command: SetReviewPolicy) -> int:
    """Put a further version in; its key. What was decided under the one before stays so.

    Raises InvalidInput for bands that do not rise, NotFound outside the viewer's region.
    """
    async with once(database, act, "reviewPolicySet") as turn:
        if turn.replay is not None:
            return int(str(turn.replay["policy"]))
        now, viewer = database.now(), act.viewer
        check_policy(command.policy, valid_from=command.valid_from, now=now)
        region_id = command.region_id or viewer.region_id
        region = None if region_id is None else await rows.lock_region(turn.db, region_id)
        if region is None or not in_scope(viewer, region["tree_low"]):
            raise NotFound
        values = {
            "region_id": region["id"],
            "bands": command.policy.bands_to_json(),
            "review_days": command.policy.review_days,
            "resubmit_days": command.policy.resubmit_days,
            "weekly_capacity": command.policy.weekly_capacity,
            "valid_from": command.valid_from or now,
            "set_by": viewer.account_id,
            "set_at": now,
        }
        key = await rows.add(turn.db, values)
        await record(turn, database, "review_policy.set", "ReviewPolicy", key)
        turn.outcome = {"policy": key}
        return key
