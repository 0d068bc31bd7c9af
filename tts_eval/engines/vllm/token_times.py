"""When each token of a request came, noted as vLLM's output processor takes it over.

Knows no request of ours. Streaming every token to every caller would tell as much and slow all of them down;
vLLM hands over each step's tokens in one call, which is where they are counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

Step = tuple[float, int]  # the engine's clock, and how many tokens came


class TokenTimes:
    """The requests whose steps are noted, by the ids under which they were asked for."""

    def __init__(self) -> None:
        self._steps: dict[str, list[Step]] = {}

    def watch(self, output_processor: Any) -> None:
        """Note from now on what `output_processor`, vLLM's, is handed."""
        process: Callable[..., Any] = output_processor.process_outputs

        def process_outputs(outputs: Any, timestamp: float, *further: Any, **named: Any) -> Any:
            states = output_processor.request_states
            for output in outputs:
                state = states.get(output.request_id)
                if state is not None and output.new_token_ids:
                    steps = self._steps.get(state.external_req_id)
                    if steps is not None:
                        steps.append((timestamp, len(output.new_token_ids)))
            return process(outputs, timestamp, *further, **named)

        output_processor.process_outputs = process_outputs

    @contextmanager
    def noted(self, request_id: str, steps: list[Step]) -> Iterator[None]:
        """Add the steps of a request to `steps`."""
        self._steps[request_id] = steps
        try:
            yield
        finally:
            del self._steps[request_id]


def token_times_s(
    steps: Sequence[Step], *, first_token_s: float, num_tokens: int
) -> tuple[float, ...] | None:
    """Return when each token came, counted from submission; None where not all of them were seen."""
    if not steps:
        return None
    began_s = steps[0][0] - first_token_s  # the engine's clock may be another one than ours
    times_s = [stamp_s - began_s for stamp_s, num in steps for _ in range(num)]
    return tuple(times_s[:num_tokens]) if len(times_s) >= num_tokens else None
