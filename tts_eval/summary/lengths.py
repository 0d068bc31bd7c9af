"""How long prompts and outputs were, without which no throughput can be compared to another."""

from __future__ import annotations

from collections.abc import Sequence

from tts_eval.records import Finish
from tts_eval.rundir.topic import Topic
from tts_eval.spend import Call
from tts_eval.statistics.spread import Spread


class Lengths(Topic, frozen=True, kw_only=True):
    """How the lengths of prompts and outputs, in tokens, spread over the calls of roles that answer.

    An output that was stopped is censored: it would have grown on. A prompt that was never read has none.
    """

    prompt_tokens: Spread | None
    output_tokens: Spread | None


def length_figures(calls: Sequence[Call]) -> Lengths:
    """Return the lengths of `calls`."""
    answering = [call for call in calls if call.role != "verifier"]
    whole = [float(call.num_generated_tokens) for call in answering if call.finish is not Finish.ABORT]
    stopped = [float(call.num_generated_tokens) for call in answering if call.finish is Finish.ABORT]
    return Lengths(
        prompt_tokens=Spread.of(float(c.num_prompt_tokens) for c in answering if c.num_prompt_tokens),
        output_tokens=Spread.of(whole, stopped),
    )
