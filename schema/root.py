"""The schema: the wings' root fields put together under Query, Mutation and Subscription."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from functools import cache

import strawberry
from graphql import GraphQLSchema, get_named_type
from strawberry.schema.config import StrawberryConfig

from marketplace.settings import Settings
from schema.engine import Schema
from schema.exchange.aid_conflicts import AidConflictQuery
from schema.exchange.allocations import AllocationQuery
from schema.exchange.allocations_writes import AllocationMutations
from schema.exchange.campaigns import CampaignQuery
from schema.exchange.campaigns_writes import CampaignMutations
from schema.exchange.consents_texts import ConsentTextMutations, ConsentTextQuery
from schema.exchange.consents_writes import ConsentMutations
from schema.exchange.deliveries import DeliveryQuery
from schema.exchange.deliveries_writes import DeliveryMutations
from schema.exchange.delivery_routes import DeliveryRouteQuery
from schema.exchange.donations import DonationQuery
from schema.exchange.donations_writes import DonationMutations
from schema.exchange.feed import FeedSubscriptions
from schema.exchange.feedback import FeedbackQuery
from schema.exchange.feedback_by_code import FeedbackByCodeMutations, FeedbackByCodeQuery
from schema.exchange.feedback_writes import FeedbackMutations
from schema.exchange.government_aid import GovernmentAidQuery
from schema.exchange.government_aid_writes import GovernmentAidMutations
from schema.exchange.helped_lists import HelpedListQuery
from schema.exchange.helped_lists_writes import HelpedListMutations
from schema.exchange.household_changes_writes import HouseholdChangeMutations
from schema.exchange.household_members_writes import HouseholdMemberMutations
from schema.exchange.meeting import MeetingQuery
from schema.exchange.needs import NeedQuery
from schema.exchange.needs_writes import NeedMutations
from schema.exchange.offer_drafts import OfferDraftQuery
from schema.exchange.offer_drafts_writes import OfferDraftMutations
from schema.exchange.offer_impact import OfferImpactQuery
from schema.exchange.offers import OfferQuery
from schema.exchange.offers_writes import OfferMutations
from schema.exchange.plans import PlanQuery
from schema.exchange.plans_edits import PlanEditMutations
from schema.exchange.plans_progress import PlanSubscriptions
from schema.exchange.plans_simulate import SimulationMutations
from schema.exchange.plans_writes import PlanMutations
from schema.exchange.pledges import PledgeMutations
from schema.exchange.published_needs import PublishedNeedQuery
from schema.exchange.ratings import RatingQuery
from schema.exchange.referrals import ReferralQuery
from schema.exchange.referrals_calendar import ReferralCalendarMutations, ReferralCalendarQuery
from schema.exchange.referrals_writes import ReferralMutations
from schema.exchange.results import ResultQuery
from schema.exchange.results_writes import ResultMutations
from schema.exchange.review_policies import ReviewPolicyMutations, ReviewPolicyQuery
from schema.exchange.schedules import ScheduleMutations, ScheduleQuery
from schema.exchange.shortages import ShortageQuery
from schema.fieldwork.visits import FieldworkQuery
from schema.fieldwork.visits_writes import FieldworkMutations
from schema.limits import Checks, Gate
from schema.notifications import NotificationMutations, NotificationQuery
from schema.outgoing import OutgoingMutations, OutgoingQuery
from schema.oversight.integrity import IntegrityQuery
from schema.oversight.integrity_outcomes import IntegrityOutcomeMutations
from schema.oversight.integrity_writes import IntegrityCaseMutations
from schema.oversight.statistics import StatisticsQuery
from schema.oversight.texts import SealedTextQuery
from schema.readgraph.install import install
from schema.readgraph.nodes import NodeQuery
from schema.registry.appeals import AppealQuery
from schema.registry.appeals_writes import AppealMutations
from schema.registry.applications import ApplicationQuery
from schema.registry.applications_writes import ApplicationMutations
from schema.registry.apply_links import ApplicationLinkQuery
from schema.registry.assessments import AssessmentQuery
from schema.registry.assessments_writes import AssessmentMutations
from schema.registry.categories import CategoryQuery
from schema.registry.entitled import EntitledQuery
from schema.registry.finding import HouseholdFindQuery
from schema.registry.following import ApplicationFollowMutations, ApplicationFollowQuery
from schema.registry.household_records import HouseholdRecordQuery
from schema.registry.households import HouseholdQuery
from schema.registry.households_writes import HouseholdMutations
from schema.registry.lines import AssistanceLinesMutations, AssistanceLinesQuery
from schema.registry.organizations import OrganizationQuery
from schema.registry.organizations_writes import OrganizationContactQuery, OrganizationMutations
from schema.registry.personal_data import PersonalDataQuery
from schema.registry.reassessments import ReassessmentQuery
from schema.registry.regions import RegionQuery
from schema.results_print import ResultsPrintQuery
from schema.scalars import SCALARS
from schema.viewer import ViewerQuery
from schema.webhooks import WebhookQuery
from schema.webhooks_writes import WebhookMutations

# A wing adds the class that holds its root fields here, and nowhere else.
QUERIES: list[type] = [
    ViewerQuery,
    NodeQuery,
    RegionQuery,
    CategoryQuery,
    OrganizationQuery,
    OrganizationContactQuery,
    HouseholdQuery,
    AssessmentQuery,
    ReassessmentQuery,
    AppealQuery,
    AssistanceLinesQuery,
    ApplicationQuery,
    HouseholdRecordQuery,
    HouseholdFindQuery,
    ApplicationFollowQuery,
    ApplicationLinkQuery,
    EntitledQuery,
    PersonalDataQuery,
    GovernmentAidQuery,
    AidConflictQuery,
    NeedQuery,
    PublishedNeedQuery,
    OfferQuery,
    OfferDraftQuery,
    OfferImpactQuery,
    CampaignQuery,
    DonationQuery,
    MeetingQuery,
    PlanQuery,
    ShortageQuery,
    AllocationQuery,
    DeliveryQuery,
    DeliveryRouteQuery,
    ReferralQuery,
    ReferralCalendarQuery,
    ReviewPolicyQuery,
    ScheduleQuery,
    ConsentTextQuery,
    FieldworkQuery,
    IntegrityQuery,
    StatisticsQuery,
    SealedTextQuery,
    NotificationQuery,
    WebhookQuery,
    OutgoingQuery,
    ResultQuery,
    RatingQuery,
    FeedbackQuery,
    FeedbackByCodeQuery,
    HelpedListQuery,
    ResultsPrintQuery,
]
MUTATIONS: list[type] = [
    NotificationMutations,
    WebhookMutations,
    OutgoingMutations,
    ApplicationMutations,
    ApplicationFollowMutations,
    HouseholdMutations,
    HouseholdChangeMutations,
    HouseholdMemberMutations,
    AssessmentMutations,
    AppealMutations,
    AssistanceLinesMutations,
    OrganizationMutations,
    OfferMutations,
    OfferDraftMutations,
    CampaignMutations,
    DonationMutations,
    NeedMutations,
    GovernmentAidMutations,
    ConsentMutations,
    ReferralMutations,
    PlanMutations,
    AllocationMutations,
    DeliveryMutations,
    PlanEditMutations,
    ReferralCalendarMutations,
    ReviewPolicyMutations,
    ScheduleMutations,
    ConsentTextMutations,
    PledgeMutations,
    SimulationMutations,
    FieldworkMutations,
    IntegrityCaseMutations,
    IntegrityOutcomeMutations,
    ResultMutations,
    FeedbackMutations,
    FeedbackByCodeMutations,
    HelpedListMutations,
]
SUBSCRIPTIONS: list[type] = [PlanSubscriptions, FeedSubscriptions]


def build_schema(settings: Settings) -> Schema:
    """The schema that a server of these settings answers with."""
    gate = Gate(settings)
    roots = (tuple(QUERIES), tuple(MUTATIONS), tuple(SUBSCRIPTIONS))
    schema = copy(_graph(*roots, is_production=settings.profile == "production"))
    schema.extensions = (lambda: Checks(gate),)
    gate.schema = schema._schema
    return schema


@cache
def _graph(
    queries: tuple[type, ...],
    mutations: tuple[type, ...],
    subscriptions: tuple[type, ...],
    *,
    is_production: bool,
) -> Schema:
    """The types and what resolves them, which no other setting changes: built once a process."""
    schema = Schema(
        query=_root("Query", "Everything that can be asked.", queries) or ViewerQuery,
        mutation=_root("Mutation", "Everything that can be done.", mutations),
        subscription=_root("Subscription", "Everything that can be followed.", subscriptions),
        config=StrawberryConfig(
            disable_field_suggestions=is_production,
            relay_max_results=100,
            scalar_map=SCALARS,
        ),
    )
    install(schema)
    _describe_inputs(schema._schema)
    return schema


def _describe_inputs(graph: GraphQLSchema) -> None:
    """A mutation's one argument says what its type says, so that nobody writes it twice."""
    mutations = graph.mutation_type.fields.values() if graph.mutation_type else ()
    for mutation in mutations:
        for argument in mutation.args.values():
            argument.description = argument.description or get_named_type(argument.type).description


def sdl() -> str:
    """The graph in the schema definition language, as `schema.graphql` has it."""
    return build_schema(Settings()).as_str().rstrip() + "\n"


def _root(name: str, description: str, parts: Sequence[type]) -> type | None:
    if not parts:
        return None
    return strawberry.type(type(name, tuple(parts), {}), name=name, description=description)
