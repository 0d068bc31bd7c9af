"""What a strategy holds of a verifier: a score a step, each asked for once, by whoever comes first."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from tts_eval.llm.metered_verifier import metered_verifier
from tts_eval.llm.scripted import ScriptedEngine, metered
from tts_eval.protocols import LanguageModel, Verifier
from tts_eval.records import Problem, Trace

PROBLEM = Problem("p", "What is 6 x 7?", "42")


@dataclass
class Lengths(Verifier):
    """Scores a step by its length, and remembers which steps it was asked for; "bad" cannot be scored."""

    asked: list[list[str]] = field(default_factory=list)
    opened: asyncio.Event = field(default_factory=asyncio.Event)

    async def score_steps(
        self, problem: Problem, steps: Sequence[str], llm: LanguageModel, *, num_known: int
    ) -> list[float]:
        self.asked.append(list(steps[num_known:]))
        await self.opened.wait()
        if "bad" in steps:
            raise ValueError("bad cannot be scored")
        return [float(len(step.strip())) for step in steps[num_known:]]


@dataclass
class Whole(Verifier):
    """Scores a trace by its length."""

    asked: list[str] = field(default_factory=list)

    async def score_trace(self, problem: Problem, trace: Trace, llm: LanguageModel) -> float:
        self.asked.append(trace.text)
        return float(len(trace.text))


def traces_of(*texts: str) -> list[Trace]:
    llm = metered(ScriptedEngine({}))
    return [llm.start(PROBLEM) + text for text in texts]


async def test_shared_prefixes_are_scored_once_however_they_come() -> None:
    lengths = Lengths()
    lengths.opened.set()
    async with metered_verifier(lengths, metered(ScriptedEngine({}))) as verifier:
        assert verifier is not None
        scores = await verifier.score(PROBLEM, traces_of("a\n\nbb\n\n", "a\n\nccc\n\n", "a\n\nbb\n\ndddd"))
        again = await verifier.score(PROBLEM, traces_of("a\n\nbb\n\n"))

    assert scores == [[1.0, 2.0], [1.0, 3.0], [1.0, 2.0, 4.0]]
    assert again == [[1.0, 2.0]]
    assert lengths.asked == [["a\n\n", "bb\n\n"], ["ccc\n\n"], ["dddd"]]


async def test_whoever_is_cancelled_harms_nobody_who_waits_for_the_same_score() -> None:
    lengths = Lengths()
    async with metered_verifier(lengths, metered(ScriptedEngine({}))) as verifier:
        assert verifier is not None
        first = asyncio.create_task(verifier.score(PROBLEM, traces_of("a\n\n")))
        second = asyncio.create_task(verifier.score(PROBLEM, traces_of("a\n\nbb")))
        await asyncio.sleep(0.01)
        first.cancel()
        await asyncio.sleep(0)
        lengths.opened.set()

        assert await second == [[1.0, 2.0]]
    assert first.cancelled()
    assert lengths.asked == [["a\n\n"], ["bb"]]


async def test_what_failed_in_a_longer_trace_is_asked_again_for_a_shorter_one() -> None:
    lengths = Lengths()
    lengths.opened.set()
    async with metered_verifier(lengths, metered(ScriptedEngine({}))) as verifier:
        assert verifier is not None
        with pytest.raises(ValueError, match="bad cannot be scored"):
            await verifier.score(PROBLEM, traces_of("a\n\nbad"))
        assert await verifier.score(PROBLEM, traces_of("a\n\nbb")) == [[1.0, 2.0]]


async def test_the_end_of_an_attempt_stops_what_is_still_being_scored() -> None:
    lengths = Lengths()
    async with metered_verifier(lengths, metered(ScriptedEngine({}))) as verifier:
        assert verifier is not None
        asked = asyncio.create_task(verifier.score(PROBLEM, traces_of("a\n\n")))
        await asyncio.sleep(0.01)
    with pytest.raises(asyncio.CancelledError):
        await asked


async def test_an_outcome_verifier_gives_one_score_a_trace() -> None:
    whole = Whole()
    async with metered_verifier(whole, metered(ScriptedEngine({}))) as verifier:
        assert verifier is not None
        assert await verifier.score(PROBLEM, traces_of("a\n\nbb", "ccc", "a\n\nbb")) == [[5.0], [3.0], [5.0]]
    assert sorted(whole.asked) == ["a\n\nbb", "ccc"]


async def test_without_a_verifier_there_is_none() -> None:
    async with metered_verifier(None, metered(ScriptedEngine({}))) as verifier:
        assert verifier is None
