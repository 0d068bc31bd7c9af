"""The doubling rule: think twice as long as before, as long as that makes the model surer of its answer."""

from __future__ import annotations

from dataclasses import dataclass

from tts_eval import checks
from tts_eval.protocols import LanguageModel, Setup, Verifier
from tts_eval.protocols.bounds import number, whole
from tts_eval.records import Attempt, Candidate, Problem
from tts_eval.spend import MaxSpend
from tts_eval.toolkit.probing import Probe, check_probed, is_thinking, probe
from tts_eval.toolkit.sampled import Tempered
from tts_eval.toolkit.steps import is_finished


@dataclass(frozen=True, kw_only=True)
class Doubling(Tempered):
    """Think for `first_tokens`, ask for the answer, think on until twice as many, ask again, and so on.

    It ends when the confidence in the answer has risen by no more than `min_rise` since the budget was half;
    the surer of the two answers counts. A trace that ends its thinking by itself answers for itself.
    """

    first_tokens: int = whole(64, minimum=1)
    min_rise: float = number(0.0, minimum=0.0, maximum=1.0)
    max_probe_tokens: int = whole(20, minimum=1)

    def check(self, setup: Setup) -> None:
        """Reject a model that cannot be probed, and a first budget that its length cannot hold."""
        super().check(setup)
        check_probed("doubling", setup.model, None)
        checks.fits("strategy.first_tokens", self.first_tokens, setup.room_tokens)

    def max_spend(self, room_tokens: int) -> MaxSpend:
        """Return what a trace that never ends costs, with a probe at every doubling."""
        num_probes = (room_tokens // self.first_tokens).bit_length() + 1
        return MaxSpend(1, room_tokens + num_probes * self.max_probe_tokens)

    async def solve(self, problem: Problem, llm: LanguageModel, verifier: Verifier | None) -> Attempt:
        """Double the budget until the confidence no longer rises."""
        trace = llm.start(problem)
        budget = self.first_tokens
        before: Probe | None = None
        while True:
            [trace] = await llm.extend(
                trace,
                max_tokens=min(budget - trace.num_tokens, llm.room_tokens(trace)),
                temperature=self.temperature,
                top_p=self.top_p,
            )
            if is_finished(llm, trace):
                answer = llm.answer(trace)
                if answer is None and before is not None:
                    answer = before.answer
                return Attempt(answer, (Candidate.of(trace, answer),))
            budget *= 2
            if not is_thinking(llm, trace):
                continue
            now = await probe(
                llm, trace, lead_in=None, max_tokens=self.max_probe_tokens, temperature=0.0, num_logprobs=0
            )
            surer = now if before is None or now.confidence >= before.confidence else before
            llm.interim(surer.answer)
            if before is not None and now.confidence - before.confidence <= self.min_rise:
                return Attempt(
                    surer.answer, (Candidate.of(surer.trace, surer.answer, score=surer.confidence),)
                )
            before = now
