"""Outcomes: how good the plans of ruled components are, and what of it is proven."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from matching.arrays import IntArray, frozen
from matching.bands import gap_of_bands
from matching.chunks import Solved
from matching.network import Network
from matching.plan import Component, Status, gap_of
from matching.ruled.sending import Outcome


def joined(net: Network, flow: Solved, ruled_x: IntArray, n_flow: int) -> tuple[Solved, IntArray]:
    """Units and prices of the whole network from those of its first `n_flow` components and the
    units of the rest, which have no prices; and the units."""
    m, m_flow = len(net.offer_units), net.offer_from[n_flow]
    need = np.zeros((3, len(net.need_units)), np.int64)
    source = np.zeros((3, m + len(net.hub_offer)), np.int64)
    need[:, : net.need_from[n_flow]] = flow.need_price
    source[:, :m_flow] = flow.source_price[:, :m_flow]
    source[:, m : m + net.hub_from[n_flow]] = flow.source_price[:, m_flow:]
    x = np.concatenate([flow.x, ruled_x])
    return Solved(x, need, source, flow.rounds, flow.seconds), x


def ruled_report(report: Component, outcome: Outcome) -> Component:
    """A component's report with its bands and bounds in place of what a flow would have."""
    part, answer = outcome.component, outcome.answer
    spent, change = part.spent(answer.x), part.change(answer.x) if part.proposed else 0
    unproven = [f"band {b}" for b, band in enumerate(answer.bands) if not band.proven]
    gaps = [gap_of_bands(answer.bands)] if unproven else []
    held, asked = answer.budget, part.change_budget
    if held is not None and asked is not None and max(asked, answer.budget_bound) < held:
        unproven.insert(0, "change_budget")
        gaps.insert(0, (held - answer.budget_bound) / held)
    for name, reached, least in (
        ("cost", spent, answer.cost_bound),
        ("change", change, answer.change_bound),
    ):
        if least < reached:
            unproven.append(name)
            gaps.append((reached - least) / reached)
    status: Status = "bounded" if unproven else "optimal"
    bound = report.bound
    if outcome.ended:
        bound = frozen(np.diff(answer.prefix_bound, prepend=0))
    else:
        status = "deadline"
        gaps.append(gap_of(report.served, bound))
    return replace(
        report,
        kind="mip",
        status=status,
        bound=bound,
        cost=part.cost(answer.x),
        gap=gaps[0] if gaps else 0.0,
        bands=answer.bands,
        cost_bound=answer.cost_bound,
        change_bound=answer.change_bound,
        change_budget=held,
        unproven=tuple(unproven),
    )


def fixed_cost(outcomes: Sequence[Outcome]) -> int:
    """What the use of pairs costs beside their units."""
    return sum(_fixed(outcome.answer.x, outcome.component.pair_fixed) for outcome in outcomes)


def _fixed(x: IntArray, fixed: IntArray) -> int:
    return sum(fixed[x > 0].tolist())
