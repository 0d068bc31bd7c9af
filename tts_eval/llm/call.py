"""A sample that has been asked for: how its trace grows, and the call that it is booked as.

Booking it is `language_model`'s job, and drawing it an engine's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tts_eval.engines.protocol import AnyEngine, Engine
from tts_eval.llm.tokenizer import Codec
from tts_eval.measuring.gaps import gap_counts
from tts_eval.model import Model
from tts_eval.records import Finish, Trace
from tts_eval.requests import Completion, Request, Timing
from tts_eval.spend import Call


@dataclass(frozen=True, slots=True)
class OpenCall:
    """A call that is not yet booked: `trace` is what it goes on from, `number` counts in its problem."""

    trace: Trace
    request: Request
    number: int
    submitted_s: float

    def grown(self, completion: Completion) -> Trace:
        """Return the trace with what `completion` adds to it."""
        num_tokens, text = self.trace.num_tokens, completion.text
        if completion.finish is not None:
            text = self.trace.codec.shown(text, completion.token_ids)
        return replace(
            self.trace,
            token_ids=self.trace.token_ids + completion.token_ids,
            text=self.trace.text + text,
            finish=completion.finish,
            logprobs=_joined(self.trace.logprobs, completion.logprobs, num_tokens),
            confidences=_joined(self.trace.confidences, completion.confidences, num_tokens),
            call=self.number,
            is_correct=completion.is_correct,
        )

    def num_thinking_tokens(self, grown: Trace) -> int:
        """Return how many of the tokens that this call added to `grown` are thinking."""
        answer_start = grown.answer_start
        thinking_end = grown.num_tokens if answer_start is None else answer_start
        return max(0, thinking_end - self.trace.num_tokens)

    def booked(
        self,
        completion: Completion,
        *,
        num_thinking_tokens: int,
        problem_id: str,
        role: str,
        about: int | None,
        finished_s: float,
    ) -> Call:
        """Return the record of this call, its moments on the run's clock.

        A call that was stopped before its first token, and of which the engine reports no place in a step,
        waited all the time: its prompt counts as not read.
        """
        assert completion.finish is not None
        timing, num_tokens = completion.timing, len(completion.token_ids)
        is_unserved = completion.finish is Finish.ABORT and num_tokens == 0 and timing.queue_s is None
        num_prompt_tokens = completion.num_prompt_tokens
        if num_prompt_tokens is None:
            num_prompt_tokens = len(self.request.prompt_ids)
        answer_after_s = None
        if num_thinking_tokens < num_tokens:
            answer_after_s = _answer_after_s(timing, num_thinking_tokens)
        return Call(
            problem_id=problem_id,
            number=self.number,
            role=role,
            seed=self.request.seed if self.request.sampling.temperature > 0 else None,
            num_prompt_tokens=0 if is_unserved else num_prompt_tokens,
            num_cached_tokens=completion.num_cached_tokens,
            num_generated_tokens=num_tokens,
            finish=completion.finish,
            submitted_s=self.submitted_s,
            finished_s=finished_s,
            queue_s=timing.queue_s,
            first_token_s=self._on_clock(timing.first_token_s, finished_s),
            prefill_s=timing.prefill_s,
            decode_s=timing.decode_s,
            first_answer_token_s=self._on_clock(answer_after_s, finished_s),
            gap_counts=None if timing.token_times_s is None else gap_counts(timing.token_times_s),
            num_preemptions=completion.num_preemptions,
            num_drafts=completion.num_drafts,
            num_draft_tokens=completion.num_draft_tokens,
            num_accepted_tokens=completion.num_accepted_tokens,
            num_reread_tokens=completion.num_reread_tokens,
            num_pieces=completion.num_pieces,
            requeue_s=timing.requeue_s,
            about=about,
            num_thinking_tokens=num_thinking_tokens,
            url=completion.url,
            first_byte_s=timing.first_byte_s,
            failed=completion.failed,
        )

    def _on_clock(self, after_s: float | None, finished_s: float) -> float | None:
        """Return when a token came; the last one is there when the call ends.

        vLLM says when the first token reached us, and of the others how long after it the core made them: if
        the first was long on its way, on a busy machine, they would seem to come after the end.
        """
        return None if after_s is None else min(self.submitted_s + after_s, finished_s)


def _answer_after_s(timing: Timing, num_thinking_tokens: int) -> float | None:
    """Return submission → first token after so many; None where the engine does not tell."""
    if timing.token_times_s is not None:
        return timing.token_times_s[num_thinking_tokens]
    return timing.first_token_s if num_thinking_tokens == 0 else None


def _joined(
    old: tuple[float, ...] | None, new: tuple[float, ...] | None, num_old_tokens: int
) -> tuple[float, ...] | None:
    if new is None:
        return None
    return (old if old is not None else (0.0,) * num_old_tokens) + new


@dataclass(frozen=True)
class Served:
    """A model that runs: its settings, its tokenizer, its engine."""

    model: Model
    codec: Codec
    engine: AnyEngine

    @property
    def sampler(self) -> Engine:
        """The engine, which must draw samples."""
        if not isinstance(self.engine, Engine):
            raise ValueError(
                f"the engine of {self.model.name} reads reward models and draws no samples: give engine=vllm"
            )
        return self.engine
