"""A plan's objective and proof in plain words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from marketplace.domain.errors import Text
from matching import Plan

BANDS = 4


@dataclass(frozen=True, slots=True)
class Step:
    """A run of levels, first to last in the policy's order: units asked and served."""

    text: Text
    asked: int
    served: int

    def to_json(self) -> dict[str, object]:
        return {"step": self.text.en, "asked": self.asked, "served": self.served}


def verdict(plan: Plan) -> Text:
    """One sentence: how good the plan is, and why one may believe it."""
    proof, parts = plan.certificate, len(plan.components)
    ruled = sum(part.kind == "mip" for part in plan.components)
    if plan.status == "optimal" and proof.optimal and ruled:
        return Text(
            f"Proven optimal: no improving cycle in {parts - ruled:,} independent markets; in "
            f"{ruled:,} with rules, solved band by band of the policy's order with units weighed "
            "by value, proven bounds meet what it serves.",
            f"已证明最优：{parts - ruled:,} 个独立市场中不存在可改进的循环；"
            f"{ruled:,} 个含规则的市场按优先次序分段、以价值加权求解，其证明的上界与方案一致。",
        )
    if plan.status == "optimal" and proof.optimal:
        return Text(
            f"Certified optimal: no improving cycle in any of {parts:,} independent markets. No "
            "other plan serves the policy's order better, and none that serves it as well costs "
            "less.",
            f"已证明最优：{parts:,} 个独立市场中均不存在可改进的循环。"
            "没有其他方案能更好地满足优先次序，同等满足程度下也没有成本更低的方案。",
        )
    return Text(
        f"Not proven: time ran out with {proof.proven:,} of {parts:,} independent markets solved. "
        f"The plan is feasible; at most {plan.gap:.2%} of the units could still be gained.",
        f"未证明最优：时限内完成 {proof.proven:,}/{parts:,} 个独立市场。方案可行；"
        f"最多还可提高 {plan.gap:.2%}。",
    )


def steps(plan: Plan) -> tuple[Step, ...]:
    """The levels summed up to a handful of steps that say what comes first."""
    order, floor = plan.policy.order, plan.policy.floor_share
    if order == "floor":
        beyond = [int(key[0] != 0) for key in plan.level_keys]
        texts: tuple[Text, ...] = (
            Text(f"first {floor} of every need", f"每项需求的前 {floor}"),
            Text("what is beyond", "其余部分"),
        )
        return _steps(plan, beyond, texts)
    if order == "leximin":
        ends = [_quarter(-Fraction(key[1])) for key in plan.level_keys]
        texts = tuple(
            Text(f"up to {share} % of every need", f"每项需求的 {share}% 以内")
            for share in (25, 50, 75, 100)
        )
        return _steps(plan, ends, texts)
    severities = [-int(key[0]) for key in plan.level_keys]
    distinct = sorted(set(severities), reverse=True)
    size = -(-len(distinct) // BANDS)
    bands = [distinct[at : at + size] for at in range(0, len(distinct), size)]
    of = {severity: index for index, band in enumerate(bands) for severity in band}
    what = Text("severity", "困难程度") if order == "severity" else Text("weight", "权重")
    texts = tuple(Text(f"{what.en} {_span(band)}", f"{what.zh} {_span(band)}") for band in bands)
    return _steps(plan, [of[severity] for severity in severities], texts)


def _steps(plan: Plan, step_of: Sequence[int], texts: Sequence[Text]) -> tuple[Step, ...]:
    asked, served = [0] * len(texts), [0] * len(texts)
    levels = zip(step_of, plan.level_asked.tolist(), plan.level_served.tolist(), strict=True)
    for step, wanted, got in levels:
        asked[step] += wanted
        served[step] += got
    return tuple(Step(text, a, b) for text, a, b in zip(texts, asked, served, strict=True) if a)


def _quarter(share: Fraction) -> int:
    """0 to 3: the quarter of a need in which a unit ends."""
    return min(3, max(0, -(-share.numerator * 4 // share.denominator) - 1))


def _span(band: Sequence[int]) -> str:
    high, low = band[0], band[-1]
    return f"{high:,}" if high == low else f"{high:,} – {low:,}"
