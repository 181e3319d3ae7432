"""What each move is asked with, over HTTP, and as whom."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from marketplace.domain.permissions import PROVIDERS, Role
from marketplace.persistence.tables import accounts
from tests.fixtures.asked import Asked
from tests.fixtures.delivering import AT_THE_DOOR
from tests.lifecycles import cases, entities
from tests.lifecycles.entities import ACTORS, Ground, Made, Make

MAKE: Mapping[str, Make] = {
    "Need": entities.need,
    "Consent": entities.consent,
    "Organization": entities.organization,
    "Offer": entities.offer,
    "Campaign": entities.campaign,
    "Donation": entities.donation,
    "Plan": entities.plan,
    "Allocation": cases.allocation,
    "ResultCopy": cases.result_copy,
    "CaseOfHousehold": cases.case_of_household,
    "CaseOfProvider": cases.case_of_provider,
    "Application": entities.application,
    "AssessmentOverride": entities.override,
    "Appeal": entities.appeal,
    "Feedback": cases.feedback,
}

REASON = {"reason": "Said at the desk"}

# Beside the id of what is moved.
ASKED: Mapping[str, Callable[[Made], dict[str, Any]]] = {
    "needRefer": lambda made: {"needIds": [made.id]},
    "needReview": lambda made: {"id": made.id, "decision": "APPROVE"},
    "needPledge": lambda made: {
        "offerId": made.more["offer"],
        "publishedNeedId": made.more["copy"],
        "units": "5",
    },
    "organizationReject": lambda made: {"id": made.id} | REASON,
    "organizationSuspend": lambda made: {"id": made.id} | REASON,
    "offerUpdate": lambda made: {"id": made.id, "expectedVersion": 0, "title": "Rice"},
    "campaignUpdate": lambda made: {"id": made.id, "expectedVersion": 0, "title": "暖床前"},
    "matchingFundCreate": lambda made: {
        "campaignId": made.id,
        "funderName": "企业",
        "percent": 100,
        "capFen": "1000",
    },
    "donationAssign": lambda made: {
        "id": made.id,
        "campaignId": made.more.get("campaign", "Q2FtcGFpZ246MQ"),
    },
    "donationRefund": lambda made: {"id": made.id} | REASON,
    "planEdit": lambda made: {
        "planId": made.id,
        "edits": [{"kind": "FORBID", "lineId": made.more["line"]} | REASON],
    },
    "allocationAccept": lambda made: {"lines": [{"id": made.id}]},
    "allocationDecline": lambda made: {"lines": [{"id": made.id}], "reason": "OTHER"},
    "allocationDispatch": lambda made: {"lines": [{"id": made.id}]},
    "deliveryCheckIn": lambda made: {"id": made.id, "unitsHandedOver": "2"} | AT_THE_DOOR,
    "allocationDispute": lambda made: {"id": made.id, "reason": "DEFECTIVE"},
    "allocationSettle": lambda made: {
        "id": made.id,
        "settlement": "CONFIRMED",
        "note": "Counted.",
        "unitsReceived": "2",
    },
    "resultAcknowledge": lambda made: {"resultIds": [made.more["result"]]},
    "integrityCaseFind": lambda made: {"id": made.id, "finding": "It is true"},
    "integrityCaseRestrict": lambda made: {
        "id": made.id,
        "scope": made.more["scope"],
        "endsOn": made.more["until"],
        "grounds": "Two people found so",
    },
    "integrityCaseRecover": lambda made: {"id": made.id, "orderedFen": "0"},
    "integrityCaseAppeal": lambda made: {"id": made.id, "appeal": "It is not true"},
    "integrityCaseDecideAppeal": lambda made: {"id": made.id, "outcome": "REFUSED"} | REASON,
    "integrityCaseClose": lambda made: {"id": made.id} | REASON,
    "integrityCaseDismiss": lambda made: {"id": made.id} | REASON,
    "applicationReject": lambda made: {"id": made.id, "why": "OTHER"} | REASON,
    "assessmentOverrideReject": lambda made: {"id": made.id} | REASON,
    "appealDecide": lambda made: {"id": made.id, "decision": "DISMISS"} | REASON,
    "feedbackAnswer": lambda made: {"id": made.id, "text": "It is on its way"},
    "feedbackForward": lambda made: {"id": made.id, "desk": made.more["other"]},
    "feedbackReopen": lambda made: {"id": made.id, "text": "It never came"},
}


@dataclass(frozen=True, slots=True)
class Tried:
    """How one move ended: its codes (none: it was made) and what was said first."""

    codes: tuple[str, ...]
    message: str


@dataclass(frozen=True, slots=True)
class Trying:
    """Asks for moves as one of each role."""

    asked: Asked
    on: Ground

    async def make(self, entity: str, state: str, move: str, role: Role) -> Made:
        return await MAKE[entity](self.on, state, move, role)

    async def tried_by(self, role: Role, moves: Sequence[tuple[str, Made]]) -> list[Tried]:
        """As `tried`, by the household, or the provider, whose these entities are."""
        await self._stand_for(role, moves[0][1])
        return self.tried(role, moves)

    def tried(self, role: Role, moves: Sequence[tuple[str, Made]]) -> list[Tried]:
        """Moves of one household's or organization's entities, as aliases of one document."""
        kinds = [move[0].upper() + move[1:] for move, _ in moves]
        heads = ", ".join(f"$i{n}: {kind}Input!" for n, kind in enumerate(kinds))
        said = "userErrors { code message }"
        fields = " ".join(
            f"a{n}: {move}(input: $i{n}) {{ {said} }}" for n, (move, _) in enumerate(moves)
        )
        given = {f"i{n}": _input(move, made) for n, (move, made) in enumerate(moves)}
        answer = self.asked.ask(ACTORS[role], f"mutation ({heads}) {{ {fields} }}", given)
        if "errors" in answer:
            # It is the end of the whole document, so it is asked for alone.
            (error,) = answer["errors"]
            assert len(moves) == 1, (moves, error)
            return [Tried((error["extensions"]["code"],), error["message"])]
        errors = [payload["userErrors"] for payload in answer["data"].values()]
        return [
            Tried(tuple(e["code"] for e in each), each[0]["message"] if each else "")
            for each in errors
        ]

    async def _stand_for(self, role: Role, made: Made) -> None:
        """Let the household, or the provider, of this entity be the one who asks."""
        who = ACTORS[role]
        if role is Role.APPLICANT:
            changed = {"household_id": made.household}
        elif role in PROVIDERS:
            changed = {"organization_id": made.organization}
        else:
            return
        assert who is not None
        await self.on.change(accounts, self.on.account(who), **changed)


def _input(move: str, made: Made) -> dict[str, Any]:
    asked = ASKED.get(move)
    return {"id": made.id} if asked is None else asked(made)
