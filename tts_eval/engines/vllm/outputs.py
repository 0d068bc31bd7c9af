"""From vLLM's request and outputs to ours: sampling parameters, growth, finish, timing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Self

from vllm import SamplingParams
from vllm.outputs import RequestOutput
from vllm.sampling_params import RequestOutputKind

from tts_eval.records import Finish
from tts_eval.requests import Completion, Request, Timing

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


def sampling_params(request: Request, kind: RequestOutputKind) -> SamplingParams:
    """Return vLLM's parameters for one sample; a greedy one needs no seed."""
    sampling = request.sampling
    further: dict[str, int] = {}
    if request.max_thinking_tokens is not None:  # not every vLLM knows it
        further["thinking_token_budget"] = request.max_thinking_tokens
    return SamplingParams(
        temperature=sampling.temperature,
        top_p=sampling.top_p,
        top_k=sampling.top_k,
        max_tokens=request.max_tokens,
        stop=list(request.stop),
        include_stop_str_in_output=True,
        skip_special_tokens=False,  # markers and stop strings may hold some; `Codec.shown` drops others
        spaces_between_special_tokens=False,
        seed=request.seed if sampling.temperature > 0 else None,
        logprobs=request.num_logprobs,
        output_kind=kind,
        **further,
    )


class Growth:
    """What the outputs of one request add up to; each output carries only what is new."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.submitted_at_s = time.time()  # the clock of vLLM's arrival time
        self.steps: list[Step] = []
        self.token_ids: list[int] = []
        self._text: list[str] = []
        self._logprobs: list[float] = []
        self._confidences: list[float] = []

    def add(self, output: RequestOutput) -> Self:
        """Take over what `output` adds."""
        (sample,) = output.outputs
        if sample.logprobs is not None:
            for token_id, entries in zip(sample.token_ids, sample.logprobs, strict=True):
                self._logprobs.append(entries[token_id].logprob)
                top = [e.logprob for e in entries.values() if e.rank <= (self.request.num_logprobs or 0)]
                self._confidences.append(-sum(top) / len(top) if top else 0.0)
        self.token_ids.extend(sample.token_ids)
        self._text.append(sample.text)
        return self

    def completion(self, output: RequestOutput, *, is_last: bool) -> Completion:
        """Return everything so far, with the times that `output` carries; those of tokens only at the end."""
        (sample,) = output.outputs
        wanted = self.request.num_logprobs
        num_drafts, num_draft_tokens, num_accepted_tokens = drafted_of(sample)
        return Completion(
            token_ids=tuple(self.token_ids),
            text="".join(self._text),
            finish=finish_of(sample.finish_reason, sample.stop_reason),
            num_cached_tokens=output.num_cached_tokens or 0,
            num_preemptions=getattr(output.metrics, "num_preemptions", 0),
            num_drafts=num_drafts,
            num_draft_tokens=num_draft_tokens,
            num_accepted_tokens=num_accepted_tokens,
            timing=timing_of(
                output.metrics,
                self.steps if is_last else (),
                num_tokens=len(self.token_ids),
                submitted_at_s=self.submitted_at_s,
            ),
            logprobs=None if wanted is None else tuple(self._logprobs),
            confidences=None if not wanted else tuple(self._confidences),
        )


def finish_of(reason: str | None, stop_reason: int | str | None) -> Finish | None:
    match reason:
        case None:
            return None
        case "length":
            return Finish.LENGTH
        case "abort":
            return Finish.ABORT
        case _:  # a second end-of-turn token comes as an integer stop_reason: the turn has ended all the same
            return Finish.STOP if isinstance(stop_reason, str) else Finish.END


def drafted_of(sample: Any) -> tuple[int, int, int] | tuple[None, None, None]:
    """Return drafts, drafted and accepted tokens of a finished sample; vLLM reports them from 0.32 on."""
    drafts = getattr(sample, "spec_decode_metrics", None)  # its histogram counts drafts by accepted tokens
    if drafts is None:
        return None, None, None
    num_accepted_tokens = sum(place * steps for place, steps in enumerate(drafts.histogram))
    return sum(drafts.histogram), drafts.num_draft_tokens, num_accepted_tokens


def timing_of(metrics: Any, steps: Sequence[Step], *, num_tokens: int, submitted_at_s: float) -> Timing:
    """Read vLLM's RequestStateStats; its engine-side stamps are one clock, its arrival another.

    vLLM counts from the arrival, which a burst of requests reaches one after another: what passed since
    `submitted_at_s`, by the clock of the arrival, is added.
    """
    if metrics is None or not metrics.first_token_ts:
        return Timing()
    first_token_s = metrics.first_token_latency + max(0.0, metrics.arrival_time - submitted_at_s)
    return Timing(
        first_token_s=first_token_s,
        queue_s=metrics.scheduled_ts - metrics.queued_ts,
        prefill_s=metrics.first_token_ts - metrics.scheduled_ts,
        decode_s=metrics.last_token_ts - metrics.first_token_ts,
        token_times_s=token_times_s(steps, first_token_s=first_token_s, num_tokens=num_tokens),
    )
