"""A plan: one run of the optimizer, from its inputs' hash to its proof and its approval."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from marketplace.domain.errors import Conflict, InvalidInput, Text
from marketplace.domain.permissions import MUTATIONS, Viewer
from marketplace.domain.states import any_in_chinese, in_chinese

FLOOR_SHARE_PERCENT_MAX = 100
WAITING_MAX = 20  # plans of one account that are queued or running at a time


class PlanKind(StrEnum):
    PROPOSAL = "PROPOSAL"
    SIMULATION = "SIMULATION"


class PlanStatus(StrEnum):
    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    PROPOSED = "PROPOSED"
    APPROVED = "APPROVED"
    DISCARDED = "DISCARDED"
    CANCELLED = "CANCELLED"
    FAILED = "FAILED"


UNFINISHED = frozenset({PlanStatus.QUEUED, PlanStatus.RUNNING})


class PlanLineStatus(StrEnum):
    """PROPOSED until the plan is approved; then RESERVED, or LEFT_OUT with a reason."""

    PROPOSED = "PROPOSED"
    RESERVED = "RESERVED"
    LEFT_OUT = "LEFT_OUT"


class LeftOutReason(StrEnum):
    """Why an approval did not reserve a line: what had changed since the plan was made."""

    NEED_NOT_IN_MARKET = "NEED_NOT_IN_MARKET"  # withdrawn, closed, past its deadline, no consent
    NEED_COVERED = "NEED_COVERED"  # less is open than the line would give
    QUANTITY_MIN = "QUANTITY_MIN"  # the need would get less than is of use to it
    OWN_HOUSEHOLD = "OWN_HOUSEHOLD"  # of the approver: a case for a colleague
    OFFER_NOT_IN_MARKET = "OFFER_NOT_IN_MARKET"  # paused, closed, expired, provider suspended
    OFFER_CHANGED = "OFFER_CHANGED"  # its terms are not those that the plan was made by
    OFFER_USED_UP = "OFFER_USED_UP"  # less is left than the line would draw
    HOUSEHOLD_MAX = "HOUSEHOLD_MAX"  # the household would get more than the offer allows
    DELIVERIES_MAX = "DELIVERIES_MAX"  # the offer's deliveries are used up
    DELIVERY_MIN = "DELIVERY_MIN"  # the offer gives at least so much per delivery
    VISITS_MAX = "VISITS_MAX"  # the days that remain of the service do not hold the visits


class LeftAsideReason(StrEnum):
    """Why a need or an offer, or a part of it, took no part in a plan, although in the market."""

    QUANTITY_MIN = "QUANTITY_MIN"  # a need that can get nothing, or less than is of use to it
    DELIVERY_MIN = "DELIVERY_MIN"  # an offer whose smallest delivery fits no need
    DELIVERIES_MAX = "DELIVERIES_MAX"  # an offer whose deliveries are used up
    PACKS_MIXED = "PACKS_MIXED"  # an offer that gives what packs of another size left open
    LESS_THAN_ONE_PACK = "LESS_THAN_ONE_PACK"  # a need smaller than the only packs there are
    LESS_THAN_ONE_UNIT = "LESS_THAN_ONE_UNIT"  # too little is left to serve anyone
    CASH_REMAINDER = "CASH_REMAINDER"  # what stays of cash buys nothing that is still open
    SEVERAL_PRICES = "SEVERAL_PRICES"  # of earlier plans: cash that might buy at several prices
    HOUSEHOLD_MAX = "HOUSEHOLD_MAX"  # an offer that gives more to one need only of who has part


class PolicyOrder(StrEnum):
    """Which units come first; see docs for the exact keys."""

    FLOOR = "FLOOR"
    LEXIMIN = "LEXIMIN"
    SEVERITY = "SEVERITY"
    WEIGHTED = "WEIGHTED"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanPolicy:
    """The order of precedence that a plan is made by.

    floor_share_percent    with FLOOR: the share of every need that comes before the rest, 1..100
    """

    order: PolicyOrder = PolicyOrder.FLOOR
    floor_share_percent: int = 25

    def check(self) -> None:
        """Raise InvalidInput for a share that is none."""
        if not 1 <= self.floor_share_percent <= FLOOR_SHARE_PERCENT_MAX:
            raise InvalidInput.of(
                "floor_share_percent",
                "The floor share is a whole percentage from 1 to 100.",
                "保底比例应为 1 至 100 的整数百分比。",
                code="TOO_SMALL" if self.floor_share_percent < 1 else "TOO_LARGE",
            )

    def to_json(self) -> dict[str, object]:
        return {"order": self.order.value, "floorSharePercent": self.floor_share_percent}


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRules:
    """What the operator allows: may whoever ran a plan approve it, and how long things are held."""

    self_approval: bool = False
    reservation_days: int = 7


# Codes of the job row's `stage`, and what people read.
STAGES: Mapping[str, Text] = {
    "": Text("Waiting for a worker", "等待处理"),
    "STARTING": Text("Starting", "正在启动"),
    "READING": Text("Reading the market", "正在读取供需数据"),
    "PAIRING": Text("Finding who can help whom", "正在筛选可匹配的供需"),
    "SOLVING": Text("Computing the best plan", "正在计算最优方案"),
    "CHECKING": Text("Checking and proving the plan", "正在校验并证明方案"),
    "WRITING": Text("Writing the plan down", "正在保存方案"),
}

# From which states a mutation may move a plan.
MOVES: Mapping[str, frozenset[PlanStatus]] = {
    "planCancel": UNFINISHED,
    "planEdit": frozenset({PlanStatus.PROPOSED}),
    "planApprove": frozenset({PlanStatus.PROPOSED}),
    "planDiscard": frozenset({PlanStatus.PROPOSED}),
}


def check_move(move: str, status: PlanStatus) -> None:
    """Raise Conflict, naming the state, unless the move exists from it."""
    if status not in MOVES[move]:
        allowed = ", ".join(sorted(MOVES[move]))
        raise Conflict.of(
            "id",
            f"The plan is {status}; this is possible only when it is {allowed}.",
            f"该方案当前状态为{in_chinese(status)}，"
            f"仅在状态为{any_in_chinese(MOVES[move])}时可执行此操作。",
        )


def check_approver(
    kind: PlanKind,
    *,
    created_by: int,
    account_id: int | None,
    rules: ApprovalRules,
    edited_by: Collection[int] = (),
) -> None:
    """Raise Conflict for a simulation, and for the second pair of eyes being the first.

    edited_by    accounts whose edits the plan was computed around
    """
    if kind is PlanKind.SIMULATION:
        raise Conflict.of(
            "id",
            "A simulation is never approved. Create a plan of kind PROPOSAL.",
            "模拟方案不能批准，请创建正式方案。",
        )
    if account_id in (created_by, *edited_by) and not rules.self_approval:
        raise Conflict.of(
            "id",
            "Whoever ran or edited a plan may not approve it. Ask a colleague of the charity desk.",
            "方案不得由其创建人或调整人批准，请由慈善口其他同事审批。",
            code="FOUR_EYES",
        )


def allowed_moves(
    viewer: Viewer,
    *,
    status: PlanStatus,
    kind: PlanKind,
    created_by: int,
    rules: ApprovalRules,
    edited_by: Collection[int] = (),
) -> tuple[str, ...]:
    """The mutations that this viewer may ask for now, in the order of the matrix."""
    moves = [
        move
        for move, states in MOVES.items()
        if status in states and viewer.role in MUTATIONS[move]
    ]
    simulated = kind is PlanKind.SIMULATION
    barred = simulated or (
        viewer.account_id in (created_by, *edited_by) and not rules.self_approval
    )
    hidden = {"planApprove": barred, "planEdit": simulated}
    return tuple(move for move in moves if not hidden.get(move, False))
