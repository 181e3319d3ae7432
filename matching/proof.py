"""From a plan to its certificate: find the prices, then have them checked."""

import time
from dataclasses import replace
from typing import Protocol

import numpy as np

from matching.arrays import BoolArray, IntArray, exact_sum
from matching.certificate import Certificate, improvement
from matching.checker import violations
from matching.chunks import Solved, price_chunk
from matching.easing import eased
from matching.network import Layout, Network, network
from matching.policy import Policy
from matching.precedence import Tranches, tranches
from matching.problem import Problem
from matching.ruled.claims import Claim, Findings, examined
from matching.ruled.component import Joint, ruled_components
from matching.ruled.outcomes import joined
from matching.state import State


class _Planned(Protocol):
    @property
    def pair_units(self) -> IntArray: ...
    @property
    def problem_digest(self) -> str: ...
    @property
    def need_component(self) -> IntArray: ...
    @property
    def components(self) -> "tuple[Claim, ...]": ...


def certify(problem: Problem, policy: Policy, plan: _Planned) -> Certificate:
    """Prove a plan optimal from scratch, or say what would improve it.

    Components that the plan itself does not call optimal are left out, and the certificate is
    then not `optimal`; `proven` counts those that are. Those with rules are solved again, up to
    claims.AGAIN_PAIRS pairs each; what that does not prove, or what is larger, is left out as well.
    """
    began = time.process_time()
    broken = violations(problem, plan)
    problem, digest = eased(problem), problem.digest
    levels = tranches(problem.need_units, problem.need_severity, policy)
    joint = solved_together(plan)
    net, layout = network(problem, levels, policy.change_penalty, joint.needs if joint else None)
    claimed = np.array([part.status == "optimal" for part in plan.components], np.bool_)
    if not broken and len(claimed) != net.n_components:
        broken = [f"components: {net.n_components} are in the problem, {len(claimed)} in the plan"]
    if not broken and joint is None:
        broken = _over_budget(problem, policy, plan, layout)
    found = Findings(tuple(broken))
    if not broken:
        ruled = ruled_components(problem, levels, net, layout, joint)
        found = examined(ruled, plan, net, layout, _budget(problem, policy, layout))
    if found.broken:
        none = certificate_of(problem, policy, net, layout, None)
        spent = time.process_time() - began
        return replace(none, reason=found.broken[0], seconds=spent, problem_digest=digest)
    claimed[list(found.open)] = False
    x = plan.pair_units[layout.pair_row]
    flow = net.part(0, layout.n_flow)
    state = State(flow, x[: len(flow.pair_need)].copy())
    _close(state, flow, claimed[: layout.n_flow])
    solved = price_chunk(state)
    if solved is not None:
        solved, _ = joined(net, solved, x[len(flow.pair_need) :], layout.n_flow)
    proof = replace(certificate_of(problem, policy, net, layout, solved), problem_digest=digest)
    kept = np.zeros(len(claimed), np.bool_)
    return checked(problem, levels, plan.pair_units, proof, layout, claimed, kept, began)


def unproven(
    problem: Problem,
    levels: Tranches,
    pair_units: IntArray,
    proof: Certificate,
    layout: Layout,
    claimed: BoolArray,
) -> str:
    """What the prices fail to rule out in the components without rules among those claimed."""
    priced = claimed & (np.arange(len(claimed)) < layout.n_flow)
    claimed_or_none = np.append(priced, True)  # -1: without pairs, trivially proven
    return improvement(
        problem,
        levels,
        pair_units,
        proof,
        claimed_or_none[layout.need_component],
        claimed_or_none[layout.offer_component],
    )


def solved_together(plan: _Planned) -> Joint | None:
    """What a plan says was solved as one, because it shares a budget of change."""
    for c, part in enumerate(plan.components):
        if part.change_budget is not None:
            return Joint(plan.need_component == c, part.change_budget)
    return None


def _over_budget(problem: Problem, policy: Policy, plan: _Planned, layout: Layout) -> list[str]:
    """Nothing is said to be held to the budget: then the budget must not bind."""
    rows = layout.pair_row
    change = exact_sum(np.abs(plan.pair_units - problem.pair_prior))
    open_change = exact_sum(np.abs(plan.pair_units - problem.pair_prior)[rows])
    if policy.change_budget is None or change <= policy.change_budget or not open_change:
        return []
    return [f"{change} units change, {policy.change_budget} allowed"]


def _budget(problem: Problem, policy: Policy, layout: Layout) -> int | None:
    """What open pairs may change: what is proposed along closed ones changes whatever we do."""
    if policy.change_budget is None:
        return None
    closed = exact_sum(problem.pair_prior) - exact_sum(problem.pair_prior[layout.pair_row])
    return max(policy.change_budget - closed, 0)


def certificate_of(
    problem: Problem, policy: Policy, net: Network, layout: Layout, solved: Solved | None
) -> Certificate:
    """Prices of the network's rows put back into the problem's rows; nothing is claimed yet."""
    m, h = len(net.offer_units), len(net.hub_offer)
    need = np.zeros((3, problem.n_needs), np.int64)
    offer = np.zeros((3, problem.n_offers), np.int64)
    hub = np.zeros((3, h), np.int64)
    need[0] = problem.need_severity.max(initial=0) + 2**40  # no pair: no offer can reach it
    if solved is not None:
        need[:, layout.need_row] = solved.need_price
        offer[:, layout.offer_row] = solved.source_price[:, :m]
        hub = solved.source_price[:, m:]
    return Certificate(
        optimal=False,
        reason="" if solved else "a cycle of exchanges would lower the cost or the change",
        components=net.n_components,
        proven=0,
        need_price=need,
        offer_price=offer,
        hub_price=hub,
        hub_offer=layout.offer_row[net.hub_offer],
        hub_household=layout.hub_household,
        rounds=solved.rounds if solved else 0,
        seconds=0.0,
        problem_digest=problem.digest,
        policy=policy,
    )


def checked(
    problem: Problem,
    levels: Tranches,
    pair_units: IntArray,
    proof: Certificate,
    layout: Layout,
    claimed: BoolArray,
    kept: BoolArray,
    began: float,
) -> Certificate:
    """The certificate after the check of its prices; `claimed` bool[C] are components to prove.

    Those `kept` are, row by row, components of a base whose prices have been checked already, with
    the same units; their prices were moved along with the order of the weights. The check asks of
    them the same comparisons of the same numbers, so it is not made again. (`certify` makes it.)

    The last of them, from layout.n_flow on, have rules: there the claim is a solver's, no price's.
    """
    reason, n_flow = proof.reason, layout.n_flow
    if not reason:
        reason = unproven(problem, levels, pair_units, proof, layout, claimed & ~kept)
    left = int((~claimed).sum())
    proven = 0 if reason else len(claimed) - left
    ruled_proven = 0 if reason else int(claimed[n_flow:].sum())
    if not reason and left:
        reason = f"{left} of {len(claimed)} components are not proven optimal"
    return replace(
        proof,
        optimal=not reason,
        reason=reason,
        proven=proven,
        ruled=len(claimed) - n_flow,
        ruled_proven=ruled_proven,
        seconds=time.process_time() - began,
    )


def _close(state: State, net: Network, claimed: BoolArray) -> None:
    """Let nothing move in components that claim nothing, so that they cannot spoil the prices."""
    open_pairs = np.repeat(claimed, np.diff(net.pair_from))
    state.free = state.free & open_pairs
    state.hub_free = state.hub_free & np.repeat(claimed, np.diff(net.hub_from))
    state.offer_free = state.offer_free & np.repeat(claimed, np.diff(net.offer_from))
