"""What a plan tells about the components of its problem, to be found again by their content."""

from dataclasses import dataclass

import numpy as np

from matching.arrays import IntArray
from matching.checker import violations
from matching.chunks import Solved, price_chunk
from matching.easing import eased
from matching.network import Layout, Network, network
from matching.plan import Plan
from matching.policy import Policy
from matching.precedence import tranches
from matching.problem import Problem
from matching.proof import certificate_of, solved_together, unproven
from matching.reuse import Known
from matching.ruled.component import ruled_components
from matching.ruled.outcomes import joined
from matching.ruled.reuse import answer_of, ruled_digest
from matching.ruled.search import RuledAnswer
from matching.state import State


def known_of(problem: Problem, policy: Policy, plan: Plan) -> Known:
    """The answers of all components that are proven optimal, but of one that a budget of change
    made of others: what it gets depends on the budget too. The proof is checked: a replan relies on
    it. Raises ValueError where it does not hold."""
    levels = tranches(problem.need_units, problem.need_severity, policy)
    simple = eased(problem)
    joint = solved_together(plan)
    together = joint.needs if joint else None
    whole, layout = network(simple, levels, policy.change_penalty, together)
    net = whole.part(0, layout.n_flow)
    claimed = np.array([part.status == "optimal" for part in plan.components], np.bool_)
    said = unproven(simple, levels, plan.pair_units, plan.certificate, layout, claimed)
    if said:
        raise ValueError(f"plan: its prices do not prove it: {said}.")
    ruled: dict[bytes, RuledAnswer] = {}
    for c, part in enumerate(ruled_components(simple, levels, whole, layout), layout.n_flow):
        report = plan.components[c]
        if claimed[c] and report.change_budget is None:
            rows = layout.pair_row[whole.pair_from[c] : whole.pair_from[c + 1]]
            ruled[ruled_digest(part)] = answer_of(report, plan.pair_units[rows])
    return Known.of(net, _answers(net, layout, plan), claimed[: layout.n_flow], ruled)


def known_of_units(problem: Problem, policy: Policy, pair_units: IntArray) -> Known:
    """The answers of all components without rules, priced by one pass over the units as they are.

    What a solver proved of components with rules cannot be read off their units: they stay unknown.
    Raises ValueError where the units break a rule or can be improved.
    """
    broken = violations(problem, _Units(pair_units, problem.digest))
    if broken:
        raise ValueError(f"pair_units: they break {len(broken)} rules: {broken[0]}.")
    levels = tranches(problem.need_units, problem.need_severity, policy)
    simple = eased(problem)
    whole, layout = network(simple, levels, policy.change_penalty)
    net, claimed = whole.part(0, layout.n_flow), np.arange(whole.n_components) < layout.n_flow
    x = pair_units[layout.pair_row]
    solved = price_chunk(State(net, x[: len(net.pair_need)].copy()))
    if solved is None:
        raise ValueError("pair_units: a cycle of exchanges would lower the cost or the change.")
    priced, _ = joined(whole, solved, x[len(net.pair_need) :], layout.n_flow)
    proof = certificate_of(simple, policy, whole, layout, priced)
    said = unproven(simple, levels, pair_units, proof, layout, claimed)
    if said:
        raise ValueError(f"pair_units: they are not optimal: {said}.")
    return Known.of(net, solved, claimed[: layout.n_flow])


@dataclass(frozen=True, slots=True, eq=False)
class _Units:
    """What is checked of units that come without a plan."""

    pair_units: IntArray
    problem_digest: str


def _answers(net: Network, layout: Layout, plan: Plan) -> Solved:
    """Units and prices that the plan brings with it, in the network's rows."""
    n, m, h, p = (
        len(rows) for rows in (net.need_units, net.offer_units, net.hub_cap, net.pair_cap)
    )
    proof = plan.certificate
    offers = proof.offer_price[:, layout.offer_row[:m]]
    source = np.concatenate([offers, proof.hub_price[:, :h]], axis=1)
    x = plan.pair_units[layout.pair_row[:p]]
    return Solved(x, proof.need_price[:, layout.need_row[:n]], source, 0, {})
