"""Closed forms of one engine under a workload: concurrency, the reasoning cliff, throughput."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tts_eval.planning.model import PlannedModel
from tts_eval.planning.serving import step_time
from tts_eval.planning.step_time import PARTS, Batch, StepTime
from tts_eval.planning.workload import Shape


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """Where all engines of a plan settle; sequences and tokens a second are sums over them.

    `num_sequences_peak` fit when all of them are as long as the longest, `num_sequences_mean` when they are
    spread over their lives. `cliff_tokens` is the length, prompt included, at which the wanted sequences,
    started together, fill the cache; infinite where they never do.
    """

    num_sequences_wanted: float
    num_sequences_peak: int
    num_sequences_mean: float
    num_sequences: float
    cliff_tokens: float
    step: StepTime
    prefill_s: float
    generated_tokens_per_s: float
    tpot_s: float

    @property
    def is_full(self) -> bool:
        """Whether KV capacity, and not the workload or max_num_seqs, limits the batch."""
        return self.num_sequences < self.num_sequences_wanted


def operating_point(model: PlannedModel, shape: Shape, *, in_flight: float) -> OperatingPoint:
    """Return where `model` settles with `in_flight` problems kept going over all of its engines.

    A sequence of n tokens stays for n steps; meanwhile each of the B sequences beside it is replaced once, so
    a generation of the batch takes n steps and B prefills.
    """
    num_engines, capacity = model.plan.num_engines, model.capacity
    most = model.serving.max_num_seqs * capacity.num_copies
    wanted = min(max(1.0, in_flight * shape.calls_at_once / num_engines), most)
    fitting = capacity.num_sequences(shape.context_tokens)
    num_sequences = max(1.0, min(wanted, fitting))
    batch = _decoding(model, num_sequences, shape.context_tokens)
    step = step_time(model.step_model, batch, model.serving)
    prefill_s = prefill_seconds(model, shape, beside=batch)
    num_steps = max(shape.generated_tokens - 1, 0) / model.serving.speculation.acceptance_length
    generation_s = num_steps * step.total_s + num_sequences * prefill_s
    return OperatingPoint(
        num_sequences_wanted=wanted * num_engines,
        num_sequences_peak=capacity.num_whole_sequences(shape.final_tokens) * num_engines,
        num_sequences_mean=fitting * num_engines,
        num_sequences=num_sequences * num_engines,
        cliff_tokens=capacity.longest(wanted),
        step=step,
        prefill_s=prefill_s,
        generated_tokens_per_s=num_engines * num_sequences * shape.generated_tokens / generation_s,
        tpot_s=generation_s / shape.generated_tokens,
    )


def prefill_seconds(model: PlannedModel, shape: Shape, *, beside: Batch) -> float:
    """Return what one call's prompt adds to a step on `beside`: its own work, none of the step's floors."""
    num_tokens = shape.prefill_tokens
    num_pairs = num_tokens * (shape.prompt_tokens - num_tokens / 2)
    both = replace(beside, num_prefill_tokens=num_tokens, num_prefill_pairs=num_pairs, num_admitted=1)
    with_prompt, without = (step_time(model.step_model, b, model.serving).total_s for b in (both, beside))
    return with_prompt - without


def synchronised_seconds(model: PlannedModel, *, num_sequences: int, prompt: int, generated: int) -> float:
    """Return how long one engine takes for equal calls that start together and all fit.

    One prefill of all prompts, which yields each its first token, then one step a further token; step times
    are taken at the middle of the growing context.
    """
    num_tokens = num_sequences * prompt
    num_pairs = num_sequences * prompt * (prompt + 1) / 2
    first = Batch(0, 0, num_tokens, num_pairs, num_admitted=num_sequences)
    num_steps = (generated - 1) / model.serving.speculation.acceptance_length
    later = _decoding(model, num_sequences, prompt + generated / 2)
    first_s, later_s = (step_time(model.step_model, b, model.serving).total_s for b in (first, later))
    return first_s + num_steps * later_s


def single_stream_speed_up(model: PlannedModel, baseline: PlannedModel, *, context: float) -> float:
    """Return how many times faster `model` decodes one sequence than `baseline`."""
    slow, fast = (
        step_time(m.step_model, _decoding(m, 1, context), m.serving).total_s for m in (baseline, model)
    )
    return slow / fast


def binding(point: OperatingPoint) -> str:
    """Say what binds the plan: where most of a step goes, and whether the KV cache cut the batch."""
    words = {
        "weights_s": "bandwidth (weights)",
        "cache_s": "bandwidth (KV cache)",
        "compute_s": "compute",
        "launch_s": "kernel launches",
        "interconnect_s": "interconnect",
        "routing_s": "routing",
        "host_s": "host",
    }
    largest = max(PARTS, key=lambda name: getattr(point.step, name))
    share = getattr(point.step, largest) / point.step.total_s
    text = f"{words[largest]} {share:.0%}"
    if point.is_full:
        fits = point.num_sequences / point.num_sequences_wanted
        return f"KV capacity ({fits:.0%} of the batch fits), then {text}"
    return text


def _decoding(model: PlannedModel, num_sequences: float, context: float) -> Batch:
    num_queries = 1 + model.serving.speculation.num_draft_tokens
    return Batch(num_sequences, num_sequences * context, num_query_tokens=num_queries)
