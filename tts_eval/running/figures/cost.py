"""The dollars of a run; an infinite cost is the string "inf" (JSON has none)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from tts_eval.measuring.busy import busy_shares_s
from tts_eval.measuring.cost import Cost, cost_of, per_unit, shared_out, wall_usd
from tts_eval.prices import ApiPrice
from tts_eval.running.figures.steadiness import held_weights
from tts_eval.running.outcome import Fill, Outcome
from tts_eval.spend import Call

Holdings = Sequence[Mapping[str, Any]]  # GPUs, the roles whose engines hold them together, and replicas


def cost_figures(
    outcomes: Sequence[Outcome],
    calls: Sequence[Call],
    *,
    held_s: float,
    load: Mapping[str, Any],
    holdings: Holdings,
    hardware: Mapping[str, Any],
    fills: Sequence[Fill] = (),
    fill_calls: Sequence[Call] = (),
    api_prices: Mapping[str, Mapping[str, Any] | None],
) -> dict[str, Any]:
    """Return the dollars of holding GPUs, of their busy time, and of an API; None where no price is known.

    `held_s` is how long they were held for these problems under `load` (see `steadiness.held_seconds`). The
    fill's calls pay for their part of the busy time.
    """
    num_gpus, price = sum(held["num_gpus"] for held in holdings), hardware["usd_per_gpu_hour"]
    num_tokens = [outcome.spend.num_generated_tokens for outcome in outcomes]
    is_correct = [outcome.is_correct for outcome in outcomes]

    def cost(usd: Sequence[float]) -> dict[str, Any]:
        return _plain(asdict(cost_of(usd, num_tokens=num_tokens, is_correct=is_correct)))

    wall, busy, band = dict.fromkeys(Cost.__slots__), None, None
    if price is not None:
        usd = wall_usd(num_gpus=num_gpus, wall_s=held_s, usd_per_gpu_hour=price)
        weights = held_weights(
            load,
            tta_s=[outcome.spend.tta_s for outcome in outcomes],
            calls_s=[outcome.spend.calls_s for outcome in outcomes],
        )
        wall = cost(shared_out(usd, weights))
        gpu_seconds = _busy_gpu_seconds([*outcomes, *fills], [*calls, *fill_calls], holdings)
        busy = cost([gpu_seconds.get(outcome.problem_id, 0.0) * price / 3600 for outcome in outcomes])
        band = _band(hardware, num_gpus * held_s, sum(num_tokens), len(outcomes), sum(is_correct))
    api = _api_usd(calls, api_prices)
    return {
        **wall,
        "usd_per_gpu_hour": price,
        "num_gpus": num_gpus,
        "price_band": band,
        "cost_busy": busy,
        "cost_api": None if api is None else cost([api.get(outcome.problem_id, 0.0) for outcome in outcomes]),
    }


def _busy_gpu_seconds(
    problems: Sequence[Outcome | Fill], calls: Sequence[Call], holdings: Holdings
) -> dict[str, float]:
    """Return each problem's GPU-seconds: its calls' shares of the time in which their GPUs had any.

    Each replica of an engine (`num_replicas` of a holding, 1 where it is left out) has its part of the GPUs.
    The sessions of a resumed run have clocks of their own.
    """
    session_of = {problem.problem_id: problem.session for problem in problems}
    total: dict[str, float] = {}
    for held in holdings:
        for session in set(session_of.values()):
            mine = [
                c
                for c in calls
                if c.role in held["roles"]
                and session_of.get(c.problem_id) == session
                and c.num_prompt_tokens > 0  # else it was stopped before the engine began it
            ]
            stretches = [(call.submitted_s + (call.queue_s or 0.0), call.finished_s) for call in mine]
            num_replicas = held.get("num_replicas", 1)
            for call, share_s in zip(mine, busy_shares_s(stretches, num_replicas=num_replicas), strict=True):
                gpu_seconds = held["num_gpus"] / num_replicas * share_s
                total[call.problem_id] = total.get(call.problem_id, 0.0) + gpu_seconds
    return total


def _api_usd(
    calls: Sequence[Call], prices: Mapping[str, Mapping[str, Any] | None]
) -> dict[str, float] | None:
    """Return each problem's dollars at list prices; None if a role that was called has none."""
    known = {role: ApiPrice(**price) for role, price in prices.items() if price is not None}
    if not known or any(call.role not in known for call in calls):
        return None
    total: dict[str, float] = {}
    for call in calls:
        usd = known[call.role].usd(
            num_prompt_tokens=call.num_prompt_tokens,
            num_cached_tokens=call.num_cached_tokens,
            num_generated_tokens=call.num_generated_tokens,
        )
        total[call.problem_id] = total.get(call.problem_id, 0.0) + usd
    return total


def _band(
    hardware: Mapping[str, Any], gpu_seconds: float, num_tokens: int, num_problems: int, num_correct: int
) -> dict[str, Any] | None:
    """Return the wall figures at the lowest and the highest market price, None where no band is known."""
    prices = [hardware["usd_per_gpu_hour_low"], hardware["usd_per_gpu_hour_high"]]
    if None in prices or not num_problems:
        return None
    usd = [gpu_seconds / 3600 * price for price in prices]
    return _plain(
        {
            "usd_per_gpu_hour": prices,
            "usd_per_generated_token": [per_unit(u, num_tokens) for u in usd],
            "usd_per_problem": [per_unit(u, num_problems) for u in usd],
            "usd_per_correct": [per_unit(u, num_correct) for u in usd],
        }
    )


def _plain(figures: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _json(value) for name, value in figures.items()}


def _json(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return [_json(v) for v in value]
    return "inf" if isinstance(value, float) and math.isinf(value) else value
