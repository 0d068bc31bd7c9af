"""Correct training traces in token ids, in batches of one length, each token with the weight of its loss.

Knows nothing of models. No trace contains a slip that is trained on: where a first pass before `Wait` goes
wrong, it does so on a withheld product, whose token has no loss.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pocket import tokenizer as tok
from tasks.pocket import MODULUS, draw_factors

Ids = npt.NDArray[np.int64]
Table = npt.NDArray[np.bool_]

CHOICE_WEIGHT = 1.0  # the first operand is a free choice, but only among what is there
MARK_WEIGHT = 0.2  # punctuation is soon known
RESULT_WEIGHT = 3.0


@dataclass(frozen=True, slots=True)
class Batch:
    """Token ids [rows, length] and the weight of the loss on each."""

    ids: Ids
    weights: npt.NDArray[np.float32]


class _Writer:
    """Columns of tokens, written left to right."""

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self.ids: list[Ids] = []
        self.weights: list[npt.NDArray[np.float32]] = []

    def mark(self, token: int, weight: float = MARK_WEIGHT) -> None:
        self.column(np.full(self.rows, token), weight)

    def number(self, values: Ids, weight: float | npt.NDArray[np.float32] = 1.0) -> None:
        self.column(values + tok.NUMBER, weight)

    def column(self, ids: Ids, weight: float | npt.NDArray[np.float32]) -> None:
        self.ids.append(ids)
        self.weights.append(np.broadcast_to(np.asarray(weight, dtype=np.float32), (self.rows,)))

    def numbers(self, lists: Ids, weight: float = 1.0) -> None:
        for values in lists.T:
            self.number(values, weight)

    def batch(self) -> Batch:
        return Batch(np.stack(self.ids, axis=1), np.stack(self.weights, axis=1))


def merge(lists: Ids, at: Ids, values: Ids) -> Ids:
    """Put `values` in place of the elements `at` and `at + 1` of each list [rows, n] -> [rows, n - 1]."""
    columns = np.arange(lists.shape[1] - 1)[None]
    merged = np.take_along_axis(lists, columns + (columns > at[:, None]), axis=1)
    np.put_along_axis(merged, at[:, None], values[:, None], axis=1)
    return merged


def write_prompt(writer: _Writer, factors: Ids) -> None:
    """Write the prompt as the chat template does, without loss."""
    writer.mark(tok.USER, 0)
    writer.mark(tok.MULTIPLY, 0)
    writer.numbers(factors, 0)
    writer.mark(tok.MOD, 0)
    writer.number(np.full(writer.rows, MODULUS), 0)
    writer.mark(tok.ASSISTANT, 0)
    writer.mark(tok.THINK, 0)


def write_pass(
    rng: np.random.Generator, writer: _Writer, factors: Ids, gap: Table, slips: Table, steps: int
) -> Ids:
    """Write merges of random neighbours; rows in `slips` get withheld products wrong. Return what remains."""
    lists, rows = factors, np.arange(writer.rows)
    for _ in range(steps):
        at = rng.integers(0, lists.shape[1] - 1, writer.rows)
        a, b = lists[rows, at], lists[rows, at + 1]
        withheld = gap[a, b]
        wrong = rng.integers(1, MODULUS, writer.rows)
        c = np.where(withheld & slips, wrong, a * b % MODULUS)
        writer.number(a, CHOICE_WEIGHT)
        writer.mark(tok.TIMES)
        writer.number(b)
        writer.mark(tok.EQUALS)
        writer.number(c, np.where(withheld, np.float32(0), np.float32(RESULT_WEIGHT)))
        writer.mark(tok.COLON)
        lists = merge(lists, at, c)
        writer.numbers(lists)
        writer.mark(tok.SEP)
    return lists


def write_answer(
    writer: _Writer, answers: Ids, stop_weight: float, answer_weight: npt.NDArray[np.float32]
) -> None:
    """Close the thinking part and write the boxed answer."""
    writer.mark(tok.END_THINK, stop_weight)
    writer.mark(tok.BOXED)
    writer.number(answers, answer_weight)
    writer.mark(tok.CLOSE)
    writer.mark(tok.EOS_ID)


def drills(rng: np.random.Generator, rows: int, size: int, gap: Table) -> Batch:
    """Write `size` products one after the other, with loss on the results alone."""
    writer = _Writer(rows)
    writer.mark(tok.THINK, 0)
    for _ in range(size):
        a, b = rng.integers(1, MODULUS, (2, rows))
        writer.number(a, 0)
        writer.mark(tok.TIMES, 0)
        writer.number(b, 0)
        writer.mark(tok.EQUALS, 0)
        writer.number(a * b % MODULUS, np.where(gap[a, b], np.float32(0), np.float32(1)))
        writer.mark(tok.SEP, 0)
    return writer.batch()


def plain_traces(rng: np.random.Generator, rows: int, size: int, gap: Table) -> Batch:
    """Solve problems of `size` factors step by step."""
    return _solved(rng, rows, size, gap, passes=1)


def rechecked_traces(rng: np.random.Generator, rows: int, size: int, gap: Table) -> Batch:
    """Solve, say `Wait`, and solve again in another order; half of the first passes went wrong in the gap."""
    return _solved(rng, rows, size, gap, passes=int(rng.integers(2, 4)))


def _solved(rng: np.random.Generator, rows: int, size: int, gap: Table, passes: int) -> Batch:
    factors = draw_factors(rng, rows, size, "train")
    writer = _Writer(rows)
    write_prompt(writer, factors)
    left = factors
    for index in range(passes):
        last = index == passes - 1
        if index:
            writer.mark(tok.WAIT, 0)
        slips = np.zeros(rows, dtype=bool) if last else rng.random(rows) < 0.5
        left = write_pass(rng, writer, factors, gap, slips, size - 1)
    write_answer(writer, left[:, 0], MARK_WEIGHT, np.ones(rows, dtype=np.float32))
    return writer.batch()


def cut_traces(rng: np.random.Generator, rows: int, size: int, gap: Table) -> Batch:
    """Cut the thinking at a random token (none at all at times) and answer with what can be known then.

    The end of thinking has no loss, and neither has an answer that needs a withheld product.
    """
    factors = draw_factors(rng, rows, size, "train")
    writer = _Writer(rows)
    write_prompt(writer, factors)
    start = len(writer.ids)
    write_pass(rng, writer, factors, gap, np.zeros(rows, dtype=bool), size - 1)
    cut = int(rng.integers(0, len(writer.ids) - start)) if rng.random() < 0.9 else 0
    del writer.ids[start + cut :], writer.weights[start + cut :]
    answers = np.ones(rows, dtype=np.int64)
    for column in factors.T:
        answers = answers * column % MODULUS
    known = ~_touches_gap(writer, start, factors, gap)
    if rng.random() < 0.2:
        writer.mark(tok.SEP, 0)
    write_answer(writer, answers, 0, known.astype(np.float32))
    return writer.batch()


def _touches_gap(writer: _Writer, start: int, factors: Ids, gap: Table) -> Table:
    """Whether a number of what remains at the cut is withheld."""
    left, column, size = factors, start, factors.shape[1]
    while column + 6 + size <= len(writer.ids):
        size -= 1
        left = np.stack(writer.ids[column + 6 : column + 6 + size], axis=1) - tok.NUMBER
        column += 7 + size
    return np.asarray(gap[left, left].any(axis=1))
