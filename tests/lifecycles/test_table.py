"""The table of lifecycles and the code say the same: no state, move or role on one side only."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from enum import StrEnum

import pytest

import marketplace.domain
from marketplace.domain.moves import Move
from marketplace.domain.permissions import MUTATIONS, Role
from tests.lifecycles.table import TABLE, arrows_of_moves

# The entities whose states each enumeration of the code holds.
STATUS_OF = {
    "AllocationStatus": ("Allocation",),
    "AgreementStatus": ("Agreement",),
    "AppealStatus": ("Appeal",),
    "ApplicationStatus": ("Application",),
    "CampaignStatus": ("Campaign",),
    "CaseStatus": ("CaseOfHousehold", "CaseOfProvider"),
    "ConsentStatus": ("Consent",),
    "DonationStatus": ("Donation",),
    "DraftStatus": ("ReferralDraft",),
    "DuplicateStatus": ("Duplicate",),
    "FeedbackStatus": ("Feedback",),
    "HelpedListStatus": ("HelpedList",),
    "HouseholdStatus": ("Household",),
    "JobStatus": ("Job",),
    "MessageStatus": ("Message",),
    "NeedStatus": ("Need",),
    "OfferDraftStatus": ("OfferDraft",),
    "OfferStatus": ("Offer",),
    "OrganizationStatus": ("Organization",),
    "OverrideStatus": ("AssessmentOverride",),
    "PlanLineStatus": ("PlanLine",),
    "PlanStatus": ("Plan",),
    "ResultStatus": ("ResultCopy", "Result"),
    "WebhookDeliveryStatus": ("WebhookDelivery",),
    "WebhookStatus": ("Webhook",),
}


def modules() -> Iterator[object]:
    for found in pkgutil.walk_packages(marketplace.domain.__path__, "marketplace.domain."):
        yield importlib.import_module(found.name)


def statuses() -> dict[str, frozenset[str]]:
    """Every enumeration of states in the domain, by name."""
    return {
        name: frozenset(str(word) for word in each)
        for module in modules()
        for name, each in vars(module).items()
        if isinstance(each, type) and issubclass(each, StrEnum) and name.endswith("Status")
    }


def moves_in_code() -> dict[str, tuple[frozenset[str], str | None]]:
    """Every mutation that some lifecycle of the domain declares: from where, and whereto."""
    found: dict[str, tuple[frozenset[str], str | None]] = {}
    for module in modules():
        for name, declared in vars(module).items():
            if not name.endswith("MOVES") or not isinstance(declared, Mapping):
                continue
            for move, way in declared.items():
                after = way.after if isinstance(way, Move) else None
                before = way.before if isinstance(way, Move) else way
                found[move] = (frozenset(map(str, before)), None if after is None else str(after))
    return found


def test_every_state_in_the_code_is_in_the_table_and_the_reverse() -> None:
    code = statuses()

    assert code.keys() == STATUS_OF.keys()
    assert {each for names in STATUS_OF.values() for each in names} == TABLE.keys()
    for name, entities in STATUS_OF.items():
        for entity in entities:
            assert TABLE[entity].states == code[name], entity


def test_every_move_in_the_code_leads_where_the_table_says() -> None:
    told = {arrow.move: arrow for _, arrow in arrows_of_moves()}
    code = moves_in_code()

    # These look at more than a state, and so say what they need themselves.
    assert told.keys() - code.keys() == {"consentWithdraw", "offerApprove", "needPledge"}
    assert code.keys() <= told.keys()
    for move, (before, after) in code.items():
        assert before == told[move].before, move
        assert after is None or after in told[move].after, move


@pytest.mark.parametrize("move", sorted({arrow.move for _, arrow in arrows_of_moves()}))
def test_the_matrix_lets_exactly_those_ask_whom_the_table_names(move: str) -> None:
    told = frozenset[Role]().union(*(a.roles for _, a in arrows_of_moves() if a.move == move))

    assert MUTATIONS[move] == told


def test_states_that_nothing_leads_to_or_out_of_are_beginnings_and_ends() -> None:
    for entity, lifecycle in TABLE.items():
        every = (*lifecycle.arrows, *lifecycle.by_itself)
        reached = lifecycle.begins.union(*(arrow.after for arrow in every))
        assert lifecycle.states == reached | lifecycle.begins, entity
