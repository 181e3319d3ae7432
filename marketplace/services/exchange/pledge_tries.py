"""Tries of pledges: an organization may be told only so often that a household is not served.

The offers that one asks with can be changed at will, so that many refusals would tell where a
household lives, however little each of them says.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from weakref import WeakKeyDictionary

from marketplace.domain.errors import Conflict, InvalidInput
from marketplace.domain.exchange.pledges import REFUSED_MAX
from marketplace.persistence.database import Database

WITHIN = timedelta(hours=1)

_REFUSED: WeakKeyDictionary[Database, dict[int, deque[datetime]]] = WeakKeyDictionary()


@contextmanager
def counted(database: Database, organization_id: int, *, now: datetime) -> Iterator[None]:
    """Count a refusal for the household (NOT_SERVED) that is raised inside.

    Counted in this process: a server of several allows so many in each, and a restart forgets.
    Raises Conflict (TOO_MANY) before anything is done where there were too many within the hour.
    """
    by_organization = _REFUSED.setdefault(database, {})
    for key, refused in list(by_organization.items()):
        while refused and refused[0] <= now - WITHIN:
            refused.popleft()
        if not refused:
            del by_organization[key]
    if len(by_organization.get(organization_id, ())) >= REFUSED_MAX:
        raise Conflict.of(
            "",
            f"{REFUSED_MAX} pledges of your organization did not fit their households within an "
            "hour. Look again later, or wait for the county's next plan, which finds what fits.",
            f"贵单位一小时内已有 {REFUSED_MAX} 次认领不适合相应家庭，请稍后再试，"
            "或等待县里的下一次匹配方案。",
            code="TOO_MANY",
        )
    try:
        yield
    except InvalidInput as refusal:
        if any(fault.code == "NOT_SERVED" for fault in refusal.faults):
            by_organization.setdefault(organization_id, deque()).append(now)
        raise
