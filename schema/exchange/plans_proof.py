"""What a plan says of itself: its policy, how good it is proven to be, and what it left aside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import strawberry

from marketplace.domain.errors import Text
from marketplace.domain.exchange.plans import LeftAsideReason as LeftAsideReason
from marketplace.domain.exchange.plans import PolicyOrder
from schema.context import Context
from schema.enums import described
from schema.exchange.plans_ruled import PlanRuledPart, ruled_parts_of
from schema.scalars import BigInt

# Said beside what took no part: the plan's proof counts these in.
TOOK_PART = frozenset(
    {
        LeftAsideReason.PACKS_MIXED,
        LeftAsideReason.CASH_REMAINDER,
        LeftAsideReason.HOUSEHOLD_MAX,
    }
)

described(
    PolicyOrder,
    "Which units come first.",
    {
        PolicyOrder.FLOOR: "保底优先: a floor share of every need, then the rest by severity.",
        PolicyOrder.LEXIMIN: "最不利者优先: always whoever has the smallest share so far.",
        PolicyOrder.SEVERITY: "困难程度优先: strictly by severity.",
        PolicyOrder.WEIGHTED: "加权: by severity, each further part of a need counting less.",
    },
)
described(
    LeftAsideReason,
    "Why a need or an offer, or a part of it, took no part in a plan, although in the market.",
    {
        LeftAsideReason.QUANTITY_MIN: "The need can get nothing, or less than is of use to it.",
        LeftAsideReason.DELIVERY_MIN: "The offer's smallest delivery fits no need, or not some.",
        LeftAsideReason.DELIVERIES_MAX: "The offer's deliveries are used up.",
        LeftAsideReason.PACKS_MIXED: "Its packs compete with others for the same needs. Each need "
        "is planned in packs of one size first; the offer gives what those leave open.",
        LeftAsideReason.LESS_THAN_ONE_PACK: "The need is smaller than the only packs there are.",
        LeftAsideReason.LESS_THAN_ONE_UNIT: "Too little of the offer is left to serve anyone.",
        LeftAsideReason.CASH_REMAINDER: "What stays of the cash, told in `units`, is less than the "
        "price of anything it may buy that is still open. The rest of the offer takes part.",
        LeftAsideReason.SEVERAL_PRICES: "In earlier plans: the cash might buy at several prices.",
        LeftAsideReason.HOUSEHOLD_MAX: "A household that has part of the offer already gets more "
        "of it for its gravest need only, as the offer also limits deliveries, or draws "
        "differently for different needs.",
    },
)


@strawberry.type(description="The order of precedence that a plan was made by.")
class PlanPolicy:
    order: PolicyOrder = strawberry.field(description="Which units come first.")
    floor_share_percent: int | None = strawberry.field(
        description="With order FLOOR: the share of each need that comes first."
    )


@strawberry.type(description="All units of one precedence, and how many of them are served.")
class PlanLevel:
    position: int = strawberry.field(description="0 is the highest precedence.")
    key: list[str] = strawberry.field(
        description="The exact precedence; compared number by number, smaller comes first."
    )
    units_asked: BigInt = strawberry.field(description="Units that need this level's help.")
    units_served: BigInt = strawberry.field(description="Units that the plan serves.")
    units_bound: BigInt = strawberry.field(
        description="What no plan can exceed that serves the levels before as well as this one."
    )


@strawberry.type(description="How long one phase of a plan's computation took.")
class PlanPhase:
    name: str = strawberry.field(description="What was done.")
    seconds: float = strawberry.field(description="How long it took, in seconds.")


@strawberry.type(description="How good a plan is, and how that is known.")
class PlanProof:
    optimal: bool = strawberry.field(
        description="Whether no better plan exists for what took part, and it is proven. What took "
        "no part is in `leftAside` of the plan."
    )
    sentence: str = strawberry.field(description="The proof in one sentence, for people.")
    gap: float = strawberry.field(
        description="How far the plan is from the proven bound, as a share; 0 is optimal."
    )
    cost: BigInt = strawberry.field(description="Metres times units; least among equals.")
    levels: list[PlanLevel] = strawberry.field(
        description="Objective and bound by level of precedence, the highest first."
    )
    edits: int = strawberry.field(
        description="What people settled beforehand; the proof is of the plan given these."
    )
    rounds: int = strawberry.field(
        description="1; more where goods come in packs of several sizes, and what one size leaves "
        "open is planned with the others. Each round is proven by itself, not the choice of sizes."
    )
    components: int = strawberry.field(description="Independent parts that were solved.")
    components_ruled: int = strawberry.field(
        description="Of them, those with rules that are no plain quantities: solved in bands of "
        "the policy's levels, units weighed by their reference value."
    )
    components_proven: int = strawberry.field(
        description="Parts that are proven: by a certificate that was checked apart from the "
        "solver, and those with rules by the solver's own bound."
    )
    ruled_parts: list[PlanRuledPart] = strawberry.field(
        description="The parts with rules one by one, the least proven first; at most 20."
    )
    problem_digest: str = strawberry.field(description="SHA-256 of the problem that was solved.")
    solvers: list[str] = strawberry.field(description="What solved it, with versions.")
    phases: list[PlanPhase] = strawberry.field(description="Where the time went.")


@strawberry.type(description="Needs or offers that took no part in a plan, for one reason.")
class PlanLeftAside:
    of: str = strawberry.field(description="NEED or OFFER.")
    reason: LeftAsideReason = strawberry.field(description="Why.")
    count: int = strawberry.field(description="How many.")
    references: list[str] = strawberry.field(description="The first of them, at most 20.")
    units: BigInt | None = strawberry.field(
        description="How much of them in all, in their own unit, where the rest took part."
    )


def policy_of(stored: Mapping[str, object]) -> PlanPolicy:
    """The policy as it was stored with the plan."""
    order = PolicyOrder(str(stored["order"]))
    share = _whole(stored.get("floorSharePercent", 0))
    return PlanPolicy(
        order=order, floor_share_percent=share if order is PolicyOrder.FLOOR else None
    )


def proof_of(
    context: Context,
    stored: Mapping[str, object] | None,
    left_aside: Sequence[Mapping[str, object]] | None,
) -> PlanProof | None:
    """The proof as it was stored, with a sentence in the viewer's language.

    The certificate is of the problem that was solved; what was left aside is no part of it, and
    the sentence says so.
    """
    if stored is None:
        return None
    aside = sum(_whole(row["count"]) for row in left_aside or () if row["reason"] not in TOOK_PART)
    certificate = _mapping(stored, "certificate")
    levels, rounds = _levels(stored), len(_list(stored, "rounds")) or 1
    ruled = _whole(stored.get("components_ruled", 0))
    edits = _whole(stored.get("edits", 0))
    optimal = stored.get("status") == "optimal" and certificate.get("optimal") is True
    verdict = _optimal(len(levels)) if optimal else _feasible(stored, certificate)
    return PlanProof(
        optimal=optimal,
        sentence=_given(edits, _sentence(verdict, aside, rounds, ruled)).said_in(context.language),
        gap=_gap(stored),
        cost=BigInt(_whole(stored.get("cost", 0))),
        levels=levels,
        edits=edits,
        rounds=rounds,
        components=_whole(stored.get("components", 0)),
        components_ruled=_whole(stored.get("components_ruled", 0)),
        components_proven=_whole(certificate.get("proven", 0)),
        ruled_parts=ruled_parts_of(stored),
        problem_digest=str(stored.get("problem_digest", "")),
        solvers=[f"{name} {version}" for name, version in _mapping(stored, "solvers").items()],
        phases=[
            PlanPhase(name=name, seconds=float(str(seconds)))
            for name, seconds in _mapping(stored, "phases").items()
        ],
    )


def left_aside_of(stored: Sequence[Mapping[str, object]] | None) -> list[PlanLeftAside]:
    """What took no part, as it was stored; nothing before the plan was computed."""
    return [
        PlanLeftAside(
            of=str(row["of"]),
            reason=LeftAsideReason(str(row["reason"])),
            count=_whole(row["count"]),
            references=[str(reference) for reference in _list(row, "references")],
            units=BigInt(_whole(row["units"])) if "units" in row else None,
        )
        for row in stored or ()
    ]


def _levels(stored: Mapping[str, object]) -> list[PlanLevel]:
    columns = ("level_keys", "level_asked", "level_served", "level_bound")
    rows = zip(*(_list(stored, name) for name in columns), strict=True)
    return [
        PlanLevel(
            position=position,
            key=[str(part) for part in key] if isinstance(key, list) else [str(key)],
            units_asked=BigInt(_whole(asked)),
            units_served=BigInt(_whole(served)),
            units_bound=BigInt(_whole(bound)),
        )
        for position, (key, asked, served, bound) in enumerate(rows)
    ]


def _sentence(verdict: Text, aside: int, rounds: int, ruled: int) -> Text:
    said = verdict
    if ruled:
        parts = "part" if ruled == 1 else "parts"
        said = Text(
            f"{said.en} In {ruled} {parts} with rules, such as least useful quantities or cash at "
            "several prices, levels are taken together in bands and weighed by value; what bounds "
            "them is the solver's word.",
            f"{said.zh}其中 {ruled} 个含规则的部分（如最低有用数量、多种价格的资金）"
            "按优先层级分段、以价值加权，其上界由求解器给出。",
        )
    if rounds > 1:
        said = Text(
            f"{said.en} Packs of several sizes were planned in {rounds} rounds; each round is "
            "proven by itself, not the choice of sizes.",
            f"{said.zh}多种包装规格分 {rounds} 轮计算，各轮分别证明，不含规格选择本身。",
        )
    if not aside:
        return said
    return Text(
        f"{said.en} This is so among what took part; {aside} needs or offers were left aside.",
        f"{said.zh}以上结论针对参与计算的需求和供给；另有 {aside} 项未参与计算。",
    )


def _given(edits: int, said: Text) -> Text:
    """What is proven is proven of what people left open."""
    if not edits:
        return said
    many = "edit stands" if edits == 1 else "edits stand"
    return Text(
        f"Given what the charity desk settled ({edits} {many}): {said.en}",
        f"在慈善口已确定的 {edits} 项调整之下：{said.zh}",
    )


def _optimal(levels: int) -> Text:
    return Text(
        f"Proven optimal: at each of {levels} levels of precedence no plan serves more without "
        "serving less at a higher one, and none that serves the same costs less.",
        f"已证明最优：在全部 {levels} 个优先层级上，任何方案都无法在不减少更高层级的前提下"
        "满足更多；满足相同数量的方案中，没有成本更低的。",
    )


def _feasible(stored: Mapping[str, object], certificate: Mapping[str, object]) -> Text:
    """How much of it is proven, and how far the rest may be from the best."""
    proven, parts = _whole(certificate.get("proven", 0)), _whole(stored.get("components", 0))
    gap = f"{_gap(stored):.2%}"
    return Text(
        f"Feasible and checked; not proven optimal within the time allowed: {proven} of {parts} "
        f"parts are proven, the rest is within {gap} of what is possible.",
        f"方案可行并已核验；在限定时间内未全部证明最优：{parts} 个部分中已证明 {proven} 个，"
        f"其余与可能的最优值相差不超过 {gap}。",
    )


def _gap(stored: Mapping[str, object]) -> float:
    return float(str(stored.get("gap", 0)))


def _whole(value: object) -> int:
    return int(str(value))


def _mapping(stored: Mapping[str, object], name: str) -> Mapping[str, object]:
    found = stored.get(name)
    return found if isinstance(found, Mapping) else {}


def _list(stored: Mapping[str, object], name: str) -> list[object]:
    found = stored.get(name)
    return found if isinstance(found, list) else []
