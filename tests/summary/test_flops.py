"""What speculation and preemption waste is part of a run's FLOPs, and told apart."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.summary.outcomes import call
from tts_eval.engines.protocol import Drafter, RecordedDrafting
from tts_eval.measuring.architecture_reader import read_architecture
from tts_eval.records import Finish
from tts_eval.rundir.schema import plain
from tts_eval.summary.call_flops import FlopsCounter, num_read_by_draft, num_rounds
from tts_eval.summary.flops import flops_by_problem, flops_figures
from tts_eval.summary.flops_formulas import call_flops, decode_flops, prefill_flops

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
DRAFTED = call(
    "a",
    "policy",
    0.0,
    1.0,
    prompt=10,
    generated=21,
    num_drafts=10,
    num_draft_tokens=30,
    num_accepted_tokens=10,
)
LOOKED_UP = RecordedDrafting(Drafter.LOOKUP, 3)
BY_MODEL = RecordedDrafting(Drafter.MODEL, 3, SMALL)
BY_LAYERS = RecordedDrafting(Drafter.LAYERS, 3)

WHOLE = call_flops(
    read_architecture(TARGET), num_prompt_tokens=10, num_cached_tokens=0, num_generated_tokens=21
)
PASSES = decode_flops(read_architecture(TARGET), num_context_tokens=10, num_passes=20)


def figures(*calls: Any, drafting: RecordedDrafting | None = None) -> Any:
    return plain(
        flops_figures(calls, 1, FlopsCounter.read({"policy": TARGET, "cheap": SMALL}, {"policy": drafting}))
    )


def test_a_plain_call_wastes_nothing() -> None:
    found = figures(PLAIN)

    assert found["flops_per_problem"] == {"policy": WHOLE, "verifier": 0, "draft": 0, "total": WHOLE}
    assert found["flops_per_problem_extra"] == dict.fromkeys(
        ("rejected_draft_tokens", "after_end", "recompute", "reread"), 0
    )


def test_twenty_rejected_tokens_cost_twenty_passes() -> None:
    found = figures(DRAFTED, drafting=LOOKED_UP)

    assert found["flops_per_problem_extra"]["rejected_draft_tokens"] == PASSES
    assert found["flops_per_problem"]["policy"] == WHOLE + PASSES
    assert found["flops_per_problem"]["draft"] == 0


def test_a_small_model_that_drafts_counts_as_a_draft() -> None:
    """One round after the prompt and ten that read four tokens again: 3 + 10 x (4 + 3); 33 proposed."""
    small = read_architecture(SMALL)
    weights, lm_head = small.num_active_layer_weights, small.num_lm_head_weights
    pair_flops = 4 * small.num_heads * small.head_dim  # a product and a weighing, two FLOPs each
    pairs = sum(range(11, 31))  # of the twenty tokens after the prompt
    prefill = prefill_flops(small, num_prompt_tokens=10) - 2 * lm_head
    found = figures(DRAFTED, drafting=BY_MODEL)["flops_per_problem"]

    assert num_rounds(DRAFTED) == 11
    assert num_read_by_draft(DRAFTED, 3) == 73
    assert found["draft"] == prefill + 2 * weights * 73 + pair_flops * pairs * 73 // 20 + 2 * lm_head * 33
    assert found["total"] == found["policy"] + found["draft"]


def test_accepted_tokens_beyond_the_samples_end_were_computed_for_nothing() -> None:
    """The sample may have 18 tokens and no more: of 10 accepted ones 7 are in it."""
    ended = replace(DRAFTED, num_generated_tokens=18, finish=Finish.LENGTH)

    found = figures(ended, drafting=LOOKED_UP)["flops_per_problem_extra"]["rejected_draft_tokens"]
    passes = decode_flops(read_architecture(TARGET), num_context_tokens=10, num_passes=17)
    assert found == passes * 23 // 17


def test_a_step_is_lost_on_a_sample_that_is_ended_from_outside() -> None:
    """The core makes one more step before it hears of the end: 1 + 3 tokens, and a round of 4 + 3."""
    stopped = replace(DRAFTED, finish=Finish.STOP)

    found = figures(stopped, drafting=BY_MODEL)
    passes = decode_flops(read_architecture(TARGET), num_context_tokens=10, num_passes=20)
    assert found["flops_per_problem_extra"]["after_end"] == passes * 4 // 20
    assert found["flops_per_problem"]["policy"] == WHOLE + passes + passes * 4 // 20
    assert num_read_by_draft(stopped, 3) == 73 + 7
    assert (
        figures(replace(PLAIN, finish=Finish.ABORT))["flops_per_problem_extra"]["after_end"] == passes // 20
    )


def test_the_shares_of_problems_and_of_roles_add_up_to_the_total() -> None:
    """In-engine drafts have no call of their own; they belong to the calls they draft for."""
    calls = [DRAFTED, replace(DRAFTED, problem_id="b", num_drafts=20), replace(PLAIN, role="cheap")]
    counter = FlopsCounter.read({"policy": TARGET, "cheap": SMALL}, {"policy": BY_MODEL})
    found = plain(flops_figures(calls, 2, counter))
    shares = flops_by_problem(calls, counter)

    total = found["flops_per_problem"]["total"]
    assert sum(flops or 0 for flops in shares.values()) == 2 * total
    assert sum(found["flops_per_problem_by_role"].values()) == total
    assert sum(found["flops_per_problem"].values()) == 2 * total
    assert set(found["flops_per_problem_by_role"]) == {"policy", "cheap"}


@pytest.mark.parametrize(
    ("drafting", "drafted", "unknown"),
    [
        (BY_LAYERS, DRAFTED, {"draft", "total"}),  # the sizes of its layers are not read
        (LOOKED_UP, PLAIN, {"policy", "total"}),  # an engine that does not tell of single calls
    ],
)
def test_what_cannot_be_counted_is_unknown(
    drafting: RecordedDrafting, drafted: Any, unknown: set[str]
) -> None:
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
