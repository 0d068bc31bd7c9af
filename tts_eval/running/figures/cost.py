"""The dollars of a run; an infinite cost is the string "inf" (JSON has none).

Knows no clock: how long the GPUs were held is told.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from tts_eval.measuring.cost import Cost, cost_of, wall_usd
from tts_eval.running.outcome import Outcome


def cost_figures(
    outcomes: Sequence[Outcome], wall_s: float, num_gpus: int, usd_per_gpu_hour: float | None
) -> dict[str, Any]:
    """Return the dollars of holding `num_gpus` for `wall_s` seconds; None where no price is known."""
    held = {"usd_per_gpu_hour": usd_per_gpu_hour, "num_gpus": num_gpus}
    if usd_per_gpu_hour is None:
        return {**dict.fromkeys(Cost.__slots__), **held}
    cost = cost_of(
        wall_usd(num_gpus=num_gpus, wall_s=wall_s, usd_per_gpu_hour=usd_per_gpu_hour),
        calls_s=[outcome.spend.calls_s for outcome in outcomes],
        num_tokens=[outcome.spend.num_generated_tokens for outcome in outcomes],
        is_correct=[outcome.is_correct for outcome in outcomes],
    )
    return {**{name: _json_number(value) for name, value in asdict(cost).items()}, **held}


def _json_number(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_json_number(v) for v in value]
    return "inf" if isinstance(value, float) and math.isinf(value) else value
