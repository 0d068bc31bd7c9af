"""Whether tokens, FLOPs, dollars and joules by role add up to the totals, and these to the calls."""

from __future__ import annotations

import math
from collections.abc import Iterator

from tts_eval.rundir.manifest import Manifest
from tts_eval.summary.call_flops import FlopsCounter
from tts_eval.summary.cost_figures import CostFigures
from tts_eval.summary.energy_figures import Energy
from tts_eval.summary.evidence import Evidence, differing
from tts_eval.summary.flops import flops_by_problem
from tts_eval.summary.sessions import added, common
from tts_eval.summary.spent import RoleTokenCounts
from tts_eval.summary.summary import Summary

SECONDS_AN_HOUR = 3600


def check_totals(evidence: Evidence) -> Iterator[str]:
    """Yield what does not add up."""
    yield from _tokens(evidence)
    yield from _flops(evidence)
    yield from _dollars(evidence.manifest, evidence.summary)
    yield from _of_roles(evidence.summary)


def _tokens(evidence: Evidence) -> Iterator[str]:
    tokens = evidence.summary.spent.tokens
    for kind in RoleTokenCounts.__struct_fields__:
        total = getattr(tokens, kind)
        booked = sum(getattr(call, f"num_{kind}_tokens") for call in evidence.calls)
        by_role = sum(getattr(own, kind) for own in tokens.by_role.values())
        yield from differing(f"tokens.{kind}, against the calls", total, booked)
        yield from differing(f"sum of tokens.by_role.*.{kind}", by_role, total)


def _flops(evidence: Evidence) -> Iterator[str]:
    flops, num_problems = evidence.summary.flops, len(evidence.outcomes)
    per_problem = flops.flops_per_problem
    if per_problem.total is None:
        return
    parts = added([per_problem.policy, per_problem.verifier, per_problem.draft])
    yield from differing("sum of flops_per_problem.*", parts, per_problem.total)
    by_role = added((flops.flops_per_problem_by_role or {}).values())
    yield from differing("sum of flops_per_problem_by_role.*", by_role, per_problem.total)
    shares = flops_by_problem(evidence.calls, FlopsCounter.of_run(evidence.manifest))
    counted = sum(flops or 0 for flops in shares.values())
    yield from differing("FLOPs of the problems", counted, per_problem.total * num_problems)


def _of_roles(summary: Summary) -> Iterator[str]:
    cost, energy, by_role = _cost(summary), _energy(summary), summary.by_role
    if by_role is not None and by_role.usd_by_role is not None:
        yield from differing("sum of usd_by_role", sum(by_role.usd_by_role.values()), cost.usd_total)
    if by_role is not None and by_role.joules_by_role is not None:
        total = sum(by_role.joules_by_role.values())
        yield from differing("sum of joules_by_role", total, energy.joules_total)


def _dollars(manifest: Manifest, summary: Summary) -> Iterator[str]:
    """Hold the dollars against price x GPUs x seconds of every session that solved problems."""
    starts, sessions = manifest.sessions, summary.sessions or ()
    cost, steadiness = _cost(summary), summary.steadiness
    assert steadiness is not None, "the run was measured"
    yield from differing("hardware, against the last session's", manifest.hardware, starts[-1].hardware)
    for session in sessions:
        start, name = starts[session.session], f"session {session.session}"
        held = sum(holding.num_gpus for holding in start.holdings)
        yield from differing(f"num_gpus of {name}, against the holdings", session.num_gpus, held)
        price = start.hardware.usd_per_gpu_hour
        knows_gpus = all(holding.num_gpus for holding in start.holdings)
        usd = held * session.held_s / SECONDS_AN_HOUR * price if price is not None and knows_gpus else None
        yield from differing(f"usd_total of {name}, price x GPUs x hours", session.usd_total, usd)
    if sessions:
        for name, parts, total in (
            ("num_problems", [each.num_problems for each in sessions], summary.answers.num_problems),
            ("held_s", [each.held_s for each in sessions], steadiness.held_s),
            ("usd_total", [each.usd_total for each in sessions], cost.usd_total),
            ("joules_total", [each.joules_total for each in sessions], _energy(summary).joules_total),
        ):
            yield from differing(f"sum of sessions.{name}", added(parts), total)
    num_gpus = common(sessions, lambda session: session.num_gpus)
    yield from differing("num_gpus, against the sessions", cost.num_gpus, num_gpus)
    price = common(sessions, lambda session: session.usd_per_gpu_hour)
    yield from differing("usd_per_gpu_hour, against the sessions", cost.usd_per_gpu_hour, price)
    for per, usd, count in (
        ("usd_per_problem", cost.usd_per_problem, summary.answers.num_problems),
        ("usd_per_correct", cost.usd_per_correct, summary.answers.num_correct),
        ("usd_per_generated_token", cost.usd_per_generated_token, summary.spent.tokens.generated),
    ):
        if cost.usd_total is not None and count and usd is not None and math.isfinite(usd):
            yield from differing(f"{per} x {count}", usd * count, cost.usd_total)


def _cost(summary: Summary) -> CostFigures:
    return summary.cost or CostFigures()


def _energy(summary: Summary) -> Energy:
    return summary.energy or Energy(power_valid=False)
