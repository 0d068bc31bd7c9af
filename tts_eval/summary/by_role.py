"""Whose the dollars and joules of a run are: what each role's calls kept of the GPUs that served it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tts_eval.rundir.topic import Topic
from tts_eval.summary.cost import busy_shares_s
from tts_eval.summary.sessions import Session


class ByRole(Topic, frozen=True, kw_only=True):
    """Dollars and joules by role; the parts add up to the run's, None where these are not known.

    GPUs are paid for whether they work or not: each of a session's holdings (roles that hold GPUs together)
    has its share of the GPUs, and divides it among its roles by the time in which their calls kept it busy;
    evenly, where it never was.
    """

    usd_by_role: Mapping[str, float] | None
    joules_by_role: Mapping[str, float] | None


def role_figures(sessions: Sequence[Session], *, joules: Mapping[int, float] | None) -> ByRole:
    """Return what each role had; `joules` are those of each session by its number."""
    return ByRole(
        usd_by_role=_by_role(sessions, [session.usd for session in sessions]),
        joules_by_role=_by_role(sessions, [(joules or {}).get(session.number) for session in sessions]),
    )


def _by_role(sessions: Sequence[Session], totals: Sequence[float | None]) -> dict[str, float] | None:
    by_role: dict[str, float] = {}
    for session, total in zip(sessions, totals, strict=True):
        if total is None:
            return None
        for role, share in _shares(session).items():
            by_role[role] = by_role.get(role, 0.0) + share * total
    return by_role or None


def _shares(session: Session) -> dict[str, float]:
    """Return which part of the session's GPUs, over all of it, is each role's."""
    shares: dict[str, float] = {}
    for held in session.holdings:
        busy_s = _busy_seconds(session, held.roles)
        total_s = sum(busy_s.values())
        for role, seconds in busy_s.items():
            part = seconds / total_s if total_s else 1 / len(busy_s)
            shares[role] = part * held.num_gpus / session.num_gpus if session.num_gpus else 0.0
    return shares


def _busy_seconds(session: Session, roles: Sequence[str]) -> dict[str, float]:
    """Return the seconds that each role's calls had of the engine."""
    busy_s = dict.fromkeys(roles, 0.0)
    mine = [call for call in session.calls if call.role in busy_s]
    stretches = [(call.submitted_s + (call.queue_s or 0.0), call.finished_s) for call in mine]
    for call, share_s in zip(mine, busy_shares_s(stretches), strict=True):
        busy_s[call.role] += share_s
    return busy_s
