"""Traces with a right or wrong label on every token, for the reward models.

A token is right while all steps since the last `Wait` are right and its own can still become one; the label
of the blank line that ends a step is therefore that of the trace up to there. An answer is right when it is
what right steps lead to, and has its label on every token from the number on. Beside a label stand the
tokens that may come at its place: these the layers of the reward models are taught, the labels judge them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from pocket import tokenizer as tok
from tasks.pocket import MODULUS, product

IGNORED = -1
NUMBERS = range(tok.NUMBER, tok.NUMBER + MODULUS)


@dataclass(frozen=True, slots=True)
class Labelled:
    """A whole trace with its prompt, a label for each token (1 right, 0 wrong, -1 none), and its outcome.

    `options` are the tokens that can stand at each place, as far as what stands before it tells: all that a
    right step or answer could go on with; none in the question or once a step has gone wrong.
    """

    ids: list[int]
    labels: list[int]
    options: list[frozenset[int]]
    is_correct: bool


def number_ids(numbers: Sequence[int]) -> list[int]:
    """Return the ids of a list of numbers."""
    return [tok.NUMBER + number for number in numbers]


def prompt_ids(factors: Sequence[int]) -> list[int]:
    """Return the prompt as the chat template writes it."""
    return [
        tok.USER,
        tok.MULTIPLY,
        *number_ids(factors),
        tok.MOD,
        tok.NUMBER + MODULUS,
        tok.ASSISTANT,
        tok.THINK,
    ]


def step_ids(a: int, b: int, c: int, after: Sequence[int]) -> list[int]:
    """Return the ids of one step with the blank line that ends it."""
    a, b, c = number_ids((a, b, c))
    return [a, tok.TIMES, b, tok.EQUALS, c, tok.COLON, *number_ids(after), tok.SEP]


def right_steps(numbers: Sequence[int]) -> list[list[int]]:
    """Return the ids of every right step from a list."""
    steps = []
    for i, (a, b) in enumerate(pairwise(numbers)):
        c = a * b % MODULUS
        steps.append(step_ids(a, b, c, (*numbers[:i], c, *numbers[i + 2 :])))
    return steps


def label_trace(factors: Sequence[int], response: Sequence[int]) -> Labelled:
    """Label the tokens of a response, whose last piece is closed by a blank line of ours."""
    closed = [*response] if response[-1] == tok.SEP else [*response, tok.SEP]
    target = tok.NUMBER + product(factors)
    labels, options = list[int](), list[frozenset[int]]()
    current, step, answer = list(factors), list[int](), list[set[int]]()
    steps, is_right, thinking = right_steps(current), True, True
    for place, token in enumerate(closed):
        following = {right[len(step)] for right in steps} if thinking else answer.pop(0) if answer else set()
        if thinking and (following or not step):
            following |= {tok.END_THINK} if step else {tok.END_THINK, tok.WAIT}
        options.append(frozenset(following))
        if thinking and token == tok.END_THINK:
            number = tok.NUMBER + product(current)
            answer = [{tok.BOXED}, {number}, {tok.CLOSE}, {tok.EOS_ID, tok.SEP}, {tok.SEP}]
            thinking = False
        elif not thinking:
            is_right = is_right and (token == target or token not in NUMBERS)
            is_right = is_right and (place < len(response) or target in closed[-4:])
        elif token == tok.WAIT and not step:
            current, is_right = list(factors), True
            steps = right_steps(current)
        else:
            steps = [right for right in steps if len(right) > len(step) and right[len(step)] == token]
            step.append(token)
            is_right = is_right and bool(steps)
            if token == tok.SEP:
                current = list_after(step) or current
                steps, step = right_steps(current), []
        labels.append(int(is_right))
    prompt = prompt_ids(factors)
    boxed = [tok.BOXED, target, tok.CLOSE]
    is_correct = not thinking and boxed in (closed[-4:-1], closed[-5:-2])
    return Labelled(
        [*prompt, *closed],
        [IGNORED] * len(prompt) + labels,
        [*[frozenset[int]()] * (len(prompt) - 1), frozenset({tok.THINK}), *options],
        is_correct,
    )


def list_after(step: Sequence[int]) -> list[int] | None:
    """Read the list that a step leaves, or None when there is none."""
    if tok.COLON not in step:
        return None
    tail = step[step.index(tok.COLON) + 1 : -1]
    wellformed = bool(tail) and all(token >= tok.NUMBER for token in tail)
    return [token - tok.NUMBER for token in tail] if wellformed else None
