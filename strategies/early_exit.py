"""Early exit by probing (Dynasor-CoT, Fu et al., arXiv 2412.20993): ask for answers while it thinks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tts_eval.protocols import LanguageModel, Setup, Verifier
from tts_eval.protocols.bounds import whole
from tts_eval.records import Attempt, Candidate, Problem, Trace
from tts_eval.spend import MaxSpend
from tts_eval.toolkit.probing import Probe, check_probed, is_thinking, probe
from tts_eval.toolkit.sampled import Sampled

HEDGES = ("wait", "hold", "but", "okay", "no", "hmm")  # Dynasor's: a reply with one of them is not certain


@dataclass(frozen=True, kw_only=True)
class EarlyExit(Sampled):
    """One trace, probed after every `every` tokens of thinking, that ends once `patience` probes agree.

    They agree where their answers are equivalent and none of them hedges. `probe` is what is appended to ask
    (null: the model's own lead-in of an answer). A trace that ends by itself answers for itself; one that is
    cut off in thinking answers what it last said in a probe.
    """

    every: int = whole(64, minimum=1)
    patience: int = whole(3, minimum=1)
    probe: str | None = None
    max_probe_tokens: int = whole(20, minimum=1)

    def check(self, setup: Setup) -> None:
        """Reject a model that cannot be probed, and a bound that its length cannot hold."""
        super().check(setup)
        check_probed("early_exit", setup.model, self.probe)

    def max_spend(self, room_tokens: int) -> MaxSpend:
        """Return what a trace that never ends costs, with all of its probes."""
        longest = self.max_tokens or room_tokens
        return MaxSpend(1, longest + longest // self.every * self.max_probe_tokens)

    async def solve(self, problem: Problem, llm: LanguageModel, verifier: Verifier | None) -> Attempt:
        """Think, and leave as soon as the answer stands."""
        trace = llm.start(problem)
        probes: list[Probe] = []
        async with llm.stream(
            trace,
            max_tokens=self.max_tokens,
            temperature=self.temperature,
            top_p=self.top_p,
            every=self.every,
        ) as growing:
            async for trace in growing:
                while (looked_at := self._next_look(trace, len(probes))) and is_thinking(llm, looked_at):
                    probes.append(await self._ask(llm, looked_at))
                    llm.interim(probes[-1].answer)
                    if await self._is_certain(llm, probes):
                        return _attempt(probes[-1])
        answer = llm.answer(trace)
        answered = [one for one in probes if one.answer is not None]
        if answer is None and answered:
            return _attempt(answered[-1])
        return Attempt(answer, (Candidate.of(trace, answer),))

    def _next_look(self, trace: Trace, num_probes: int) -> Trace | None:
        """Return `trace` as it was at the next probe: looks come when they come, probes at fixed places."""
        place = (num_probes + 1) * self.every
        return trace.first(place) if place <= trace.num_tokens else None

    async def _ask(self, llm: LanguageModel, trace: Trace) -> Probe:
        return await probe(
            llm,
            trace,
            lead_in=self.probe,
            max_tokens=self.max_probe_tokens,
            temperature=self.temperature,
            top_p=self.top_p,
        )

    async def _is_certain(self, llm: LanguageModel, probes: Sequence[Probe]) -> bool:
        last = probes[-self.patience :]
        if len(last) < self.patience or any(hedge in one.reply.lower() for one in last for hedge in HEDGES):
            return False
        groups = await llm.group([one.answer for one in last])
        return len(groups) == 1 and len(groups[0]) == self.patience


def _attempt(last: Probe) -> Attempt:
    return Attempt(last.answer, (Candidate.of(last.trace, last.answer),))
