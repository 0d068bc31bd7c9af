"""Prompts about a trace that is longer than the verifier's model: the trace is cut at its front.

The end is kept, as it is where the answer is.
"""

from __future__ import annotations

from collections.abc import Callable

from tts_eval.protocols import LanguageModel
from tts_eval.records import Trace

LEFT_OUT = "[Its beginning is left out: it was too long.]\n"


def filled(prompt: str, *, problem: str, trace: str) -> str:
    """Return `prompt` with {problem} and {trace} replaced; braces in either are left alone."""
    before, *rest = prompt.split("{trace}")
    return trace.join(part.replace("{problem}", problem) for part in (before, *rest))


def fitted(
    text: str,
    prompt_of: Callable[[str], Trace],
    llm: LanguageModel,
    *,
    reserve: float = 0.0,
    note: str = "",
) -> Trace:
    """Return `prompt_of(text)`, or of as much of the end of `text`, after `note`, as fits the model.

    `reserve` is how many tokens to leave for a reply; below 1, the share of the room beside the text. Where
    not even the rest of the prompt fits, it is returned as it is.
    """
    prompt = prompt_of(text)
    num_reserved = reserve if reserve >= 1 else reserve * llm.room_tokens(prompt_of(""))
    ids = prompt.codec.encode(text)
    while ids and (num_missing := int(num_reserved) - llm.room_tokens(prompt)) > 0:
        ids = ids[num_missing:]
        prompt = prompt_of(note + prompt.codec.decode(ids))
    return prompt
