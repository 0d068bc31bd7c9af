"""Budget forcing ends thinking that is too long, and lengthens thinking that is too short."""

from dataclasses import replace

import pytest

from strategies.budgeted_cot import BudgetedCot
from tts_eval.llm.scripted import ASK, MODEL, ScriptedEngine, metered, solve
from tts_eval.protocols import Setup
from tts_eval.records import Problem
from tts_eval.requests import Completion, Request

LEAD_IN = " </think> \\boxed{"


async def test_a_thought_that_ends_in_time_is_left_alone() -> None:
    script = {"": [" six sevens </think> gone"], " six sevens </think>": [" \\boxed{42}"]}
    attempt, engine, meter = await solve(BudgetedCot(max_thinking_tokens=10), script)
    assert attempt.answer == "42"
    assert len(engine.requests) == 2
    assert meter.spend().num_generated_tokens == 3 + 1


async def test_a_thought_at_its_cap_is_ended_and_made_to_answer() -> None:
    script = {"": [" one two three four"], f" one two{LEAD_IN}": ["42}"]}
    attempt, engine, meter = await solve(BudgetedCot(max_thinking_tokens=2, max_answer_tokens=5), script)
    assert attempt.answer == "42"
    assert [request.max_tokens for request in engine.requests] == [2, 5]
    spend = meter.spend()
    assert (spend.num_generated_tokens, spend.num_thinking_tokens) == (3, 2)  # the lead-in was not generated


async def test_wait_takes_the_place_of_the_end_marker_and_the_budget_counts_on() -> None:
    script = {
        "": [" forty </think>"],
        " forty Wait": [" two </think>"],
        " forty Wait two </think>": [" \\boxed{42}"],
    }
    attempt, engine, _ = await solve(BudgetedCot(max_thinking_tokens=10, max_waits=1), script)
    assert attempt.answer == "42"
    assert [request.max_tokens for request in engine.requests[:2]] == [10, 8]  # "forty", "Wait" are spent


async def test_markers_of_several_tokens_are_taken_away_whole() -> None:
    """As s1's: the thinking ends with a special token and a word, and begins with another pair."""
    s1 = replace(
        MODEL,
        thinking_start="<|im_start|> think",
        thinking_end=" <|im_start|> answer",
        starts_thinking=False,
        answer_lead_in=" <|im_start|> answer Final: \\boxed{",
    )
    script = {
        "": [" <|im_start|> think forty <|im_start|> answer"],
        " <|im_start|> think forty Wait": [" two and more"],
        " <|im_start|> think forty Wait two <|im_start|> answer Final: \\boxed{": ["42}"],
    }
    strategy = BudgetedCot(max_thinking_tokens=5, max_waits=1)
    attempt, engine, meter = await solve(strategy, script, model=s1)
    assert attempt.answer == "42"
    room = engine.max_model_len - len(engine.requests[-1].prompt_ids)
    assert [request.max_tokens for request in engine.requests] == [5, 1, room]
    assert meter.spend().num_thinking_tokens == 5 + 1  # markers are thinking too, "Wait" is not generated


async def test_however_often_it_waits_the_budget_is_never_exceeded() -> None:
    """Each round thinks one token and the end marker; "Wait" takes the marker's place."""
    text, script = "", {}
    for _ in range(9):
        script[text] = [" more </think>"]
        script[f"{text} more </think>"] = [" \\boxed{42}"]
        script[f"{text} more{LEAD_IN}"] = ["42}"]
        text += " more Wait"
    for budget in range(1, 12):
        strategy = BudgetedCot(max_thinking_tokens=budget, max_waits=9, max_answer_tokens=7)
        attempt, engine, _ = await solve(strategy, script)
        assert attempt.answer == "42"
        assert all(request.max_tokens >= 1 for request in engine.requests)
        thought = attempt.candidates[0].text.split(" </think>")[0]
        assert len(thought.split()) <= budget


async def test_no_wait_where_no_budget_is_left_for_more() -> None:
    script = {"": [" forty </think>"], " forty </think>": [" \\boxed{40}"]}
    attempt, engine, _ = await solve(BudgetedCot(max_thinking_tokens=2, max_waits=6), script)
    assert attempt.answer == "40"
    assert len(engine.requests) == 2


async def test_a_model_that_ends_its_turn_while_thinking_is_not_asked_again() -> None:
    attempt, engine, _ = await solve(BudgetedCot(max_thinking_tokens=9), {"": [" I give up"]})
    assert attempt.answer is None
    assert len(engine.requests) == 1


async def test_an_engine_may_keep_the_budget_and_is_believed_only_as_far_as_it_did() -> None:
    by_engine = BudgetedCot(max_thinking_tokens=2, max_answer_tokens=9, enforced_by="engine")
    attempt, engine, _ = await solve(by_engine, {"": [" one two </think> \\boxed{42}"]})
    assert attempt.answer == "42"
    assert [request.max_thinking_tokens for request in engine.requests] == [2]
    with pytest.raises(RuntimeError, match="let 3 tokens be thought; it was asked to end at 2"):
        await solve(by_engine, {"": [" one two three </think> \\boxed{42}"]})
    with pytest.raises(RuntimeError, match="let 4 tokens be thought"):
        await solve(by_engine, {"": [" one two three four"]})
    with pytest.raises(
        ValueError, match=r"strategy\.max_waits must be 0 with strategy\.enforced_by=engine, not 1"
    ):
        BudgetedCot(enforced_by="engine", max_waits=1)


class Author(ScriptedEngine):
    """Writes one long trace, from wherever it is asked to go on; forced, it guesses 0.

    It ends the thinking itself where a request caps it, as engine=vllm_thinking does.
    """

    def __init__(self, thought: str, solution: str) -> None:
        super().__init__({}, max_model_len=4000)
        self.thought, self.whole = thought, f"{thought} </think>{solution}"

    async def generate(self, request: Request) -> Completion:
        written = self.codec.decode(request.prompt_ids).split(ASK, 1)[1]
        rest = "0}" if LEAD_IN in written else self.whole.removeprefix(written)
        cap = request.max_thinking_tokens
        if cap is not None and cap < len(self.codec.encode(self.thought)):
            rest = self.codec.decode(self.codec.encode(self.thought)[:cap]) + f"{LEAD_IN}0}}"
        self.replies = {written: [rest]}
        return await super().generate(request)


# As five public traces of R1 distills end: a solution written out, headings and all, the box at its very end.
SHAPES = [(300, 400, 7), (350, 520, 11), (410, 640, 42), (480, 770, 9), (560, 900, 3)]


@pytest.mark.parametrize("bound", [None, 64])
@pytest.mark.parametrize("enforced_by", ["strategy", "engine"])
@pytest.mark.parametrize(("num_thoughts", "num_words", "answer"), SHAPES)
async def test_an_answer_that_came_by_itself_is_whole_at_every_budget_above_its_thought(
    num_thoughts: int, num_words: int, answer: int, enforced_by: str, bound: int | None
) -> None:
    prose = " so" * (num_words // 2)
    solution = f"\n\n### Step 1{prose}\n\n**Final Answer**{prose}\n\\boxed{{{answer}}}"
    right = []
    for budget in (50, 200, 400, 800, 1600, 3000):
        engine = Author(" hm" * num_thoughts, solution)
        strategy = BudgetedCot(max_thinking_tokens=budget, max_answer_tokens=bound, enforced_by=enforced_by)
        llm = metered(engine)
        attempt = await strategy.solve(Problem("p", "What?", str(answer)), llm, None)
        right.append(attempt.answer == str(answer))
        assert attempt.answer == (str(answer) if budget > num_thoughts else "0")
        declared = strategy.max_spend(engine.max_model_len - 2)
        assert llm.meter.spend().num_generated_tokens <= declared.num_tokens
    assert right == sorted(right)  # accuracy never falls as the budget grows


async def test_a_forced_answer_is_bounded_where_that_is_asked_for() -> None:
    rambles = "4" + " or" * 90
    script = {"": [" one two three"], f" one two{LEAD_IN}": [rambles]}
    _, _, meter = await solve(BudgetedCot(max_thinking_tokens=2, max_answer_tokens=16), script)
    assert meter.spend().num_generated_tokens == 2 + 16
    _, _, meter = await solve(BudgetedCot(max_thinking_tokens=2), script)
    assert meter.spend().num_generated_tokens == 2 + 91


def test_what_cannot_work_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a model that thinks"):
        mute = replace(MODEL, thinking_start=None, thinking_end=None)
        BudgetedCot().check(Setup(mute, 900))
    with pytest.raises(ValueError, match="is 1033 tokens; the model's length leaves 900"):
        BudgetedCot(max_thinking_tokens=1000).check(Setup(MODEL, 900))
    with pytest.raises(ValueError, match=r"strategy\.max_waits must be a whole number from 0, not -1"):
        BudgetedCot(max_waits=-1)
