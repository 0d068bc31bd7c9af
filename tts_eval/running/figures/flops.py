"""The FLOPs of a run's calls.

Knows no time and no price.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tts_eval.measuring.architecture import Architecture
from tts_eval.measuring.architecture_reader import read_architecture
from tts_eval.measuring.flops import call_flops, weights_only_flops
from tts_eval.records import Call


def flops_figures(
    calls: Sequence[Call], num_problems: int, configs: Mapping[str, Mapping[str, Any] | None]
) -> dict[str, Any]:
    """Return FLOPs a problem; a kind of role that made no call took none, one of unknown sizes is None.

    `configs` holds the model's configuration of every role, None where FLOPs cannot be counted from it.
    Whatever is neither policy nor verifier counts as a draft.
    """
    architectures = {
        role: None if config is None else read_architecture(config) for role, config in configs.items()
    }
    kinds: dict[str, list[Call]] = {"policy": [], "verifier": [], "draft": []}
    for call in calls:
        kinds[call.role if call.role in kinds else "draft"].append(call)
    per_problem = {
        kind: _per_problem(mine, num_problems, architectures, call_flops) for kind, mine in kinds.items()
    }
    known = [flops for flops in per_problem.values() if flops is not None]
    total = sum(known) if len(known) == len(per_problem) else None
    return {
        "flops_per_problem": {**per_problem, "total": total},
        "flops_per_problem_weights_only": _per_problem(
            calls, num_problems, architectures, weights_only_flops
        ),
    }


def _per_problem(
    calls: Sequence[Call],
    num_problems: int,
    architectures: Mapping[str, Architecture | None],
    count: Callable[..., int],
) -> float | None:
    flops = 0
    for call in calls:
        architecture = architectures.get(call.role)
        if architecture is None:
            return None
        flops += count(
            architecture,
            num_prompt_tokens=call.num_prompt_tokens,
            num_cached_tokens=call.num_cached_tokens,
            num_generated_tokens=call.num_generated_tokens,
        )
    return flops / num_problems if num_problems else None
