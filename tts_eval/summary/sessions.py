"""What each start of a run solved, and what it held to do so: a run may be resumed on another machine.

A problem is priced, and its work held against the peak, by the machine that solved it; sums over the sessions
are the run's.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from tts_eval.rundir.outcome import Fill, Outcome
from tts_eval.spend import Call
from tts_eval.summary.cost import wall_usd

Holdings = Sequence[Mapping[str, Any]]  # GPUs, the roles whose engines hold them together, and replicas
Value = TypeVar("Value")


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
    holdings: Holdings
    hardware: Mapping[str, Any]
    engine: Mapping[str, Any]
    api_prices: Mapping[str, Mapping[str, Any] | None]
    num_steps: int = 0
    fill_calls: Sequence[Call] = ()

    @property
    def num_gpus(self) -> int:
        """GPUs held, idle ones included."""
        return sum(held["num_gpus"] for held in self.holdings)

    @property
    def knows_gpus(self) -> bool:
        """Whether it is known how many GPUs each engine held; of a server it may not be."""
        return all(held["num_gpus"] for held in self.holdings)

    @property
    def gpu_s(self) -> float:
        """GPU-seconds held."""
        return self.num_gpus * self.held_s

    def usd(self, price: str = "usd_per_gpu_hour") -> float | None:
        """Return the dollars of holding the GPUs at a price of `hardware`, None where it is not known."""
        per_hour = self.hardware[price]
        if per_hour is None or not self.knows_gpus:
            return None
        return wall_usd(num_gpus=self.num_gpus, wall_s=self.held_s, usd_per_gpu_hour=per_hour)


def sessions_of(
    manifest: Mapping[str, Any],
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
        facts = manifest["sessions"][number]
        solved = [outcome for outcome in outcomes if outcome.session == number]
        filled = [fill for fill in fills if fill.session == number]
        own, of_fill = _calls_of(solved, calls), _calls_of(filled, fill_calls)
        share = _share_of_tokens(own, of_fill, facts["engine_roles"][0])
        sessions.append(
            Session(
                number=number,
                outcomes=solved,
                calls=own,
                held_s=held_s[number],
                holdings=_with_replicas(facts),
                hardware=facts["hardware"],
                engine=facts["engine"],
                api_prices=facts["api_prices"],
                num_steps=round(num_steps.get(number, 0) * share),
                fill_calls=of_fill,
            )
        )
    return sessions


def session_figures(sessions: Sequence[Session], joules: Mapping[int, float] | None) -> list[dict[str, Any]]:
    """Return what each session solved, held and paid; `joules` are those of each by its number."""
    return [
        {
            "session": session.number,
            "num_problems": len(session.outcomes),
            "hardware": session.hardware["name"],
            "num_gpus": session.num_gpus,
            "held_s": session.held_s,
            "usd_per_gpu_hour": session.hardware["usd_per_gpu_hour"],
            "usd_total": session.usd(),
            "joules_total": None if joules is None else joules[session.number],
        }
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


def common(sessions: Sequence[Session], of: Callable[[Session], Value]) -> Value | None:
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


def _with_replicas(session: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return which roles hold which GPUs, and how many replicas their engine runs on them."""
    facts = {"policy": session["engine"], **session["roles"]}
    return [
        {**held, "num_replicas": facts[held["roles"][0]]["settings"].get("data_parallel_size", 1)}
        for held in session["holdings"]
    ]
