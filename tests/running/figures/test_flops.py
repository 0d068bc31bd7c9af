"""What speculation and preemption waste is part of a run's FLOPs, and told apart."""

from __future__ import annotations

from typing import Any

import pytest

from tests.running.figures.outcomes import call
from tts_eval.drafting import Drafter
from tts_eval.measuring.architecture_reader import read_architecture
from tts_eval.measuring.flops import call_flops, decode_flops, prefill_flops
from tts_eval.running.figures.flops import flops_figures

TARGET = {
    "model_type": "llama",
    "hidden_size": 8,
    "intermediate_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "vocab_size": 32,
}
SMALL = {**TARGET, "num_hidden_layers": 1}
PLAIN = call("a", "policy", 0.0, 1.0, prompt=10, generated=21)
DRAFTED = call("a", "policy", 0.0, 1.0, prompt=10, generated=21, num_draft_tokens=30, num_accepted_tokens=10)
LOOKED_UP: dict[str, Any] = {"drafter": Drafter.LOOKUP, "architecture": None}
BY_MODEL: dict[str, Any] = {"drafter": Drafter.MODEL, "architecture": SMALL}
BY_LAYERS: dict[str, Any] = {"drafter": Drafter.LAYERS, "architecture": None}

WHOLE = call_flops(
    read_architecture(TARGET), num_prompt_tokens=10, num_cached_tokens=0, num_generated_tokens=21
)
PASSES = decode_flops(read_architecture(TARGET), num_context_tokens=10, num_passes=20)


def figures(*calls: Any, drafting: dict[str, Any] | None = None) -> dict[str, Any]:
    return flops_figures(calls, 1, {"policy": TARGET}, drafting=drafting)


def test_a_plain_call_wastes_nothing() -> None:
    found = figures(PLAIN)

    assert found["flops_per_problem"] == {"policy": WHOLE, "verifier": 0, "draft": 0, "total": WHOLE}
    assert found["flops_per_problem_extra"] == {"rejected_draft_tokens": 0, "recompute": 0, "reread": 0}


def test_twenty_rejected_tokens_cost_twenty_passes() -> None:
    found = figures(DRAFTED, drafting=LOOKED_UP)

    assert found["flops_per_problem_extra"]["rejected_draft_tokens"] == PASSES
    assert found["flops_per_problem"]["policy"] == WHOLE + PASSES
    assert found["flops_per_problem"]["draft"] == 0


def test_a_small_model_that_drafts_counts_as_a_draft() -> None:
    """Its prompt, and thirty passes at the mean length of the call's twenty."""
    small = read_architecture(SMALL)
    passes = decode_flops(small, num_context_tokens=10, num_passes=20) * 30 // 20
    found = figures(DRAFTED, drafting=BY_MODEL)["flops_per_problem"]

    assert found["draft"] == prefill_flops(small, num_prompt_tokens=10) + passes
    assert found["total"] == found["policy"] + found["draft"]


@pytest.mark.parametrize(
    ("drafting", "drafted", "unknown"),
    [
        (BY_LAYERS, DRAFTED, {"draft", "total"}),  # the sizes of its layers are not read
        (LOOKED_UP, PLAIN, {"policy", "total"}),  # an engine that does not tell of single calls
    ],
)
def test_what_cannot_be_counted_is_unknown(drafting: dict[str, Any], drafted: Any, unknown: set[str]) -> None:
    found = figures(drafted, drafting=drafting)["flops_per_problem"]

    assert {kind for kind, flops in found.items() if flops is None} == unknown


def test_preempted_and_forgotten_tokens_are_computed_again() -> None:
    """Twice the prompt and half of the answer; and six tokens that had left the cache."""
    preempted = call("a", "policy", 0.0, 1.0, prompt=10, generated=21, num_preemptions=2)
    reread = call("a", "policy", 0.0, 1.0, prompt=10, generated=21, num_reread_tokens=6)
    architecture = read_architecture(TARGET)

    again = 2 * prefill_flops(architecture, num_prompt_tokens=20)
    six = prefill_flops(architecture, num_prompt_tokens=20, num_cached_tokens=14)
    assert figures(preempted)["flops_per_problem_extra"]["recompute"] == again
    assert figures(reread)["flops_per_problem_extra"]["reread"] == six
    assert figures(preempted, reread)["flops_per_problem"]["policy"] == 2 * WHOLE + again + six
