"""Asking a model for its answer while it is still thinking, without disturbing the thinking."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tts_eval.model import Model
from tts_eval.protocols import LanguageModel
from tts_eval.records import Trace


@dataclass(frozen=True, slots=True)
class Probe:
    """What the model said when it was asked: its reply follows `num_before` tokens of `trace`.

    `answer` is None where the reply does not close the box.
    """

    trace: Trace
    num_before: int
    reply: str
    answer: str | None

    @property
    def confidence(self) -> float:
        """The geometric mean of the probabilities of the reply's tokens up to the closing brace.

        0 without an answer; known only where the log-probabilities were asked for.
        """
        if self.answer is None:
            return 0.0
        assert self.trace.logprobs is not None
        ids = self.trace.token_ids[self.num_before :]
        num_answer = 1
        while closing_brace(self.trace.codec.decode(ids[:num_answer])) is None:
            num_answer += 1
        logprobs = self.trace.logprobs[self.num_before : self.num_before + num_answer]
        return math.exp(math.fsum(logprobs) / num_answer)


def check_probed(name: str, model: Model, lead_in: str | None) -> None:
    """Reject, with a ValueError, a model that does not think and a lead-in that opens no box."""
    if model.thinking_end is None:
        raise ValueError(f"{name} looks into the thinking; {model.name!r} has no thinking_end")
    asked = model.answer_lead_in if lead_in is None else lead_in
    if not asked.endswith("{"):
        raise ValueError(f"a probe must end by opening a box, as in '\\boxed{{', not {asked!r}")


def is_thinking(llm: LanguageModel, trace: Trace) -> bool:
    """Whether `trace` has not closed its thinking part yet."""
    return trace.is_thinking


async def probe(
    llm: LanguageModel,
    trace: Trace,
    *,
    lead_in: str | None,
    max_tokens: int,
    temperature: float | None = None,
    top_p: float | None = None,
    num_logprobs: int | None = None,
) -> Probe:
    """Append `lead_in` (None: the model's own) to `trace` and let the model fill the box that it opens.

    Near the model's length there may be no room to ask: then there is no answer.
    """
    begun = trace.reopened() if trace.is_thinking else trace
    asked = begun + (llm.markers.answer_lead_in if lead_in is None else lead_in)
    room_tokens = min(max_tokens, llm.room_tokens(asked))
    if room_tokens < 1:
        return Probe(asked, asked.num_tokens, "", None)
    [told] = await llm.extend(
        asked, max_tokens=room_tokens, temperature=temperature, top_p=top_p, num_logprobs=num_logprobs
    )
    reply = told.text[len(asked.text) :]
    end = closing_brace(reply)
    answer = None if end is None else reply[:end].strip() or None
    return Probe(told, asked.num_tokens, reply, answer)


def closing_brace(text: str) -> int | None:
    """Return where the first brace of `text` stands that closes more than was opened, None without one."""
    depth = 0
    for place, character in enumerate(text):
        depth += (character == "{") - (character == "}")
        if depth < 0:
            return place
    return None
