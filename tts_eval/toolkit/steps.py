"""The steps of a reasoning trace, by one stated rule for strategies and verifiers alike.

Knows no model: the separator and the shortest step are those of the model's markers.
"""

from __future__ import annotations

from tts_eval.records import Markers, Trace


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
