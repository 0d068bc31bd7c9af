"""Where the thinking part of a trace ends, in tokens, for one model.

Knows no engine; it reads the token ids, and the text only where the model may not think at all.
"""

from __future__ import annotations

from collections.abc import Sequence

from tts_eval.codec import Codec
from tts_eval.model import Model
from tts_eval.records import Candidate, Finish, Markers, Trace

PROMPT_TAIL_TOKENS = 16  # a template that switches thinking off closes it at the very end of the prompt


class ThinkingPart:
    """How one model opens and closes its thinking."""

    def __init__(self, model: Model, codec: Codec) -> None:
        self._start = model.thinking_start
        self._starts_by_itself = model.starts_thinking
        self._end = () if model.thinking_end is None else codec.encode(model.thinking_end)

    def answer_start(self, trace: Trace) -> int | None:
        """Return how many of the trace's tokens stand before its answer, None while it still thinks."""
        if not self._end:
            return 0
        closed = index_after(trace.token_ids, self._end)
        if closed is not None:
            return closed
        if index_after(trace.prompt_ids[-PROMPT_TAIL_TOKENS:], self._end) is not None:
            return 0
        never_opened = not self._starts_by_itself and str(self._start) not in trace.text
        return 0 if never_opened and trace.finish is not None else None


def said(trace: Trace | Candidate, markers: Markers) -> str:
    """Return what is said after the thinking part; nothing if the thinking has not ended."""
    if markers.thinking_start is None or markers.thinking_end is None:
        return trace.text.strip()
    thought, end, spoken = trace.text.partition(markers.thinking_end)
    thinks = not end and (markers.thinking_start in thought or trace.finish is not Finish.END)
    return "" if thinks else (spoken if end else thought).strip()


def index_after(token_ids: Sequence[int], marker: Sequence[int]) -> int | None:
    """Return the index just after the first `marker` in `token_ids`, None without one."""
    width = len(marker)
    for index in range(len(token_ids) - width + 1):
        if token_ids[index] == marker[0] and tuple(token_ids[index : index + width]) == tuple(marker):
            return index + width
    return None
