"""How an engine is set to serve: what one step may hold, how it speculates, and what a step then takes."""

from __future__ import annotations

from dataclasses import dataclass, field

from tts_eval import checks
from tts_eval.planning.speculation import Speculation
from tts_eval.planning.step_time import PARTS, Batch, StepModel, StepTime


@dataclass(frozen=True, slots=True)
class Serving:
    """Settings of each replica; the names are vLLM's."""

    max_num_seqs: int = 1024
    max_num_batched_tokens: int = 8192
    enable_chunked_prefill: bool = True
    speculation: Speculation = field(default_factory=Speculation)

    def __post_init__(self) -> None:
        checks.whole_number("plan.max_num_seqs", self.max_num_seqs, minimum=1)
        checks.whole_number("plan.max_num_batched_tokens", self.max_num_batched_tokens, minimum=1)


def step_time(step_model: StepModel, batch: Batch, serving: Serving) -> StepTime:
    """Return the time of a step, with the draft model's steps where it speculates.

    A draft step takes `draft_cost` of a plain step of the target; it is counted as the target's time is.
    """
    time = step_model.step_time(batch)
    speculation = serving.speculation
    if not speculation.num_draft_tokens or not batch.num_decoding:
        return time
    plain = step_model.step_time(Batch(batch.num_decoding, batch.num_context_tokens))
    share = speculation.num_draft_tokens * speculation.draft_cost
    return StepTime(*(getattr(time, name) + share * getattr(plain, name) for name in PARTS))
