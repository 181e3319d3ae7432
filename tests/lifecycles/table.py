"""The lifecycles of the domain, written down once more and apart from the code that keeps them.

Every arrow says which move it is, from where to where it leads, and whose role may ask for it; a
move without roles is made by the house itself, or follows from the move of something else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from marketplace.domain.permissions import Role

WHO: Mapping[str, frozenset[Role]] = {
    "assistance": frozenset({Role.ASSISTANCE_OFFICER}),
    "charity": frozenset({Role.CHARITY_OFFICER}),
    "township": frozenset({Role.TOWNSHIP_OFFICER}),
    "grid": frozenset({Role.GRID_WORKER}),
    "social": frozenset({Role.SOCIAL_WORKER}),
    "household": frozenset({Role.APPLICANT}),
    "provider": frozenset({Role.PROVIDER, Role.FEDERATION}),
    "federation": frozenset({Role.FEDERATION}),
    "admin": frozenset({Role.ADMIN}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrow:
    """One move of a lifecycle; its `after` are all the states it can lead to.

    hidden    states in which it is not there for who asks; from others the refusal names the state
    """

    move: str
    before: frozenset[str]
    after: frozenset[str]
    roles: frozenset[Role]
    hidden: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifecycle:
    """All states of an entity, where it begins, and every arrow between them."""

    begins: frozenset[str]
    arrows: tuple[Arrow, ...]
    by_itself: tuple[Arrow, ...] = ()

    @property
    def states(self) -> frozenset[str]:
        every = (*self.arrows, *self.by_itself)
        return self.begins.union(*(arrow.before | arrow.after for arrow in every))

    def leads(self, before: str, after: str) -> bool:
        """Whether some arrow leads from one state to the other, or it is the same."""
        every = (*self.arrows, *self.by_itself)
        return before == after or any(
            before in arrow.before and after in arrow.after for arrow in every
        )


def _arrow(move: str, way: str, who: str = "", hidden: str = "") -> Arrow:
    before, _, after = way.partition("->")
    roles = frozenset[Role]().union(*(WHO[each] for each in who.split()))
    return Arrow(
        move=move,
        before=frozenset(before.split()),
        # "=" stays where it is.
        after=frozenset(before.split()) if after.strip() == "=" else frozenset(after.split()),
        roles=roles,
        hidden=frozenset(hidden.split()),
    )


def _lifecycle(begins: str, *rows: tuple[str, ...]) -> Lifecycle:
    arrows = [_arrow(*row) for row in rows]
    return Lifecycle(
        begins=frozenset(begins.split()),
        arrows=tuple(arrow for arrow in arrows if arrow.roles),
        by_itself=tuple(arrow for arrow in arrows if not arrow.roles),
    )


UNPUBLISHED = "DRAFT REFERRED RETURNED REJECTED FULFILLED CLOSED WITHDRAWN EXPIRED SUSPENDED"
UNSERVED = "DRAFT REFERRED RETURNED PUBLISHED"
HALTABLE = f"{UNSERVED} SUSPENDED"


def _case(desk: str, accused: str) -> Lifecycle:
    return _lifecycle(
        "OPEN",
        # The second of two people leads on.
        ("integrityCaseFind", "OPEN -> OPEN FOUND", desk),
        ("integrityCaseRestrict", "FOUND -> RESTRICTED", desk),
        ("integrityCaseRecover", "RESTRICTED -> RESTRICTED RECOVERED", desk),
        # Before two people found it true, nobody is accused.
        ("integrityCaseAppeal", "RESTRICTED -> APPEALED", accused, "OPEN"),
        ("integrityCaseDecideAppeal", "APPEALED -> RESTRICTED DISMISSED", desk),
        ("integrityCaseClose", "RECOVERED -> CLOSED", desk),
        (
            "integrityCaseDismiss",
            "OPEN FOUND RESTRICTED APPEALED RECOVERED -> DISMISSED",
            desk,
        ),
    )


TABLE: Mapping[str, Lifecycle] = {
    "Need": _lifecycle(
        "DRAFT",
        ("needRefer", "DRAFT RETURNED -> REFERRED", "assistance"),
        # Approved by one of several whom its amount asks for, it waits for the others.
        ("needReview", "REFERRED -> REFERRED RETURNED REJECTED PUBLISHED", "charity"),
        # Providers do not learn of needs, so not of their states either.
        ("needPledge", "PUBLISHED -> =", "provider", UNPUBLISHED),
        ("every unit confirmed", "PUBLISHED -> FULFILLED"),
        ("results acknowledged", "FULFILLED -> CLOSED"),
        ("consent ends", f"{HALTABLE} -> WITHDRAWN"),
        ("deadline passes", f"{HALTABLE} -> EXPIRED"),
        ("restriction", f"{UNSERVED} -> SUSPENDED"),
        ("restriction ends", f"SUSPENDED -> {UNSERVED}"),
    ),
    "Consent": _lifecycle(
        "GIVEN",
        ("consentWithdraw", "GIVEN -> WITHDRAWN", "household grid township assistance"),
        ("its end passes", "GIVEN -> LAPSED"),
    ),
    "Organization": _lifecycle(
        "APPLIED",
        ("organizationVerify", "APPLIED SUSPENDED -> VERIFIED", "charity"),
        ("organizationReject", "APPLIED -> REJECTED", "charity"),
        ("organizationSuspend", "VERIFIED -> SUSPENDED", "charity"),
        ("organizationResume", "SUSPENDED -> VERIFIED", "charity"),
        ("restriction", "APPLIED VERIFIED REJECTED -> SUSPENDED"),
        ("restriction ends", "SUSPENDED -> APPLIED VERIFIED REJECTED"),
    ),
    "Offer": _lifecycle(
        "DRAFT OPEN",
        ("offerUpdate", "DRAFT OPEN PAUSED -> =", "provider"),
        ("offerPause", "OPEN -> PAUSED", "provider charity"),
        ("offerResume", "DRAFT PAUSED -> OPEN", "provider charity"),
        ("offerClose", "DRAFT OPEN PAUSED -> CLOSED", "provider charity"),
        # Of an organization that is not verified it stays a draft.
        ("offerApprove", "DRAFT -> DRAFT OPEN", "charity"),
        ("its end passes", "OPEN PAUSED -> EXPIRED"),
        ("restriction", "OPEN -> PAUSED"),
        ("restriction ends", "PAUSED -> OPEN"),
    ),
    "Campaign": _lifecycle(
        "DRAFT",
        ("campaignUpdate", "DRAFT OPEN -> =", "provider charity"),
        ("campaignOpen", "DRAFT -> OPEN", "provider charity"),
        ("campaignClose", "DRAFT OPEN -> CLOSED", "provider charity"),
        ("matchingFundCreate", "DRAFT OPEN -> =", "provider charity"),
    ),
    "Donation": _lifecycle(
        "RECEIVED",
        ("donationAssign", "RECEIVED -> =", "provider charity"),
        ("donationRefund", "RECEIVED -> REFUNDED", "provider charity"),
    ),
    "Plan": _lifecycle(
        "QUEUED",
        ("planCancel", "QUEUED RUNNING -> CANCELLED", "charity"),
        ("planEdit", "PROPOSED -> =", "charity"),
        ("planApprove", "PROPOSED -> APPROVED", "charity"),
        ("planDiscard", "PROPOSED -> DISCARDED", "charity"),
        ("a worker takes it", "QUEUED -> RUNNING"),
        ("it is computed", "RUNNING -> PROPOSED"),
        ("it cannot be computed", "QUEUED RUNNING -> FAILED"),
    ),
    "Allocation": _lifecycle(
        "RESERVED",
        ("allocationAccept", "RESERVED -> ACCEPTED", "provider"),
        ("allocationDecline", "RESERVED -> DECLINED", "provider"),
        ("allocationCancel", "RESERVED ACCEPTED -> CANCELLED", "charity"),
        ("allocationDispatch", "ACCEPTED -> DISPATCHED", "provider"),
        # Nobody at the door, more to follow, or all of it came back.
        ("deliveryCheckIn", "DISPATCHED -> DISPATCHED DELIVERED CANCELLED", "provider grid"),
        ("allocationConfirm", "DELIVERED -> CONFIRMED", "household grid township"),
        ("allocationDispute", "DELIVERED -> DISPUTED", "household grid township"),
        ("allocationSettle", "DISPUTED -> CONFIRMED CANCELLED", "charity"),
        ("consent, restriction, time", "RESERVED ACCEPTED -> CANCELLED"),
    ),
    "ResultCopy": _lifecycle(
        "SENT", ("resultAcknowledge", "SENT -> ACKNOWLEDGED", "township assistance charity")
    ),
    "CaseOfHousehold": _case("assistance", "household"),
    "CaseOfProvider": _case("charity", "provider"),
    "Application": _lifecycle(
        "SUBMITTED",
        ("applicationRegister", "SUBMITTED -> REGISTERED", "township assistance"),
        ("applicationReject", "SUBMITTED -> REJECTED", "township assistance"),
    ),
    "AssessmentOverride": _lifecycle(
        "PENDING",
        ("assessmentOverrideApprove", "PENDING -> APPROVED", "township assistance"),
        ("assessmentOverrideReject", "PENDING -> REJECTED", "township assistance"),
    ),
    "Appeal": _lifecycle("OPEN", ("appealDecide", "OPEN -> UPHELD DISMISSED", "assistance")),
    "Feedback": _lifecycle(
        "OPEN",
        ("feedbackAnswer", "OPEN -> ANSWERED", "township assistance charity"),
        ("feedbackForward", "OPEN -> =", "township assistance charity"),
        (
            "feedbackReopen",
            "ANSWERED -> OPEN",
            "household grid social township assistance provider",
        ),
        (
            "feedbackClose",
            "ANSWERED -> CLOSED",
            "household grid social township assistance provider",
        ),
        ("nobody takes it up again", "ANSWERED -> CLOSED"),
    ),
    # Around these: what is prepared, agreed, listed or told.
    "OfferDraft": _lifecycle(
        "DRAFT",
        ("offerDraftUpdate", "DRAFT -> =", "provider"),
        ("offerPublish", "DRAFT -> PUBLISHED", "provider"),
        ("offerFromTemplate", "DRAFT -> =", "provider"),
        ("offerDraftDiscard", "DRAFT -> DISCARDED", "provider"),
    ),
    "ReferralDraft": _lifecycle(
        "PREPARED",
        ("referralSend", "PREPARED -> SENT", "assistance"),
        ("referralDraftDiscard", "PREPARED -> DISCARDED", "assistance"),
    ),
    "Agreement": _lifecycle("SIGNED", ("agreementEnd", "SIGNED -> ENDED", "charity")),
    "HelpedList": _lifecycle("REPORTED", ("helpedListReceive", "REPORTED -> RECEIVED", "charity")),
    "Webhook": _lifecycle(
        "ENABLED",
        ("webhookUpdate", "ENABLED DISABLED -> =", "provider assistance charity township admin"),
        (
            "webhookRotateSecret",
            "ENABLED DISABLED -> =",
            "provider assistance charity township admin",
        ),
        ("webhookDisable", "ENABLED -> DISABLED", "provider assistance charity township admin"),
        ("webhookEnable", "DISABLED -> ENABLED", "provider assistance charity township admin"),
    ),
    "WebhookDelivery": _lifecycle(
        "QUEUED",
        ("webhookDeliveryRetry", "DEAD -> QUEUED", "provider assistance charity township admin"),
        ("it is sent", "QUEUED -> QUEUED SENT DEAD"),
    ),
    "Message": _lifecycle(
        "QUEUED",
        ("outgoingMessageRetry", "FAILED -> QUEUED", "admin"),
        ("it is sent", "QUEUED -> QUEUED SENT FAILED"),
    ),
    # Without moves of their own: parts of what stands above.
    "Result": _lifecycle("SENT", ("its last copy", "SENT -> ACKNOWLEDGED")),
    "PlanLine": _lifecycle("PROPOSED", ("planApprove", "PROPOSED -> RESERVED LEFT_OUT")),
    "Household": _lifecycle(
        "ACTIVE", ("householdMerge, memberDeceased", "ACTIVE -> MERGED CLOSED")
    ),
    "Duplicate": _lifecycle("OPEN", ("dismissed or merged", "OPEN -> DISMISSED MERGED")),
    "Job": _lifecycle(
        "QUEUED",
        ("a worker takes it", "QUEUED -> RUNNING"),
        ("it fails and is tried again", "RUNNING -> QUEUED"),
        ("it ends", "QUEUED RUNNING -> DONE CANCELLED DEAD"),
    ),
}


def arrows_of_moves() -> Iterator[tuple[str, Arrow]]:
    """Every entity with each of the arrows that somebody's role may ask for."""
    for entity, lifecycle in TABLE.items():
        for arrow in lifecycle.arrows:
            yield entity, arrow
