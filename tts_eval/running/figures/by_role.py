"""Whose the dollars and joules of a run are: what each role's calls kept of the GPUs that served it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tts_eval.measuring.busy import busy_shares_s
from tts_eval.running.outcome import Outcome
from tts_eval.spend import Call


def role_figures(
    outcomes: Sequence[Outcome],
    calls: Sequence[Call],
    *,
    holdings: Sequence[Mapping[str, Any]],
    usd: float | None,
    joules: float | None,
) -> dict[str, Any]:
    """Return `usd` and `joules` by role; the parts add up to them, None where they are not known.

    GPUs are paid for whether they work or not: each of `holdings` (roles that hold GPUs together) has its
    share of the GPUs, and divides it among its roles by the time in which their calls kept it busy; evenly,
    where it never was.
    """
    shares = _shares(outcomes, calls, holdings)
    return {
        name: None if total is None else {role: total * share for role, share in shares.items()}
        for name, total in (("usd_by_role", usd), ("joules_by_role", joules))
    }


def _shares(
    outcomes: Sequence[Outcome], calls: Sequence[Call], holdings: Sequence[Mapping[str, Any]]
) -> dict[str, float]:
    """Return which part of all GPUs, over the whole run, is each role's."""
    num_gpus = sum(held["num_gpus"] for held in holdings)
    shares: dict[str, float] = {}
    for held in holdings:
        busy_s = _busy_seconds(outcomes, calls, held["roles"])
        total_s = sum(busy_s.values())
        for role, seconds in busy_s.items():
            part = seconds / total_s if total_s else 1 / len(busy_s)
            shares[role] = part * held["num_gpus"] / num_gpus if num_gpus else 0.0
    return shares


def _busy_seconds(
    outcomes: Sequence[Outcome], calls: Sequence[Call], roles: Sequence[str]
) -> dict[str, float]:
    """Return the seconds that each role's calls had of the engine; every session has a clock of its own."""
    sessions = {outcome.problem_id: outcome.session for outcome in outcomes}
    busy_s = dict.fromkeys(roles, 0.0)
    for session in set(sessions.values()):
        mine = [c for c in calls if c.role in busy_s and sessions.get(c.problem_id) == session]
        stretches = [(call.submitted_s + (call.queue_s or 0.0), call.finished_s) for call in mine]
        for call, share_s in zip(mine, busy_shares_s(stretches), strict=True):
            busy_s[call.role] += share_s
    return busy_s
