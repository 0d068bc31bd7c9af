"""What each start of a run solved, and what it held to do so: a run may be resumed on another machine.

A problem is priced, and its work held against the peak, by the machine that solved it; sums over the sessions
are the run's.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from tts_eval.hardware import ApiPrice, Hardware
from tts_eval.requests import EngineFacts
from tts_eval.rundir.manifest import Manifest, Start
from tts_eval.rundir.outcome import Fill, Outcome
from tts_eval.spend import Call
from tts_eval.summary.cost import wall_usd

One = TypeVar("One")
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Held:
    """GPUs that the engines of `roles` hold together, each of its replicas with its part of them."""

    roles: Sequence[str]
    num_gpus: int
    num_replicas: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A start of a run that solved problems: their calls, the fill beside them, and what was held for them.

    `hardware`, `engine` (the policy's facts) and `api_prices` are as in the manifest; `held_s` is
    how long its GPUs were held for `outcomes` (see `steadiness.held_by_session`); `num_steps` counts the
    policy's engine's steps for them.
    """

    number: int
    outcomes: Sequence[Outcome]
    calls: Sequence[Call]
    held_s: float
    holdings: Sequence[Held]
    hardware: Hardware
    engine: EngineFacts
    api_prices: Mapping[str, ApiPrice | None]
    num_steps: int = 0
    fill_calls: Sequence[Call] = ()

    @property
    def num_gpus(self) -> int:
        """GPUs held, idle ones included."""
        return sum(held.num_gpus for held in self.holdings)

    @property
    def knows_gpus(self) -> bool:
        """Whether it is known how many GPUs each engine held; of a server it may not be."""
        return all(held.num_gpus for held in self.holdings)

    @property
    def gpu_s(self) -> float:
        """GPU-seconds held."""
        return self.num_gpus * self.held_s

    @property
    def usd(self) -> float | None:
        """The dollars of holding the GPUs, None where their price or number is not known."""
        return self.usd_at(self.hardware.usd_per_gpu_hour)

    def usd_at(self, usd_per_gpu_hour: float | None) -> float | None:
        """Return the dollars of holding the GPUs at another price."""
        if usd_per_gpu_hour is None or not self.knows_gpus:
            return None
        return wall_usd(num_gpus=self.num_gpus, wall_s=self.held_s, usd_per_gpu_hour=usd_per_gpu_hour)


def sessions_of(
    manifest: Manifest,
    outcomes: Sequence[Outcome],
    calls: Sequence[Call],
    *,
    held_s: Mapping[int, float],
    num_steps: Mapping[int, int],
    fills: Sequence[Fill] = (),
    fill_calls: Sequence[Call] = (),
) -> list[Session]:
    """Return the sessions that solved problems, in order.

    `held_s` and `num_steps` (of the policy's engine, those for fill too) are by their numbers.
    """
    sessions = []
    for number in sorted({outcome.session for outcome in outcomes}):
        start = manifest.sessions[number]
        solved = [outcome for outcome in outcomes if outcome.session == number]
        filled = [fill for fill in fills if fill.session == number]
        own, of_fill = _calls_of(solved, calls), _calls_of(filled, fill_calls)
        share = _share_of_tokens(own, of_fill, start.engine_roles[0])
        sessions.append(
            Session(
                number=number,
                outcomes=solved,
                calls=own,
                held_s=held_s[number],
                holdings=_with_replicas(start),
                hardware=start.hardware,
                engine=start.engine,
                api_prices=start.api_prices,
                num_steps=round(num_steps.get(number, 0) * share),
                fill_calls=of_fill,
            )
        )
    return sessions


class SessionFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What a session solved, held and paid."""

    session: int
    num_problems: int
    hardware: str
    num_gpus: int
    held_s: float
    usd_per_gpu_hour: float | None
    usd_total: float | None
    joules_total: float | None


def session_figures(sessions: Sequence[Session], joules: Mapping[int, float] | None) -> list[SessionFigures]:
    """Return the figures of each session; `joules` are those of each by its number."""
    return [
        SessionFigures(
            session=session.number,
            num_problems=len(session.outcomes),
            hardware=session.hardware.name,
            num_gpus=session.num_gpus,
            held_s=session.held_s,
            usd_per_gpu_hour=session.hardware.usd_per_gpu_hour,
            usd_total=session.usd,
            joules_total=None if joules is None else joules[session.number],
        )
        for session in sessions
    ]


def added(values: Iterable[float | None]) -> float | None:
    """Return the sum, None where one of `values` is not known."""
    total = 0.0
    for value in values:
        if value is None:
            return None
        total += value
    return total


def common(sessions: Sequence[One], of: Callable[[One], Value]) -> Value | None:
    """Return what all sessions have the same of, None where they differ."""
    values = [of(session) for session in sessions]
    return values[0] if values and all(value == values[0] for value in values) else None


def _calls_of(problems: Sequence[Outcome] | Sequence[Fill], calls: Sequence[Call]) -> list[Call]:
    names = {problem.problem_id for problem in problems}
    return [call for call in calls if call.problem_id in names]


def _share_of_tokens(calls: Sequence[Call], fill_calls: Sequence[Call], roles: Collection[str]) -> float:
    """Return the share of the tokens that `roles` generated, and so of their engine's steps, without fill."""
    own, fill = (
        sum(call.num_generated_tokens for call in some if call.role in roles) for some in (calls, fill_calls)
    )
    return own / (own + fill) if fill else 1.0


def _with_replicas(start: Start) -> list[Held]:
    """Return which roles hold which GPUs, and how many replicas their engine runs on them."""
    facts = {"policy": start.engine, **start.roles}
    return [
        Held(held.roles, held.num_gpus, facts[held.roles[0]].settings.get("data_parallel_size", 1))
        for held in start.holdings
    ]
