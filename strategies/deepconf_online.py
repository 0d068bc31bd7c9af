"""DeepConf, online (Fu et al., arXiv 2508.15260, section 3.3): traces that become unsure are stopped.

The warm-up has to end before the rest can begin: no trace can be judged without it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace

from tts_eval.concurrency import tasks, together
from tts_eval.protocols import LanguageModel, Verifier
from tts_eval.protocols.bounds import number, whole
from tts_eval.records import Attempt, Candidate, Problem, Trace
from tts_eval.toolkit.confidence import Descent, lowest, percentile
from tts_eval.toolkit.sampled import Repeated
from tts_eval.toolkit.voting import answered_scores, heaviest_share, scores_of, weighted_plurality


@dataclass(frozen=True, kw_only=True)
class DeepConfOnline(Repeated):
    """`num_warmup` whole traces set a threshold; of the other `n - num_warmup`, those below it are stopped.

    A trace's confidence is its lowest mean of `window` tokens in a row. The threshold lets a share `keep` of
    the warm-up pass: .9 is what the authors call high, .1 low. Those that pass vote, with their confidence
    for weight. A trace is looked at after every `every` tokens and ends at the token where it fell below; one
    shorter than a window is never stopped. Once an answer has a share `consensus` of all weights, what still
    runs is stopped (section 3.3; null: never). Warm-up traces without an answer set no threshold.
    """

    n: int = 64
    num_warmup: int = whole(16, minimum=1, maximum="n")
    keep: float = number(0.9, minimum=0.0, maximum=1.0)
    consensus: float | None = number(0.95, minimum=0.5, maximum=1.0, or_null=True)
    window: int = whole(2048, minimum=1)
    num_likeliest: int = whole(20, minimum=1)
    every: int = whole(32, minimum=1)

    async def solve(self, problem: Problem, llm: LanguageModel, verifier: Verifier | None) -> Attempt:
        """Warm up, set the threshold, sample the rest under it, vote."""
        warmup = await together(
            self.sample(llm, problem, num_logprobs=self.num_likeliest) for _ in range(self.num_warmup)
        )
        whole = [self._candidate(llm, trace, is_heard=True) for trace in warmup]
        threshold = percentile(answered_scores(whole), 1 - self.keep)
        passing = [c if (c.score or 0.0) >= threshold else replace(c, answer=None) for c in whole]
        drawn = dict(enumerate(passing))
        if await self._is_settled(llm, drawn):
            return await _attempt(llm, drawn)
        running: list[asyncio.Task[None]] = []

        async def sample(number: int) -> None:
            trace = await self._watched(problem, llm, threshold)
            drawn[number] = self._candidate(llm, trace, is_heard=trace.finish is not None)
            if await self._is_settled(llm, drawn):
                for other in running:
                    if other is not asyncio.current_task():
                        other.cancel()

        async with tasks() as group:
            running += [group.create_task(sample(number)) for number in range(self.num_warmup, self.n)]
        return await _attempt(llm, drawn)

    async def _is_settled(self, llm: LanguageModel, drawn: Mapping[int, Candidate]) -> bool:
        """Note the answer so far, and return whether there is consensus on it."""
        so_far = await _attempt(llm, drawn)
        llm.interim(so_far.answer, so_far.candidates)
        if self.consensus is None:
            return False
        answers = [candidate.answer for candidate in so_far.candidates]
        return await heaviest_share(llm, answers, scores_of(so_far.candidates)) >= self.consensus

    async def _watched(self, problem: Problem, llm: LanguageModel, threshold: float) -> Trace:
        """Return a trace, cut where a full window of it fell below `threshold`."""
        trace = llm.start(problem)
        descent = Descent(self.window, threshold)
        async with llm.stream(
            trace,
            max_tokens=self.max_tokens,
            temperature=self.temperature,
            top_p=self.top_p,
            num_logprobs=self.num_likeliest,
            every=self.every,
        ) as growing:
            async for trace in growing:
                drop = descent.first_drop(trace.confidences or ())
                if drop is not None:
                    return trace.first(drop)
        return trace

    def _candidate(self, llm: LanguageModel, trace: Trace, *, is_heard: bool) -> Candidate:
        """Return the candidate that `trace` makes; one that is not heard has no answer."""
        confidence = lowest(trace.confidences or (), self.window)
        return Candidate.of(trace, llm.answer(trace) if is_heard else None, score=confidence)


async def _attempt(llm: LanguageModel, drawn: Mapping[int, Candidate]) -> Attempt:
    """Return the vote of those `drawn`, in the order of their drawing."""
    candidates = tuple(drawn[number] for number in sorted(drawn))
    answer = await weighted_plurality(llm, [c.answer for c in candidates], scores_of(candidates))
    return Attempt(answer, candidates)
