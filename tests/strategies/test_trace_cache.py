"""A trace cache answers a problem twice for the price of once, and says that it did."""

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from strategies.cot import Cot
from strategies.trace_cache import TraceCache
from tests.running.cells import Sums, sums_cell
from tts_eval.grading.grader import Grader
from tts_eval.grading.pool import GradingPool
from tts_eval.llm.scripted import ScriptedEngine, metered
from tts_eval.records import Attempt, Problem
from tts_eval.rundir.directory import RunDirectory
from tts_eval.running.loads import Sequential
from tts_eval.running.loop import run_cell
from tts_eval.toolkit.difficulty import HashedNgrams


async def asked(cache: TraceCache, *questions: str) -> tuple[list[Attempt], ScriptedEngine]:
    engine = ScriptedEngine({"": [" </think> \\boxed{1}", " </think> \\boxed{2}", " </think> \\boxed{3}"]})
    problems = [Problem(f"p{i}", question, "?") for i, question in enumerate(questions)]
    return [await cache.solve(problem, metered(engine), None) for problem in problems], engine


async def test_the_same_question_is_answered_from_the_store() -> None:
    attempts, engine = await asked(TraceCache(Cot()), "What is 6 x 7?", "What is 6 x 8?", "What  is 6 x 7?\n")
    assert [attempt.answer for attempt in attempts] == ["1", "2", "1"]
    assert [attempt.reused_from for attempt in attempts] == [None, None, "p0"]
    assert len(engine.requests) == 2


async def test_a_near_question_is_a_hit_above_the_threshold_alone() -> None:
    questions = ("How many apples are left in the basket?", "How many pears are left in the basket?")
    vectors = [HashedNgrams()(question) for question in questions]
    likeness = float(vectors[0] @ vectors[1])
    assert 0.5 < likeness < 0.95

    for threshold, reused_from in ((likeness - 0.01, "p0"), (likeness + 0.01, None)):
        cache = TraceCache(Cot(), match="embedding", threshold=threshold, embedding=HashedNgrams())
        [_, second], _ = await asked(cache, *questions)
        assert second.reused_from == reused_from


async def test_an_attempt_without_an_answer_is_not_stored() -> None:
    engine = ScriptedEngine({"": [" still thinking", " </think> \\boxed{42}"]})
    cache = TraceCache(Cot())
    problem = Problem("p", "What is 6 x 7?", "42")
    assert (await cache.solve(problem, metered(engine), None)).answer is None
    assert (await cache.solve(problem, metered(engine), None)).answer == "42"


class Repeated(Sums):
    """Sums 0, 1, 2 and once more 1 and 2 under other names; the calculator is wrong on 2."""

    def problems(self) -> list[Problem]:
        once = list(super().problems())
        again = [Problem(f"{p.id}-again", p.question, p.gold) for p in once[1:]]
        return once + again


async def test_hits_are_marked_on_disk_and_can_be_left_out_of_accuracy(tmp_path: Path) -> None:
    checked, engine = sums_cell(tmp_path, strategy=TraceCache(Cot()), load=Sequential())
    checked = replace(checked, problems=tuple(Repeated(3).problems()))
    summary = await run_cell(checked, engine, Grader(GradingPool()))

    answers = summary.answers
    assert (answers.num_problems, answers.num_correct, answers.num_reused) == (5, 3, 2)
    assert answers.accuracy == pytest.approx(3 / 5)
    assert answers.accuracy_not_reused == pytest.approx(2 / 3)
    assert summary.spent.tokens.generated == 3 * 5
    reused = {o.problem_id: o.attempt.reused_from for o in RunDirectory(tmp_path).outcomes() if o.attempt}
    assert reused["sum-1-again"] == "sum-1"
    assert reused["sum-1"] is None


async def test_what_an_earlier_run_answered_is_there_from_the_start(tmp_path: Path) -> None:
    checked, engine = sums_cell(tmp_path / "first", num_problems=2)
    config = {"task": {"_target_": "tests.running.cells.Sums", "num_problems": 2}}
    checked = replace(checked, cell=replace(checked.cell, config=config))
    await run_cell(checked, engine, Grader(GradingPool()))

    cache = TraceCache(Cot(), runs=[str(tmp_path / "first")])
    checked, engine = sums_cell(tmp_path / "second", strategy=cache, num_problems=3)
    summary = await run_cell(checked, engine, Grader(GradingPool()))
    assert (summary.answers.num_problems, summary.answers.num_reused, len(engine.requests)) == (3, 2, 1)
    assert summary.answers.num_correct == 2  # the third is the one that the calculator gets wrong
    with pytest.raises(ValueError, match="no run is there"):
        TraceCache(Cot(), runs=[str(tmp_path / "nowhere")])
    first = RunDirectory(tmp_path / "first")
    first.write_manifest(msgspec.structs.replace(first.manifest(), schema_version=0))
    with pytest.raises(ValueError, match="was written under schema 0; only"):
        TraceCache(Cot(), runs=[str(tmp_path / "first")])


def test_what_cannot_work_is_refused() -> None:
    with pytest.raises(ValueError, match=r"strategy\.match=embedding needs a strategy\.embedding"):
        TraceCache(Cot(), match="embedding")
    with pytest.raises(ValueError, match=r"strategy\.threshold must be a number from 0 to 1, not 2"):
        TraceCache(Cot(), threshold=2)
