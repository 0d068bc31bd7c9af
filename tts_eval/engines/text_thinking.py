"""Thinking and answers divided by the markers in a text, where the token ids of a sample are not known."""

from __future__ import annotations

from dataclasses import dataclass

from tts_eval.model import Model
from tts_eval.records import Trace


@dataclass(frozen=True)
class TextThinking:
    """The thinking of `model`, by its markers in the text."""

    model: Model

    def answer_start(self, trace: Trace) -> int | None:
        """Return how many tokens come before the answer, in proportion to the text."""
        at = self.answer_at(trace)
        return None if at is None else at * trace.num_tokens // max(1, len(trace.text))

    def answer_at(self, trace: Trace) -> int | None:
        """Return where in the text the answer begins, None where the thinking did not end."""
        start, end = self.model.markers.thinking_start, self.model.markers.thinking_end
        if start is None or end is None:
            return 0
        if end in trace.text:
            return trace.text.index(end) + len(end)
        was_open = self.model.starts_thinking or start in trace.text
        return None if was_open or trace.finish is None else 0

    def said(self, trace: Trace) -> str:
        """Return the text after the thinking."""
        at = self.answer_at(trace)
        return "" if at is None else trace.text[at:].strip()

    def reopened(self, trace: Trace) -> Trace:
        """Raise ValueError: a trace without token ids cannot be cut."""
        raise ValueError("a trace whose token ids are not known cannot be cut")
