"""The FLOPs of a run's calls.

Knows no time and no price.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tts_eval.measuring.architecture_reader import read_architecture
from tts_eval.measuring.flops import call_flops, weights_only_flops
from tts_eval.records import Call


def flops_figures(
    calls: Sequence[Call], num_problems: int, config: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return FLOPs a problem by role; a role that made no call took none, one of unknown sizes is None.

    `config` is the policy's configuration, None where FLOPs cannot be counted from it.
    """
    per_problem: dict[str, float | None] = {"policy": None, "verifier": 0.0, "draft": 0.0}
    weights_only: float | None = None
    for role in {call.role for call in calls} - {"policy"}:
        per_problem["verifier" if role == "verifier" else "draft"] = None
    if config is not None and num_problems:
        architecture = read_architecture(config)
        tokens = [
            {
                "num_prompt_tokens": call.num_prompt_tokens,
                "num_cached_tokens": call.num_cached_tokens,
                "num_generated_tokens": call.num_generated_tokens,
            }
            for call in calls
            if call.role == "policy"
        ]
        per_problem["policy"] = sum(call_flops(architecture, **t) for t in tokens) / num_problems
        weights_only = sum(weights_only_flops(architecture, **t) for t in tokens) / num_problems
    known = [flops for flops in per_problem.values() if flops is not None]
    total = sum(known) if len(known) == len(per_problem) else None
    return {
        "flops_per_problem": {**per_problem, "total": total},
        "flops_per_problem_weights_only": weights_only,
    }
