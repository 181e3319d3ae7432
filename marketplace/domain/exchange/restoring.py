"""Where a suspended need goes once nothing halts it any more."""

from __future__ import annotations

from datetime import datetime

from marketplace.domain.exchange.needs import NeedStatus


def restored(
    suspended_from: NeedStatus,
    *,
    consent_in_force: bool,
    consent_ended: bool,
    deadline: datetime | None,
    now: datetime,
) -> NeedStatus:
    """The state of a need after its suspension: where it was, or what became of it meanwhile.

    consent_ended    whether a consent of the household ended while the need was suspended, which
                     would have withdrawn it

    >>> from datetime import UTC
    >>> now = datetime(2026, 11, 24, tzinfo=UTC)
    >>> facts = {"consent_ended": False, "deadline": None, "now": now}
    >>> str(restored(NeedStatus.PUBLISHED, consent_in_force=True, **facts))
    'PUBLISHED'
    >>> str(restored(NeedStatus.PUBLISHED, consent_in_force=False, **facts))
    'WITHDRAWN'
    >>> str(restored(NeedStatus.DRAFT, consent_in_force=False, **facts))
    'DRAFT'
    """
    if deadline is not None and deadline <= now:
        return NeedStatus.EXPIRED
    if not consent_in_force and (consent_ended or suspended_from is not NeedStatus.DRAFT):
        return NeedStatus.WITHDRAWN
    return suspended_from
