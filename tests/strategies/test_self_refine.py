"""Self-refine reads its own answer, finds what is wrong and answers again."""

from dataclasses import replace

import pytest

from strategies.self_refine import SelfRefine
from tts_eval.llm.scripted import MODEL, ScriptedEngine, metered
from tts_eval.records import Problem
from tts_eval.requests import Completion, Request

STRATEGY = SelfRefine(
    max_rounds=2, critique_prompt="Check.", revision_prompt="Again.", stop_phrase="NO MISTAKES"
)


class Listener(ScriptedEngine):
    """Replies in order, whatever it is asked, and keeps the whole dialogue of each request."""

    heard: list[str]

    async def generate(self, request: Request) -> Completion:
        self.heard = [*getattr(self, "heard", []), self.codec.decode(request.prompt_ids)]
        return await super().generate(request)


async def test_a_slip_is_found_and_mended() -> None:
    turns = [
        " hm </think> it is \\boxed{41}",
        " let me see </think> seven sixes are not that",
        " hm </think> it is \\boxed{42}",
        " fine </think> NO MISTAKES here",
    ]
    engine = Listener({"": turns})
    llm = metered(engine, model=MODEL)
    attempt = await STRATEGY.solve(Problem("p", "6 x 7 ?", "42"), llm, None)

    assert attempt.answer == "42"
    assert [candidate.answer for candidate in attempt.candidates] == ["41", "42"]
    assert engine.heard == [  # what was thought is not quoted
        "6 x 7 ? <ask>",
        "6 x 7 ? it is \\boxed{41} Check. <ask>",
        "6 x 7 ? it is \\boxed{41} Check. seven sixes are not that Again. <ask>",
        "6 x 7 ? it is \\boxed{41} Check. seven sixes are not that Again. it is \\boxed{42} Check. <ask>",
    ]
    assert llm.meter.spend().num_generated_tokens == 5 + 9 + 5 + 5
    assert [interim.answer for interim in llm.meter.interims] == ["41", "42"]


async def test_no_mistake_no_revision() -> None:
    engine = ScriptedEngine({"": [" </think> \\boxed{42}", " </think> NO MISTAKES"]})
    attempt = await STRATEGY.solve(Problem("p", "6 x 7 ?", "42"), metered(engine), None)
    assert (attempt.answer, len(engine.requests)) == ("42", 2)


@pytest.mark.parametrize(
    ("critique", "is_content"),
    [
        ("NO MISTAKES", True),
        ("**NO MISTAKES.**", True),
        ("No mistakes!", True),
        ("Step 1 is right.\nStep 2 is right.\n\nNO MISTAKES", True),
        ("NO MISTAKES. Every step follows.", True),
        ("Verdict: NO MISTAKES", True),
        ("I cannot say NO MISTAKES", False),
        ("I cannot say NO MISTAKES, as 6 x 7 is not 41.", False),
        ("If there were NO MISTAKES, it would say 42.", False),
        ("NO MISTAKES in step 1. Step 2 is wrong.", False),
        ("Step 1: NO MISTAKES. Step 2: wrong.", False),
    ],
)
async def test_only_a_critique_that_is_content_ends_it(critique: str, is_content: bool) -> None:
    engine = ScriptedEngine({"": [" </think> \\boxed{41}", f" </think> {critique}", " </think> \\boxed{42}"]})
    attempt = await replace(STRATEGY, max_rounds=1).solve(
        Problem("p", "6 x 7 ?", "42"), metered(engine), None
    )
    assert attempt.answer == ("41" if is_content else "42")


async def test_a_revision_without_an_answer_does_not_displace_the_one_before() -> None:
    engine = ScriptedEngine(
        {"": [" </think> \\boxed{42}", " </think> bad", " still thinking", " </think> bad"]}
    )
    attempt = await STRATEGY.solve(Problem("p", "6 x 7 ?", "42"), metered(engine), None)
    assert attempt.answer == "42"
    assert len(engine.requests) == 5  # three answers, two critiques, and not one turn more


async def test_a_dialogue_that_fills_the_models_length_ends_with_what_stands() -> None:
    """Room for 14: the question takes four tokens, the answer three; the first critique would have seven."""
    strategy = SelfRefine(max_rounds=2, critique_prompt="Check.", revision_prompt="Again.", max_tokens=8)
    engine = ScriptedEngine({"": [" </think> is \\boxed{42}"]}, max_model_len=14)
    attempt = await strategy.solve(Problem("p", "6 x 7 ?", "42"), metered(engine), None)
    assert (attempt.answer, len(engine.requests)) == ("42", 1)
