"""The steps of a reasoning trace, by one stated rule for strategies and verifiers alike."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tts_eval import checks
from tts_eval.protocols import LanguageModel
from tts_eval.records import Finish, Markers, Trace


def split_steps(trace: Trace, markers: Markers) -> tuple[str, ...]:
    """Return the steps of what follows the prompt, thinking and answer alike; joined they are its text.

    A step ends with `markers.step_separator`, as soon as it has `markers.min_step_tokens` tokens; what is
    blank belongs to the step before it (at the start: to the one after). What follows the last separator is
    a step too, finished or not.
    """
    pieces = trace.text.split(markers.step_separator)
    closed = [piece + markers.step_separator for piece in pieces[:-1]]
    steps: list[str] = []
    step = ""
    for piece in (*closed, pieces[-1]):
        if steps and not step and not piece.strip():
            steps[-1] += piece
            continue
        step += piece
        if step.strip() and _is_long_enough(trace, step, markers.min_step_tokens):
            steps.append(step)
            step = ""
    if step.strip() or (step and not steps):
        steps.append(step)
    elif step:
        steps[-1] += step
    return tuple(steps)


def _is_long_enough(trace: Trace, step: str, min_tokens: int) -> bool:
    return min_tokens <= 1 or len(trace.codec.encode(step)) >= min_tokens


@dataclass(frozen=True, slots=True)
class StepSampling:
    """How the tokens of a step are drawn, and how many there may be."""

    max_step_tokens: int = 512
    temperature: float | None = None
    top_p: float | None = None

    def __post_init__(self) -> None:
        checks.whole_number("strategy.max_step_tokens", self.max_step_tokens, minimum=1)
        checks.sampling(self.temperature, self.top_p)


def is_finished(llm: LanguageModel, trace: Trace) -> bool:
    """Whether the model ended its turn or has no room left; a step cut by its own length may go on."""
    return trace.finish is Finish.END or llm.room_tokens(trace) < 1


async def grow_step(
    llm: LanguageModel, trace: Trace, sampling: StepSampling, *, num_logprobs: int | None = None
) -> Trace:
    """Return `trace` grown by one step, with its separator.

    A blank step, or one shorter than the model's `min_step_tokens`, is not yet one and is continued. One
    that is cut at `max_step_tokens` is returned as it stands; growing it again goes on with it.
    """
    markers = llm.markers
    grown = trace
    while True:
        num_written = grown.num_tokens - trace.num_tokens
        [grown] = await llm.extend(
            grown,
            max_tokens=min(sampling.max_step_tokens - num_written, llm.room_tokens(grown)),
            stop=[markers.step_separator],
            temperature=sampling.temperature,
            top_p=sampling.top_p,
            num_logprobs=num_logprobs,
        )
        num_written = grown.num_tokens - trace.num_tokens
        is_step = grown.text[len(trace.text) :].strip() and num_written >= markers.min_step_tokens
        is_cut = num_written >= sampling.max_step_tokens or llm.room_tokens(grown) < 1
        if grown.finish is not Finish.STOP or is_step or is_cut:
            return grown


async def grow_to_end(
    llm: LanguageModel, trace: Trace, sampling: StepSampling, *, num_logprobs: int | None = None
) -> Trace:
    """Return `trace` written to its end, as long as the model's length allows."""
    [grown] = await llm.extend(
        trace, temperature=sampling.temperature, top_p=sampling.top_p, num_logprobs=num_logprobs
    )
    return grown


def carried_over(trace: Trace, other: Trace, *, since: Trace) -> Trace:
    """Return `trace` with what `other` has more than its prefix `since`, written by another model perhaps.

    Token ids pass as they are where this trace's tokenizer reads them as the same text; else the text is
    encoded again.
    """
    ids = other.token_ids[since.num_tokens :]
    text = other.text[len(since.text) :]
    own_ids = ids if trace.codec.decode(ids) == text else trace.codec.encode(text)
    return replace(
        trace,
        token_ids=trace.token_ids + own_ids,
        text=trace.text + text,
        finish=other.finish,
        logprobs=None,
        confidences=None,
    )
