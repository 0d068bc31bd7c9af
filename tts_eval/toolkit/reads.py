"""What a verifier reads of a trace: its answer, or all of it.

Reward models were trained on solutions of a few hundred tokens. What a thinking model writes before its
solution is ten times as long, so that a verifier which reads from the front never comes to the answer.
"""

from __future__ import annotations

from dataclasses import replace

from tts_eval.protocols.verifier import ANSWER
from tts_eval.records import Trace


def part_read(trace: Trace, reads: str) -> Trace:
    """Return `trace` with the text that is to be read.

    Before the thinking has ended there is no answer: a search that is guided meanwhile has all of it read.
    """
    at = trace.codec.thinking.answer_at(trace) if reads == ANSWER else None
    # Its end is left as it is, a blank line perhaps: a step of it is the same step once the trace has grown.
    answer = "" if at is None else trace.text[at:].lstrip()
    return replace(trace, text=answer) if answer else trace
