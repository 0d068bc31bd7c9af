"""Each subtree of a diverse verifier tree search goes its own way and waits for nobody."""

import asyncio

import pytest

from strategies.dvts import Dvts
from tts_eval.llm.scripted import ScriptedEngine, ScriptedVerifier, metered, solve
from tts_eval.records import Problem
from tts_eval.requests import Completion, Request

END = " </think> \\boxed{{{}}}"
SCRIPT = {
    "": [" good\n\n", " bad\n\n", " fine\n\n", " awful\n\n"],
    " good\n\n": [END.format(42), END.format(41)],
    " fine\n\n": [END.format(40), " more\n\n"],
    " fine\n\n more\n\n": [END.format(39), END.format(38)],
}
SCORES = {"good": 0.9, "fine": 0.6, "bad": 0.3, "awful": 0.1, "more": 0.7}
ANSWERS = {"42": 0.8, "41": 0.2, "40": 0.5, "39": 0.4, "38": 0.3}


async def test_every_subtree_follows_its_best_step_and_leaves_its_last_variants() -> None:
    verifier = ScriptedVerifier(SCORES | ANSWERS)
    attempt, engine, meter = await solve(Dvts(n=4, beam_width=2), SCRIPT, verifier=verifier)

    assert [c.answer for c in attempt.candidates] == ["42", "41", "39", "38"]  # 40 lost to "more"
    assert attempt.answer == "42"
    assert len(engine.requests) == 4 + 4 + 2
    assert meter.spend().num_generated_tokens == 4 * 2 + (2 + 2 + 2 + 2) + 4
    assert [node.parent for node in attempt.tree].count(None) == 2  # two trees


async def test_a_last_step_may_be_unfinished_and_then_never_wins() -> None:
    script = {"": [" good\n\n", END.format(42)]}
    verifier = ScriptedVerifier({"good": 0.5, "42": 0.6})
    attempt, _, _ = await solve(Dvts(n=2, beam_width=2), script, verifier=verifier)

    assert [c.answer for c in attempt.candidates] == [None, "42"]
    assert attempt.answer == "42"


async def test_a_fast_subtree_does_not_wait_for_a_slow_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The verifier holds one subtree back until the other has finished: a barrier would hang for ever."""
    other_done = asyncio.Event()

    class Holding(ScriptedVerifier):
        async def score(self, problem, traces):  # type: ignore[no-untyped-def]
            if "good" in traces[0].text and "42" not in traces[0].text:
                await other_done.wait()
            if "39" in traces[0].text:
                other_done.set()
            return await super().score(problem, traces)

    script = {
        "": [" good\n\n", " fine\n\n"],
        " good\n\n": [END.format(42)],
        " fine\n\n": [END.format(39)],
    }
    verifier = Holding(SCORES | ANSWERS)
    search = solve(Dvts(n=2, beam_width=1), script, verifier=verifier)
    attempt, _, _ = await asyncio.wait_for(search, timeout=5)
    assert [c.answer for c in attempt.candidates] == ["42", "39"]


async def test_the_same_things_are_asked_whichever_subtree_is_faster() -> None:
    """A sample's seed hangs on its prefix: it does not change with who came back first."""

    class Delayed(ScriptedEngine):
        slow = " good"

        async def generate(self, request: Request) -> Completion:
            for _ in range(9 if self.slow in self.codec.decode(request.prompt_ids) else 0):
                await asyncio.sleep(0)
            return await super().generate(request)

    async def requests(slow: str) -> list[Request]:
        engine = Delayed(SCRIPT)
        engine.slow = slow
        for text in (*SCRIPT, *(reply for replies in SCRIPT.values() for reply in replies)):
            engine.codec.encode(text)  # ids are given out as words turn up
        verifier = ScriptedVerifier(SCORES | ANSWERS)
        await Dvts(n=4, beam_width=2).solve(Problem("p", "6 x 7?", "42"), metered(engine), verifier)
        return engine.requests

    one, other = await requests(" good"), await requests(" fine")
    assert [r.prompt_ids for r in one] != [r.prompt_ids for r in other]
    assert {(r.prompt_ids, r.seed) for r in one} == {(r.prompt_ids, r.seed) for r in other}
    assert len({r.seed for r in one}) == 10
