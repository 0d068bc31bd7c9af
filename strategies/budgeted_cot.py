"""Budget forcing (Muennighoff et al., arXiv 2501.19393, section 3.1): cap the thinking, or make it go on.

A budget counts every token after the prompt, the appended ones too.
"""

from __future__ import annotations

from dataclasses import dataclass

from tts_eval import checks
from tts_eval.protocols import LanguageModel, Setup, Verifier
from tts_eval.protocols.bounds import one_of, whole
from tts_eval.records import Attempt, Candidate, Finish, Problem, Trace
from tts_eval.spend import MaxSpend
from tts_eval.toolkit.sampled import Tempered

LEAD_IN_TOKENS = 32  # room for the end marker and the answer's lead-in


@dataclass(frozen=True, kw_only=True)
class BudgetedCot(Tempered):
    """One trace that thinks for at most `max_thinking_tokens`.

    A trace that reaches the cap has its thinking ended for it and is made to answer. One that ends its
    thinking sooner has the end marker replaced by "Wait", up to `max_waits` times, as long as budget is left.
    `max_answer_tokens` bounds an answer that was forced, and no other: a model whose thinking ended by itself
    writes out its solution after it, for hundreds of tokens. Null bounds neither, as s1 does in effect.
    `enforced_by`: "strategy" as just said; "engine" leaves the cap to an engine that can end the thinking
    itself (engine=vllm_thinking), and fails a problem on which it did not.
    """

    max_thinking_tokens: int = whole(256, minimum=1)
    max_answer_tokens: int | None = whole(None, minimum=1)
    max_waits: int = whole(0, minimum=0)
    enforced_by: str = one_of("strategy", ("strategy", "engine"))
    temperature: float | None = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.enforced_by == "engine" and self.max_waits:
            raise ValueError(
                f"strategy.max_waits must be 0 with strategy.enforced_by=engine, not {self.max_waits}: "
                "no engine makes a model wait"
            )

    def check(self, setup: Setup) -> None:
        """Reject a model that does not think, and budgets that its length, or the engine, cannot hold."""
        super().check(setup)
        model = setup.model
        if model.thinking_end is None:
            raise ValueError(f"budgeted_cot needs a model that thinks; {model.name!r} has no thinking_end")
        lead_in = max(LEAD_IN_TOKENS, len(model.markers.answer_lead_in.encode()))  # a token a byte at most
        total = self.max_thinking_tokens + lead_in + (self.max_answer_tokens or 1)
        checks.fits("strategy.max_thinking_tokens + strategy.max_answer_tokens", total, setup.room_tokens)
        if self.enforced_by == "engine" and setup.no_cap is not None:
            raise ValueError(setup.no_cap)

    def max_spend(self, room_tokens: int) -> MaxSpend:
        """Return one trace of full length; an end marker that "Wait" replaces was generated too."""
        return MaxSpend(1, room_tokens + self.max_waits * LEAD_IN_TOKENS)

    async def solve(self, problem: Problem, llm: LanguageModel, verifier: Verifier | None) -> Attempt:
        """Think within the budget, then answer."""
        trace = await (
            self._capped(problem, llm) if self.enforced_by == "engine" else self._forced(problem, llm)
        )
        answer = llm.answer(trace)
        return Attempt(answer, (Candidate.of(trace, answer),))

    async def _capped(self, problem: Problem, llm: LanguageModel) -> Trace:
        """Let the engine keep the budget; an answer that it did not force may go on beyond the bound."""
        bound = None
        if self.max_answer_tokens is not None:
            bound = self.max_thinking_tokens + LEAD_IN_TOKENS + self.max_answer_tokens
        [trace] = await llm.extend(
            llm.start(problem),
            max_tokens=bound,
            max_thinking_tokens=self.max_thinking_tokens,
            temperature=self.temperature,
            top_p=self.top_p,
        )
        is_cut = trace.finish is Finish.LENGTH and llm.room_tokens(trace) > 0
        if is_cut and self._ended_by_itself(trace, str(llm.markers.thinking_end)):
            [trace] = await llm.extend(trace, temperature=self.temperature, top_p=self.top_p)
        return trace

    def _ended_by_itself(self, trace: Trace, end: str) -> bool:
        thought, found, _ = trace.text.partition(end)
        return bool(found) and len(trace.codec.encode(thought)) < self.max_thinking_tokens

    async def _forced(self, problem: Problem, llm: LanguageModel) -> Trace:
        """Keep the budget by what is appended."""
        end = str(llm.markers.thinking_end)
        trace = llm.start(problem)
        for num_waits in range(self.max_waits + 1):
            [trace] = await llm.extend(
                trace,
                max_tokens=self.max_thinking_tokens - trace.num_tokens,
                stop=[end],
                temperature=self.temperature,
                top_p=self.top_p,
            )
            longer = trace.reopened() + llm.markers.wait
            budget_left = longer.num_tokens < self.max_thinking_tokens
            if trace.finish is not Finish.STOP or num_waits == self.max_waits or not budget_left:
                break
            trace = longer
        is_forced = trace.finish is Finish.LENGTH and trace.is_thinking  # an answer only goes on
        if is_forced:
            trace = trace.reopened() + llm.markers.answer_lead_in
        if trace.finish is not Finish.END:
            [trace] = await llm.extend(
                trace,
                max_tokens=self.max_answer_tokens if is_forced else None,
                temperature=self.temperature,
                top_p=self.top_p,
            )
        return trace
