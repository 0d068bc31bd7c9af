"""A small model drafts each step; what the judge does not like is written again by the large one."""

from dataclasses import replace

import pytest

from strategies.speculative_reasoning import SpeculativeReasoning
from tts_eval.llm.call import Served
from tts_eval.llm.metered_model import MeteredModel
from tts_eval.llm.scripted import MODEL, ScriptedEngine, ScriptedVerifier, WordCodec, metered
from tts_eval.protocols import RoleSetup, Setup
from tts_eval.records import Attempt, Problem

END = " </think> \\boxed{42}"
DRAFT = {"": [" easy\n\n"], " easy\n\n": [" wrong\n\n"], " easy\n\n right\n\n": [END]}
POLICY = {" easy\n\n": [" right\n\n"]}
SCORES = {"easy": 0.9, "wrong": 0.2, "right": 0.8, "42": 0.7}
DRAFTED = Setup(MODEL, 900, roles={"draft": RoleSetup(MODEL, 900)})
PROBLEM = Problem("p", "6 x 7?", "42")


def handle(
    policy: dict[str, list[str]], *, same_tokenizer: bool = True
) -> tuple[MeteredModel, ScriptedEngine, ScriptedEngine]:
    large = ScriptedEngine(policy)
    small = ScriptedEngine(DRAFT, codec=large.codec if same_tokenizer else WordCodec())
    if not same_tokenizer:
        small.codec.encode(" other words come first")
    llm = metered(large)
    drafter = Served(replace(MODEL, name="draft"), small.codec, small)  # type: ignore[arg-type]
    return replace(llm, roles={**llm.roles, "draft": drafter}), large, small


async def test_a_step_below_the_threshold_is_rewritten() -> None:
    llm, large, small = handle(POLICY)
    attempt = await SpeculativeReasoning(threshold=0.7).solve(PROBLEM, llm, ScriptedVerifier(SCORES))

    assert attempt.answer == "42"
    assert attempt.candidates[0].text == " easy\n\n right\n\n" + END
    assert (len(small.requests), len(large.requests)) == (3, 1)
    spend = llm.meter.spend()
    assert spend.by_role["policy"].num_generated_tokens == 2  # "right" and its blank line
    assert spend.num_generated_tokens == 2 + 2 + 2 + 2
    assert spend.num_draft_tokens == sum(len(r.prompt_ids) for r in small.requests) + 2 + 2 + 2


async def test_a_higher_threshold_leaves_everything_to_the_large_model() -> None:
    policy = {"": [" easy\n\n"], " easy\n\n": [" right\n\n"], " easy\n\n right\n\n": [END]}
    llm, large, _ = handle(policy)
    attempt = await SpeculativeReasoning(threshold=0.95).solve(PROBLEM, llm, ScriptedVerifier(SCORES))
    assert attempt.answer == "42"
    assert len(large.requests) == 3


async def test_the_large_model_may_be_the_judge() -> None:
    """It is asked in a turn of its own, without thinking, and made to begin with the digit's sentence."""
    policy = {**POLICY, " </think> A": [" 8", " 3", " 7"]}
    llm, large, _ = handle(policy)
    judged = SpeculativeReasoning(judge="model", rating_prompt="Rate it.", rating_lead_in=" A")
    attempt = await judged.solve(PROBLEM, llm, None)
    asked = [large.codec.decode(r.prompt_ids) for r in large.requests if r.stop == ()]
    assert asked[1] == "6 x 7?  easy\n\n wrong\n\n Rate it. <ask> </think> A"
    assert attempt.answer == "42"
    assert llm.meter.spend().by_role["policy"].num_generated_tokens == 3 + 2  # three digits, one step
    assert [r.max_tokens for r in large.requests if r.stop == ()] == [1, 1, 1]


@pytest.mark.parametrize("same_tokenizer", [True, False])
async def test_text_is_encoded_anew_where_the_tokenizers_differ(same_tokenizer: bool) -> None:
    llm, large, small = handle(POLICY, same_tokenizer=same_tokenizer)
    attempt: Attempt = await SpeculativeReasoning().solve(PROBLEM, llm, ScriptedVerifier(SCORES))
    assert attempt.answer == "42"
    seen_by_large = large.codec.decode(large.requests[0].prompt_ids)
    seen_by_small = small.codec.decode(small.requests[1].prompt_ids)
    assert seen_by_large == seen_by_small == "6 x 7? <ask> easy\n\n"
    assert (large.requests[0].prompt_ids == small.requests[1].prompt_ids) is same_tokenizer


async def test_a_draft_model_of_shorter_length_is_not_asked_beyond_it() -> None:
    """The steps that the large model wrote have carried the trace over the draft's length by then."""
    long = " so" * 30 + "\n\n"
    policy = {"": [" easy\n\n"], " easy\n\n": [long], f" easy\n\n{long}": [END]}
    llm, _, small = handle(policy)
    small.max_model_len = 12
    attempt = await SpeculativeReasoning().solve(PROBLEM, llm, ScriptedVerifier({**SCORES, "so": 0.9}))
    assert attempt.answer == "42"
    assert len(small.requests) == 2
    assert all(request.max_tokens > 0 for request in small.requests)


async def test_after_so_many_steps_the_large_model_writes_the_rest() -> None:
    llm, large, small = handle({" easy\n\n": [" right\n\n" + END]})
    attempt = await SpeculativeReasoning(max_steps=1).solve(PROBLEM, llm, ScriptedVerifier(SCORES))
    assert attempt.candidates[0].text == " easy\n\n right\n\n" + END
    assert (len(small.requests), len(large.requests)) == (1, 1)
    assert large.requests[0].stop == ()


def test_what_is_missing_is_said_before_anything_runs() -> None:
    with pytest.raises(ValueError, match="give one for the role 'draft'"):
        SpeculativeReasoning().check(Setup(MODEL, 900))
    with pytest.raises(ValueError, match=r"strategy\.judge=prm needs a verifier"):
        SpeculativeReasoning().check(DRAFTED)
    SpeculativeReasoning(judge="model").check(DRAFTED)
