"""The FLOPs of a run's calls.

Knows no time and no price.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tts_eval.drafting import Drafter
from tts_eval.measuring.architecture import Architecture
from tts_eval.measuring.architecture_reader import read_architecture
from tts_eval.measuring.flops import (
    call_flops,
    draft_flops,
    recompute_flops,
    rejected_draft_flops,
    reread_flops,
    weights_only_flops,
)
from tts_eval.spend import Call

Config = Mapping[str, Any]


def flops_figures(
    calls: Sequence[Call],
    num_problems: int,
    configs: Mapping[str, Config | None],
    *,
    drafting: Config | None = None,
) -> dict[str, Any]:
    """Return FLOPs a problem; a kind of role that made no call took none, one of unknown sizes is None.

    `configs` holds the model's configuration of every role, None where FLOPs cannot be counted from it.
    Whatever is neither policy nor verifier counts as a draft, as does what drafts inside the policy's engine
    (`drafting`). What was computed for nothing or once more is part of its role's figure, and told apart.
    """
    architectures = {
        role: None if config is None else read_architecture(config) for role, config in configs.items()
    }
    kinds: dict[str, list[Call]] = {"policy": [], "verifier": [], "draft": []}
    for call in calls:
        kinds[call.role if call.role in kinds else "draft"].append(call)

    def each(mine: Sequence[Call], count: Callable[[Architecture, Call], int | None]) -> float | None:
        return _per_problem(mine, num_problems, architectures, count)

    extra = {
        name: each(calls, count)
        for name, count in {
            "rejected_draft_tokens": lambda a, call: _rejected(a, call, is_drafted=drafting is not None),
            "recompute": _recompute,
            "reread": _reread,
        }.items()
    }

    def spent(architecture: Architecture, call: Call) -> int | None:
        rejected = _rejected(architecture, call, is_drafted=drafting is not None)
        if rejected is None:
            return None
        further = rejected + _recompute(architecture, call) + _reread(architecture, call)
        return call_flops(architecture, **_tokens(call)) + further

    per_problem = {kind: each(mine, spent) for kind, mine in kinds.items()}
    inside = _inside_engine(kinds["policy"], num_problems, drafting)
    asked = per_problem["draft"]
    per_problem["draft"] = None if asked is None or inside is None else asked + inside
    known = [flops for flops in per_problem.values() if flops is not None]
    return {
        "flops_per_problem": {**per_problem, "total": sum(known) if len(known) == len(per_problem) else None},
        "flops_per_problem_extra": extra,
        "flops_per_problem_weights_only": each(calls, lambda a, call: weights_only_flops(a, **_tokens(call))),
    }


def _tokens(call: Call) -> dict[str, int]:
    return {
        "num_prompt_tokens": call.num_prompt_tokens,
        "num_cached_tokens": call.num_cached_tokens,
        "num_generated_tokens": call.num_generated_tokens,
    }


def _rejected(architecture: Architecture, call: Call, *, is_drafted: bool) -> int | None:
    """Return the FLOPs on rejected drafts; None where the engine drafted and does not tell of this call."""
    if call.num_draft_tokens is None or call.num_accepted_tokens is None:
        return None if is_drafted and call.role == "policy" else 0
    return rejected_draft_flops(
        architecture,
        num_prompt_tokens=call.num_prompt_tokens,
        num_generated_tokens=call.num_generated_tokens,
        num_rejected_tokens=call.num_draft_tokens - call.num_accepted_tokens,
    )


def _recompute(architecture: Architecture, call: Call) -> int:
    return recompute_flops(
        architecture,
        num_prompt_tokens=call.num_prompt_tokens,
        num_generated_tokens=call.num_generated_tokens,
        num_preemptions=call.num_preemptions,
    )


def _reread(architecture: Architecture, call: Call) -> int:
    return reread_flops(
        architecture,
        num_prompt_tokens=call.num_prompt_tokens,
        num_generated_tokens=call.num_generated_tokens,
        num_reread_tokens=call.num_reread_tokens,
    )


def _inside_engine(calls: Sequence[Call], num_problems: int, drafting: Config | None) -> float | None:
    """Return the FLOPs a problem of what drafts inside the engine; None where they cannot be counted."""
    if drafting is None or drafting["drafter"] == Drafter.LOOKUP:
        return 0.0
    if drafting["architecture"] is None:
        return None
    return _per_problem(
        calls,
        num_problems,
        {"policy": read_architecture(drafting["architecture"])},
        lambda architecture, call: (
            None
            if call.num_draft_tokens is None
            else draft_flops(architecture, **_tokens(call), num_draft_tokens=call.num_draft_tokens)
        ),
    )


def _per_problem(
    calls: Sequence[Call],
    num_problems: int,
    architectures: Mapping[str, Architecture | None],
    count: Callable[[Architecture, Call], int | None],
) -> float | None:
    """Return a sum over calls, a problem; None if there is a call that it is not known for."""
    total = 0
    for call in calls:
        architecture = architectures.get(call.role)
        flops = None if architecture is None else count(architecture, call)
        if flops is None:
            return None
        total += flops
    return total / num_problems if num_problems else None
