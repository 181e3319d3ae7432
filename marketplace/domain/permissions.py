"""Who may do what: roles, the viewer of a request, and the one matrix of mutations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from marketplace.domain.errors import Forbidden, Language, Unauthenticated


class Role(StrEnum):
    """Roles of domain.md; scope comes from the account's organization and region."""

    PUBLIC = "PUBLIC"
    APPLICANT = "APPLICANT"
    PROVIDER = "PROVIDER"
    FEDERATION = "FEDERATION"
    GRID_WORKER = "GRID_WORKER"
    SOCIAL_WORKER = "SOCIAL_WORKER"
    TOWNSHIP_OFFICER = "TOWNSHIP_OFFICER"
    ASSISTANCE_OFFICER = "ASSISTANCE_OFFICER"
    CHARITY_OFFICER = "CHARITY_OFFICER"
    AUDITOR = "AUDITOR"
    ADMIN = "ADMIN"


EVERYONE = frozenset(Role)
PROVIDERS = frozenset({Role.PROVIDER, Role.FEDERATION})
FIELD_OFFICERS = frozenset({Role.GRID_WORKER, Role.SOCIAL_WORKER, Role.TOWNSHIP_OFFICER})
COUNTY_OFFICERS = frozenset({Role.ASSISTANCE_OFFICER, Role.CHARITY_OFFICER})
SUPERVISION = frozenset({Role.AUDITOR})
RAISE_MONEY = PROVIDERS | {Role.CHARITY_OFFICER}
OFFICERS = FIELD_OFFICERS | COUNTY_OFFICERS
# Who sees a household at home, or keeps its file.
WHO_VISIT = frozenset({Role.GRID_WORKER, Role.TOWNSHIP_OFFICER, Role.ASSISTANCE_OFFICER})
STAFF = OFFICERS | SUPERVISION | {Role.ADMIN}
# A household itself, officers who write down what it says, and providers.
GIVE_FEEDBACK = PROVIDERS | FIELD_OFFICERS | {Role.APPLICANT, Role.ASSISTANCE_OFFICER}
WEBHOOK_OWNERS = PROVIDERS | COUNTY_OFFICERS | {Role.TOWNSHIP_OFFICER, Role.ADMIN}


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """Who asks: an account with its role and scope, or the public.

    `region_low..region_high` is the interval of the region's subtree (nested sets); without a
    region nothing is seen that is bounded by region.
    """

    role: Role = Role.PUBLIC
    account_id: int | None = None
    organization_id: int | None = None
    region_id: int | None = None
    region_low: int = 0
    region_high: int = -1
    language: Language = "en"

    def is_one_of(self, roles: frozenset[Role]) -> bool:
        return self.role in roles


# Each mutation and who may call it at all; a service narrows this by ownership and region.
MUTATIONS: Mapping[str, frozenset[Role]] = {
    "offerPost": PROVIDERS,
    "offerUpdate": PROVIDERS,
    "offerPause": PROVIDERS | {Role.CHARITY_OFFICER},
    "offerResume": PROVIDERS | {Role.CHARITY_OFFICER},
    "offerClose": PROVIDERS | {Role.CHARITY_OFFICER},
    # Whoever wants to help applies without an account.
    "organizationApply": EVERYONE - SUPERVISION,
    "organizationVerify": frozenset({Role.CHARITY_OFFICER}),
    "organizationReject": frozenset({Role.CHARITY_OFFICER}),
    "organizationSuspend": frozenset({Role.CHARITY_OFFICER}),
    "organizationResume": frozenset({Role.CHARITY_OFFICER}),
    "agreementSign": frozenset({Role.CHARITY_OFFICER}),
    "agreementEnd": frozenset({Role.CHARITY_OFFICER}),
    # A recorded act, as personalData: whom to call is a person.
    "organizationContact": frozenset({Role.CHARITY_OFFICER}) | SUPERVISION,
    "offerApprove": frozenset({Role.CHARITY_OFFICER}),
    "offerDraft": PROVIDERS,
    "offerDraftUpdate": PROVIDERS,
    "offerDraftDiscard": PROVIDERS,
    "offerPublish": PROVIDERS,
    "offerFromTemplate": PROVIDERS,
    # Of charities and the federation; the services look at the organization's kind.
    "campaignCreate": RAISE_MONEY,
    "campaignUpdate": RAISE_MONEY,
    "campaignOpen": RAISE_MONEY,
    "campaignClose": RAISE_MONEY,
    "matchingFundCreate": RAISE_MONEY,
    "donationRecord": RAISE_MONEY,
    "donationAssign": RAISE_MONEY,
    "donationRefund": RAISE_MONEY,
    "needCreate": FIELD_OFFICERS | {Role.ASSISTANCE_OFFICER},
    "needRefer": frozenset({Role.ASSISTANCE_OFFICER}),
    "needReview": frozenset({Role.CHARITY_OFFICER}),
    "needPledge": PROVIDERS,
    "referralSend": frozenset({Role.ASSISTANCE_OFFICER}),
    "referralDraftDiscard": frozenset({Role.ASSISTANCE_OFFICER}),
    "scheduleSet": COUNTY_OFFICERS | {Role.ADMIN},
    "reviewPolicySet": frozenset({Role.ADMIN}),
    "consentTextPublish": frozenset({Role.ADMIN}),
    "consentTextEnd": frozenset({Role.ADMIN}),
    # Whoever is in hardship comes forward without an account.
    "applicationSubmit": EVERYONE - SUPERVISION,
    "applicationCodeRequest": EVERYONE - SUPERVISION,
    "applicationStatus": EVERYONE - SUPERVISION,
    "applicationRegister": frozenset({Role.TOWNSHIP_OFFICER, Role.ASSISTANCE_OFFICER}),
    "applicationReject": frozenset({Role.TOWNSHIP_OFFICER, Role.ASSISTANCE_OFFICER}),
    "householdRegister": FIELD_OFFICERS | {Role.ASSISTANCE_OFFICER},
    "householdMove": frozenset({Role.TOWNSHIP_OFFICER, Role.ASSISTANCE_OFFICER}),
    "householdMerge": frozenset({Role.TOWNSHIP_OFFICER, Role.ASSISTANCE_OFFICER}),
    "householdSplit": frozenset({Role.TOWNSHIP_OFFICER, Role.ASSISTANCE_OFFICER}),
    "householdDuplicateDismiss": frozenset({Role.TOWNSHIP_OFFICER, Role.ASSISTANCE_OFFICER}),
    "householdTell": WHO_VISIT,
    "memberAdd": WHO_VISIT,
    "memberBorn": WHO_VISIT,
    "memberDeceased": WHO_VISIT,
    "memberRemove": WHO_VISIT,
    "householdAssess": frozenset({Role.TOWNSHIP_OFFICER, Role.ASSISTANCE_OFFICER}),
    "assessmentOverrideApprove": frozenset({Role.TOWNSHIP_OFFICER, Role.ASSISTANCE_OFFICER}),
    "assessmentOverrideReject": frozenset({Role.TOWNSHIP_OFFICER, Role.ASSISTANCE_OFFICER}),
    "assistanceLinesSet": frozenset({Role.ASSISTANCE_OFFICER, Role.ADMIN}),
    # By the household itself, or for it with evidence.
    "appealFile": frozenset({Role.APPLICANT, Role.GRID_WORKER, Role.TOWNSHIP_OFFICER}),
    "appealDecide": frozenset({Role.ASSISTANCE_OFFICER}),
    "governmentAidDecide": frozenset({Role.ASSISTANCE_OFFICER}),
    "governmentAidEnd": frozenset({Role.ASSISTANCE_OFFICER}),
    "consentGive": frozenset(
        {Role.APPLICANT, Role.GRID_WORKER, Role.TOWNSHIP_OFFICER, Role.ASSISTANCE_OFFICER}
    ),
    "consentWithdraw": frozenset(
        {Role.APPLICANT, Role.GRID_WORKER, Role.TOWNSHIP_OFFICER, Role.ASSISTANCE_OFFICER}
    ),
    "planCreate": frozenset({Role.CHARITY_OFFICER}),
    "planSimulate": frozenset({Role.CHARITY_OFFICER}),
    "planCancel": frozenset({Role.CHARITY_OFFICER}),
    "planEdit": frozenset({Role.CHARITY_OFFICER}),
    "planApprove": frozenset({Role.CHARITY_OFFICER}),
    "planDiscard": frozenset({Role.CHARITY_OFFICER}),
    "allocationAccept": PROVIDERS,
    "allocationDecline": PROVIDERS,
    "allocationCancel": frozenset({Role.CHARITY_OFFICER}),
    "allocationDispatch": PROVIDERS,
    # The grid worker of the cell, or the provider where it brings it itself.
    "deliveryCheckIn": PROVIDERS | {Role.GRID_WORKER},
    "allocationConfirm": frozenset({Role.APPLICANT, Role.GRID_WORKER, Role.TOWNSHIP_OFFICER}),
    "allocationDispute": frozenset({Role.APPLICANT, Role.GRID_WORKER, Role.TOWNSHIP_OFFICER}),
    "allocationSettle": frozenset({Role.CHARITY_OFFICER}),
    # The assistance desk for households, the charity desk for providers.
    "integrityCaseOpen": COUNTY_OFFICERS,
    "integrityCaseFind": COUNTY_OFFICERS,
    "integrityCaseRestrict": COUNTY_OFFICERS,
    "integrityCaseRecover": COUNTY_OFFICERS,
    "integrityCaseAppeal": PROVIDERS | {Role.APPLICANT},
    "integrityCaseDecideAppeal": COUNTY_OFFICERS,
    "integrityCaseClose": COUNTY_OFFICERS,
    "integrityCaseDismiss": COUNTY_OFFICERS,
    # Recorded acts, too: what people typed may name people.
    "integrityCaseTexts": COUNTY_OFFICERS | SUPERVISION | PROVIDERS | {Role.APPLICANT},
    "visitNote": FIELD_OFFICERS | SUPERVISION | {Role.ASSISTANCE_OFFICER},
    "resultAcknowledge": COUNTY_OFFICERS | {Role.TOWNSHIP_OFFICER},
    "resultRate": PROVIDERS | COUNTY_OFFICERS | {Role.TOWNSHIP_OFFICER},
    "helpedListReport": frozenset({Role.FEDERATION}),
    "helpedListReceive": frozenset({Role.CHARITY_OFFICER}),
    "feedbackCodeRequest": EVERYONE - SUPERVISION,
    "feedbackSubmitByCode": EVERYONE - SUPERVISION,
    "feedbackStatus": EVERYONE - SUPERVISION,
    "feedbackSubmit": GIVE_FEEDBACK,
    "feedbackAnswer": COUNTY_OFFICERS | {Role.TOWNSHIP_OFFICER},
    "feedbackForward": COUNTY_OFFICERS | {Role.TOWNSHIP_OFFICER},
    "feedbackReopen": GIVE_FEEDBACK,
    "feedbackClose": GIVE_FEEDBACK,
    # A recorded act, too: what people wrote may name people.
    "feedbackText": GIVE_FEEDBACK | COUNTY_OFFICERS | SUPERVISION,
    "visitCheckIn": FIELD_OFFICERS,
    "monitoringCheckRecord": frozenset(
        {Role.GRID_WORKER, Role.TOWNSHIP_OFFICER, Role.ASSISTANCE_OFFICER}
    ),
    "notificationMarkRead": EVERYONE - {Role.PUBLIC, Role.AUDITOR},
    "webhookCreate": WEBHOOK_OWNERS,
    "webhookUpdate": WEBHOOK_OWNERS,
    "webhookRotateSecret": WEBHOOK_OWNERS,
    "webhookDisable": WEBHOOK_OWNERS,
    "webhookEnable": WEBHOOK_OWNERS,
    "webhookDeliveryRetry": WEBHOOK_OWNERS,
    "outgoingMessageRetry": frozenset({Role.ADMIN}),
    # As personalData, of what the provider brings to the door itself, while that is open.
    "recipientContact": PROVIDERS,
    "applicationDetails": FIELD_OFFICERS | SUPERVISION | {Role.ASSISTANCE_OFFICER},
    "householdFind": FIELD_OFFICERS | SUPERVISION | {Role.ASSISTANCE_OFFICER},
    # Not a list field but a recorded act, so it stands here with the writes.
    "personalData": frozenset(
        {
            Role.APPLICANT,
            Role.GRID_WORKER,
            Role.SOCIAL_WORKER,
            Role.TOWNSHIP_OFFICER,
            Role.ASSISTANCE_OFFICER,
            Role.AUDITOR,
        }
    ),
}

# What services do that no mutation reaches yet: it is done by file, command line or other code.
COMMANDS: Mapping[str, frozenset[Role]] = {
    "organizationRegister": frozenset({Role.CHARITY_OFFICER, Role.ADMIN}),
    "accountCreate": frozenset({Role.ADMIN}),
    "accountDisable": frozenset({Role.ADMIN}),
    "keyIssue": frozenset({Role.ADMIN}),
    "keyRevoke": frozenset({Role.ADMIN}),
}

# Questions whose answer is worked out, not read; they change nothing.
QUESTIONS: Mapping[str, frozenset[Role]] = {
    "offerImpact": PROVIDERS | COUNTY_OFFICERS,
    "applicationLink": FIELD_OFFICERS | {Role.ASSISTANCE_OFFICER, Role.ADMIN},
    "needsMeetable": PROVIDERS | COUNTY_OFFICERS,
    "shortages": PROVIDERS | OFFICERS | SUPERVISION,
    "ratingSummary": PROVIDERS | COUNTY_OFFICERS | {Role.TOWNSHIP_OFFICER} | SUPERVISION,
    "federationList": frozenset({Role.FEDERATION, Role.CHARITY_OFFICER, Role.AUDITOR}),
    "deliveryRoutes": PROVIDERS | OFFICERS | SUPERVISION,
}


def require(viewer: Viewer, action: str) -> None:
    """Let the viewer pass, or raise Unauthenticated or Forbidden; the unlisted is forbidden."""
    if any(viewer.role in matrix.get(action, ()) for matrix in (MUTATIONS, COMMANDS, QUESTIONS)):
        return
    raise Unauthenticated if viewer.role is Role.PUBLIC else Forbidden


def may_touch(viewer: Viewer, move: str, organization_id: int) -> bool:
    """Whether a viewer may make a move on something of an organization.

    Providers touch what is their own organization's; others what the matrix lets them at all.
    """
    if viewer.role not in MUTATIONS.get(move, ()):
        return False
    return viewer.role not in PROVIDERS or viewer.organization_id == organization_id
