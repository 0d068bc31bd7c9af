"""The dollars of a run in all three modes, and at all the prices that a market has."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from tts_eval.rundir.manifest import LoadFacts
from tts_eval.rundir.topic import Topic
from tts_eval.summary.answers import OfAnswers
from tts_eval.summary.cost import Cost, busy_shares_s, cost_of, per_unit, shared_out
from tts_eval.summary.sessions import Session, added, common
from tts_eval.summary.throughput import held_weights

Ends = tuple[float, float]  # at the lowest and at the highest price


class PriceBand(msgspec.Struct, frozen=True, kw_only=True):
    """The wall figures at the lowest and the highest market price."""

    usd_per_gpu_hour: tuple[float | None, float | None] | None
    usd_per_generated_token: Ends
    usd_per_problem: Ends
    usd_per_correct: OfAnswers[Ends]


class CostFigures(Cost, Topic, frozen=True, kw_only=True):
    """The dollars of holding GPUs, of their busy time, and of an API; None where no price is known.

    Each session's problems pay its price for its GPUs, the more the longer they hold them under `load` (see
    `steadiness.held_weights`); fill's calls pay for their part of the busy time. What is not known of one
    session is not known of the run; `usd_per_gpu_hour` and `num_gpus` are None where sessions differ.
    """

    usd_per_gpu_hour: float | None = None
    num_gpus: int | None = None
    price_band: PriceBand | None = None
    cost_busy: Cost | None = None
    cost_api: Cost | None = None


def cost_figures(sessions: Sequence[Session], *, load: LoadFacts) -> CostFigures:
    """Return the dollars of `sessions`."""
    outcomes = [outcome for session in sessions for outcome in session.outcomes]
    num_tokens = [outcome.spend.num_generated_tokens for outcome in outcomes]
    is_correct = [outcome.is_correct for outcome in outcomes]

    def cost(usd_of: Callable[[Session], Mapping[str, float] | None]) -> Cost | None:
        parts = [usd_of(session) for session in sessions]
        if not parts or None in parts:
            return None
        usd = {name: usd for part in parts if part is not None for name, usd in part.items()}
        own = [usd.get(outcome.problem_id, 0.0) for outcome in outcomes]
        return cost_of(own, num_tokens=num_tokens, is_correct=is_correct)

    return CostFigures(
        **msgspec.structs.asdict(cost(lambda session: _wall_usd(session, load)) or Cost()),
        usd_per_gpu_hour=common(sessions, lambda session: session.hardware.usd_per_gpu_hour),
        num_gpus=common(sessions, lambda session: session.num_gpus),
        price_band=_band(sessions, sum(num_tokens), len(outcomes), sum(is_correct)),
        cost_busy=cost(_busy_usd),
        cost_api=cost(_api_usd),
    )


def _wall_usd(session: Session, load: LoadFacts) -> dict[str, float] | None:
    """Return each problem's part of the dollars of holding the session's GPUs."""
    usd = session.usd
    if usd is None:
        return None
    spends = [outcome.spend for outcome in session.outcomes]
    weights = held_weights(
        load, tta_s=[spend.tta_s for spend in spends], calls_s=[spend.calls_s for spend in spends]
    )
    names = [outcome.problem_id for outcome in session.outcomes]
    return dict(zip(names, shared_out(usd, weights), strict=True))


def _busy_usd(session: Session) -> dict[str, float] | None:
    """Return each problem's dollars: its calls' shares of the time in which their GPUs had any.

    Each replica of an engine (`num_replicas` of a holding, 1 where it is left out) has its part of the GPUs.
    """
    price = session.hardware.usd_per_gpu_hour
    if price is None or not session.knows_gpus:
        return None
    total: dict[str, float] = {}
    for held in session.holdings:
        mine = [
            c
            for c in (*session.calls, *session.fill_calls)
            if c.role in held.roles and c.num_prompt_tokens > 0  # else stopped before the engine began it
        ]
        stretches = [(call.submitted_s + (call.queue_s or 0.0), call.finished_s) for call in mine]
        num_replicas = held.num_replicas
        usd_per_s = held.num_gpus / num_replicas * price / 3600
        for call, share_s in zip(mine, busy_shares_s(stretches, num_replicas=num_replicas), strict=True):
            total[call.problem_id] = total.get(call.problem_id, 0.0) + usd_per_s * share_s
    return total


def _api_usd(session: Session) -> dict[str, float] | None:
    """Return each problem's dollars at list prices; None if a role that was called has none."""
    known = {role: price for role, price in session.api_prices.items() if price is not None}
    if not known or any(call.role not in known for call in session.calls):
        return None
    total: dict[str, float] = {}
    for call in session.calls:
        usd = known[call.role].usd(
            num_prompt_tokens=call.num_prompt_tokens,
            num_cached_tokens=call.num_cached_tokens,
            num_generated_tokens=call.num_generated_tokens,
        )
        total[call.problem_id] = total.get(call.problem_id, 0.0) + usd
    return total


def _band(
    sessions: Sequence[Session], num_tokens: int, num_problems: int, num_correct: int
) -> PriceBand | None:
    """Return the band of the wall figures, None where no band of prices is known."""
    low, high = (added(session.usd_at(price(session)) for session in sessions) for price in (_low, _high))
    if low is None or high is None or not num_problems:
        return None
    return PriceBand(
        usd_per_gpu_hour=common(sessions, lambda session: (_low(session), _high(session))),
        usd_per_generated_token=(per_unit(low, num_tokens), per_unit(high, num_tokens)),
        usd_per_problem=(per_unit(low, num_problems), per_unit(high, num_problems)),
        usd_per_correct=(per_unit(low, num_correct), per_unit(high, num_correct)),
    )


def _low(session: Session) -> float | None:
    return session.hardware.usd_per_gpu_hour_low


def _high(session: Session) -> float | None:
    return session.hardware.usd_per_gpu_hour_high
