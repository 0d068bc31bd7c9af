"""A Monte Carlo tree search that can be followed by hand, one simulation at a time and several at once."""

import asyncio
import math
from dataclasses import replace

import pytest

from strategies.mcts import Mcts
from tts_eval.llm.scripted import ScriptedEngine, ScriptedVerifier, metered, solve
from tts_eval.records import Problem
from tts_eval.requests import Completion, Request

END = " </think> \\boxed{{{}}}"
SCRIPT = {
    "": [" a\n\n", " b\n\n"],
    " a\n\n": [" c\n\n", END.format(1)],
    " b\n\n": [END.format(42), END.format(41)],
    " a\n\n c\n\n": [END.format(2), END.format(3)],
}
SCORES = {"42": 0.9, "41": 0.5, "1": 0.3, "2": 0.2, "3": 0.1, "a": 0.8, "b": 0.7, "c": 0.4}


def mcts(**settings: object) -> Mcts:
    return Mcts(**({"width": 2, "in_flight": 1, "exploration": 1.0, "rollout": False} | settings))  # type: ignore[arg-type]


async def test_uct_by_hand() -> None:
    """1: a = .8   2: b = .7   3: a promises .8 + sqrt(ln 2), b .7 + the same: a grows c = .4, a falls to .6.

    4: a promises .6 + sqrt(ln 3 / 2) = 1.34, b .7 + sqrt(ln 3) = 1.75: b grows 42 = .9, b rises to .8.
    5: with ln 4 and two visits each, .6 against .8: b grows 41 = .5, and is complete.
    6: only a is left; it has room: a grows 1 = .3.
    """
    attempt, _, meter = await solve(mcts(max_simulations=6), SCRIPT, verifier=ScriptedVerifier(SCORES))

    root, *rest = attempt.tree
    steps = [(node.text.split()[-1], node.num_visits, round(node.value or 0, 4)) for node in rest]
    assert steps == [
        ("a", 3, 0.5),  # .8, .4, .3
        ("c", 1, 0.4),
        ("\\boxed{1}", 1, 0.3),
        ("b", 3, 0.7),  # .7, .9, .5
        ("\\boxed{42}", 1, 0.9),
        ("\\boxed{41}", 1, 0.5),
    ]
    assert (root.parent, root.num_visits) == (None, 6)
    assert root.value == pytest.approx(0.6)
    assert [c.answer for c in attempt.candidates] == ["42", "41", "1"]
    assert attempt.answer == "42"
    assert meter.spend().num_generated_tokens == 2 + 2 + 2 + 2 + 2 + 2


async def test_the_best_below_a_node_may_count_instead_of_the_mean() -> None:
    """After three simulations a keeps .8, so that it is gone down again instead of b."""
    attempt, _, _ = await solve(
        mcts(max_simulations=4, backup="max", exploration=0.0), SCRIPT, verifier=ScriptedVerifier(SCORES)
    )
    values = {node.text.split()[-1]: node.value for node in attempt.tree[1:]}
    assert values == pytest.approx({"a": 0.8, "c": 0.4, "\\boxed{1}": 0.3, "b": 0.7})


async def test_a_complete_tree_ends_the_search() -> None:
    attempt, engine, _ = await solve(mcts(max_simulations=99), SCRIPT, verifier=ScriptedVerifier(SCORES))
    assert len(engine.requests) == 8
    assert {c.answer for c in attempt.candidates} == {"42", "41", "1", "2", "3"}


async def test_the_budget_may_be_in_tokens() -> None:
    verifier = ScriptedVerifier(SCORES)
    _, _, meter = await solve(mcts(max_simulations=None, max_tree_tokens=7), SCRIPT, verifier=verifier)
    assert meter.spend().num_generated_tokens == 8  # four steps of two tokens


async def test_a_search_that_finished_nothing_writes_its_most_visited_path_to_the_end() -> None:
    attempt, engine, _ = await solve(mcts(max_simulations=3), SCRIPT, verifier=ScriptedVerifier(SCORES))
    assert engine.requests[-1].stop == ()
    assert len(engine.requests) == 3 + 1
    assert attempt.answer == "2"  # a was visited twice, c once


async def test_a_rollout_is_worth_what_it_ends_as() -> None:
    """Step a is written to its end as c, 2 = .2; step b as 42 = .9."""
    script = {**SCRIPT, " a\n\n": [" c" + END.format(2)]}
    attempt, _, meter = await solve(
        mcts(max_simulations=2, rollout=True), script, verifier=ScriptedVerifier(SCORES)
    )
    values = {node.text.strip(): node.value for node in attempt.tree[1:]}
    assert values == pytest.approx({"a": 0.2, "b": 0.9})
    assert [c.answer for c in attempt.candidates] == ["2", "42"]
    assert attempt.answer == "42"
    assert meter.spend().num_generated_tokens == 2 * 2 + 3 + 2


async def test_without_a_word_simulations_are_rolled_out() -> None:
    """One simulation is one finished trace, as in openr, rStar and llm-reasoners."""
    script = {**SCRIPT, " a\n\n": [" c" + END.format(2)]}
    search = Mcts(width=2, in_flight=1, max_simulations=2)
    attempt, _, _ = await solve(search, script, verifier=ScriptedVerifier(SCORES))
    assert [c.answer for c in attempt.candidates] == ["2", "42"]


async def test_by_visits_the_most_visited_steps_decide_not_the_best_score() -> None:
    """Greedily, a = .9 and all below it (c, 1, 2, 3) are grown before b = .2 is gone down, to 42 = .95."""
    seen = {"42": 0.95, "1": 0.3, "2": 0.2, "3": 0.1, "a": 0.9, "b": 0.2, "c": 0.9}
    answers = {}
    for answer_by in ("visits", "best"):
        search = mcts(answer_by=answer_by, max_simulations=7, exploration=0.0)
        attempt, _, _ = await solve(search, SCRIPT, verifier=ScriptedVerifier(seen))
        answers[answer_by] = attempt.answer
        visits = {node.text.split()[-1]: node.num_visits for node in attempt.tree[1:]}
        assert visits == {
            "a": 5,
            "c": 3,
            "\\boxed{2}": 1,
            "\\boxed{3}": 1,
            "\\boxed{1}": 1,
            "b": 2,
            "\\boxed{42}": 1,
        }

    assert answers == {"visits": "2", "best": "42"}


class Counting(ScriptedEngine):
    """Remembers how many samples it was drawing at a time."""

    num_running = 0
    most_running = 0

    async def generate(self, request: Request) -> Completion:
        self.num_running += 1
        self.most_running = max(self.most_running, self.num_running)
        completion = await super().generate(request)
        self.num_running -= 1
        return completion


async def test_several_simulations_fly_at_a_time_and_spread_out() -> None:
    """With four in flight, both steps of the root are grown at once, then two below each: a breadth first."""
    engine = Counting(SCRIPT)
    attempt = await mcts(max_simulations=6, in_flight=4).solve(
        Problem("p", "What is 6 x 7?", "42"), metered(engine), ScriptedVerifier(SCORES)
    )
    assert engine.most_running >= 2
    visits = {node.text.split()[-1]: node.num_visits for node in attempt.tree[1:]}
    assert visits["a"] == visits["b"] == 3


@pytest.mark.parametrize("in_order", [True, False])
async def test_a_slow_simulation_holds_up_those_behind_it_only_in_order(in_order: bool) -> None:
    """Step a is slow. In order, b lands after it; else b has both of its own steps before a lands."""

    class Slow(ScriptedEngine):
        async def generate(self, request: Request) -> Completion:
            whole = await super().generate(request)
            for _ in range(200 if whole.text == " a\n\n" else 0):
                await asyncio.sleep(0)
            return whole

    engine = Slow(SCRIPT)
    search = mcts(max_simulations=6, in_flight=2, in_order=in_order)
    await search.solve(Problem("p", "6 x 7?", "42"), metered(engine), ScriptedVerifier(SCORES))
    asked = [engine.codec.decode(request.prompt_ids).partition("<ask>")[2] for request in engine.requests]
    expected = ["", "", " a\n\n"] if in_order else ["", "", " b\n\n", " b\n\n"]
    assert asked[: len(expected)] == expected


async def test_virtual_loss_is_gone_once_everything_has_landed() -> None:
    for in_flight in (1, 3, 8):
        attempt, _, _ = await solve(
            mcts(max_simulations=8, in_flight=in_flight), SCRIPT, verifier=ScriptedVerifier(SCORES)
        )
        root = attempt.tree[0]
        assert root.num_visits == 8
        scores = [node.score for node in attempt.tree[1:] if node.score is not None]
        assert root.value == pytest.approx(math.fsum(scores) / 8)


async def test_puct_goes_where_the_model_itself_would_go() -> None:
    """Equal values: the likelier step, e^-0.1 against e^-3 a token, is gone down first."""

    class Likelihoods(ScriptedEngine):
        async def generate(self, request: Request) -> Completion:
            whole = await super().generate(request)
            assert request.num_logprobs == 0
            logprob = -3.0 if " b" in whole.text else -0.1
            return replace(whole, logprobs=(logprob,) * len(whole.token_ids))

    level = {key: 0.5 for key in SCORES}
    engine = Likelihoods(SCRIPT)
    attempt = await mcts(max_simulations=4, selection="puct", exploration=1.25).solve(
        Problem("p", "What is 6 x 7?", "42"), metered(engine), ScriptedVerifier(level)
    )
    visits = {node.text.split()[-1]: node.num_visits for node in attempt.tree[1:]}
    assert (visits["a"], visits["b"]) == (3, 1)


def test_what_cannot_work_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"max_simulations and strategy\.max_tree_tokens must not both be null"
    ):
        Mcts(max_simulations=None)
    with pytest.raises(ValueError, match=r"strategy\.selection must be one of uct, puct, not 'ucb'"):
        Mcts(selection="ucb")
    with pytest.raises(
        ValueError, match=r"strategy\.answer_by must be one of visits, best, weighted, majority"
    ):
        Mcts(answer_by="value")
