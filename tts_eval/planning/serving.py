"""How an engine is set to serve: what one step may hold, and how it speculates.

Knows no model and no GPU.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tts_eval import checks
from tts_eval.planning.speculation import Speculation


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
