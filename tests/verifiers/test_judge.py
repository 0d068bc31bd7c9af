"""A judge is asked about the solution alone; its grade is read from its words, which are charged to it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from strategies.best_of_n import BestOfN
from tests.verifiers.checkpoints import model_in
from tts_eval.llm.call import Served
from tts_eval.llm.metered_model import MeteredModel
from tts_eval.llm.metered_verifier import NEUTRAL, metered_verifier
from tts_eval.llm.scripted import ASK, ScriptedEngine, metered
from tts_eval.llm.tokenizer import Codec
from tts_eval.records import Finish, Problem
from tts_eval.requests import Completion, Request
from tts_eval.toolkit.fitting import LEFT_OUT
from verifiers.judge import Judge
from verifiers.yes_no import YesNo

PROBLEM = Problem("p", "What is 6 x 7?", "42")


def judged_by(engine: ScriptedEngine, policy: MeteredModel | None = None) -> MeteredModel:
    """Return a handle whose verifier is `engine`; the policy is the same model unless there is one."""
    policy = policy or metered(engine)
    return replace(policy, roles={**policy.roles, "verifier": metered(engine).roles["policy"]})


@pytest.mark.parametrize(
    ("verdict", "score"),
    [
        (" Good. </think> Grade: 8", 0.8),
        (" Grade: 2? </think> No, **Grade:** \\boxed{10}", 1.0),
        (" Good. </think> Score: 9 out of 10", 0.9),
        (" Hm. </think> Grade: 11", None),
        (" I cannot tell. </think>", None),
    ],
)
async def test_the_last_grade_after_the_thinking_counts(verdict: str, score: float | None) -> None:
    llm = judged_by(engine := ScriptedEngine({"": [verdict]}))
    trace = llm.start(PROBLEM) + " It is 42."

    assert await Judge().score_trace(PROBLEM, trace, llm) == score
    asked = engine.codec.decode(engine.requests[0].prompt_ids)
    assert "Problem:\nWhat is 6 x 7?\n\nSolution:\n It is 42." in asked
    assert "{" not in asked.removesuffix(ASK)
    assert [call.role for call in llm.meter.calls] == ["verifier"]


class Grades(ScriptedEngine):
    """A judge whose verdict hangs on the answer that it reads."""

    async def generate(self, request: Request) -> Completion:
        verdicts = {"{42}": "**Grade:** 9/10", "{41}": "I cannot tell.", "{40}": "Grade: 2"}
        asked = self.codec.decode(request.prompt_ids)
        [verdict] = [verdict for answer, verdict in verdicts.items() if answer in asked]
        self.replies = {"": [f" </think> {verdict}"]}
        return await super().generate(request)


async def test_a_verdict_without_a_grade_is_neutral_and_counted() -> None:
    policy = metered(ScriptedEngine({"": [f" hm </think> \\boxed{{{n}}}" for n in (40, 41, 42)]}))
    llm = judged_by(Grades({}), policy)
    async with metered_verifier(Judge(), llm) as verifier:
        attempt = await BestOfN(n=3, temperature=1.0).solve(PROBLEM, llm, verifier)
    assert [c.score for c in attempt.candidates] == [0.2, NEUTRAL, 0.9]
    assert attempt.answer == "42"
    assert llm.meter.spend().num_unscored_traces == 1


async def test_a_judge_reads_the_answer_and_not_the_thinking_unless_told_to() -> None:
    script = {"": [" </think> Grade: 5"]}
    for reads, is_quoted in (("answer", False), ("all", True)):
        llm = judged_by(engine := ScriptedEngine(script))
        await Judge(reads=reads).score_trace(PROBLEM, llm.start(PROBLEM) + " hm </think> So 42.", llm)
        asked = engine.codec.decode(engine.requests[0].prompt_ids)
        assert "So 42." in asked
        assert (" hm" in asked) is is_quoted
    with pytest.raises(ValueError, match=r"verifier\.reads must be one of answer, all, not 'end'"):
        Judge(reads="end")


@pytest.mark.parametrize("max_tokens", [None, 50])
async def test_a_trace_longer_than_the_judge_is_cut_at_its_front(max_tokens: int | None) -> None:
    llm = judged_by(engine := ScriptedEngine({"": [" </think> Grade: 9"]}, max_model_len=400))
    trace = llm.start(PROBLEM) + (" hm </think> First." + " so" * 5000 + " It is 42.")

    assert await Judge(max_tokens=max_tokens).score_trace(PROBLEM, trace, llm) == 0.9
    [request] = engine.requests
    asked = engine.codec.decode(request.prompt_ids)
    assert request.max_tokens >= 50
    assert asked.index(LEFT_OUT.strip()) < asked.index("It is 42.") < asked.index("Grade: <whole")
    assert "First." not in asked


async def test_a_question_longer_than_the_judge_fails_no_problem() -> None:
    llm = judged_by(engine := ScriptedEngine({}, max_model_len=60))
    assert await Judge().score_trace(PROBLEM, llm.start(PROBLEM) + " It is 42.", llm) is None
    assert engine.requests == []


class Hears(ScriptedEngine):
    """Grades everything 7 of 10, in the tokens of a real tokenizer, and remembers what it was asked."""

    def __init__(self, tokenizer: Codec) -> None:
        super().__init__({}, max_model_len=8000)
        self.tokenizer = tokenizer
        self.asked: list[str] = []

    async def generate(self, request: Request) -> Completion:
        self.asked.append(self.tokenizer.decode(request.prompt_ids))
        return Completion(self.tokenizer.encode("Grade: 7"), "Grade: 7", Finish.END)


async def test_a_judge_is_not_given_the_instruction_of_the_task(tmp_path: Path) -> None:
    """Told to put its final answer in a box, it would box the grade, or the answer."""
    model = model_in(tmp_path, instruction="Put your final answer within \\boxed{}.")
    engine = Hears(codec := Codec(model))
    llm = metered(engine)
    served = Served(model, codec, engine)
    llm = replace(llm, roles={"policy": served, "verifier": served})
    assert "Put your final answer" in codec.decode(llm.start(PROBLEM).prompt_ids)

    assert await Judge().score_trace(PROBLEM, llm.start(PROBLEM) + "It is 42.", llm) == 0.7
    assert "It is 42." in engine.asked[0]
    assert "Put your final answer" not in engine.asked[0]


def test_a_question_without_the_trace_is_refused() -> None:
    with pytest.raises(ValueError, match=r"verifier.rubric must contain \{trace\}"):
        Judge(rubric="How good is {problem}?")
    with pytest.raises(ValueError, match=r"verifier.question must contain \{problem\}"):
        YesNo(question="Is {trace} right?")


def test_prompts_are_kept_but_not_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The latest ones; what a verifier asks is not kept at all."""
    monkeypatch.setattr("tts_eval.llm.tokenizer.NUM_KEPT_PROMPTS", 3)
    codec = Codec(model_in(tmp_path))
    first = codec.prompt("q0")
    for number in range(1, 6):
        codec.prompt(f"q{number}")
        assert codec.prompt("q0") is first  # asked for again and again
        codec.prompt(f"Grade q{number}", is_instructed=False)
    assert [question for question, _ in codec._prompts] == ["q4", "q5", "q0"]
