"""Correct training traces in token ids, in batches of one length, each token with the weight of its loss.

No trace contains a slip that is trained on: where a first pass before `Wait` goes wrong, it does so on a
withheld product, whose token has no loss.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pocket import tokenizer as tok
from tasks.pocket import MODULUS, draw_factors

Ids = npt.NDArray[np.int64]
Table = npt.NDArray[np.bool_]

TWIN_SHARE = 0.7
MARK_WEIGHT = 0.2  # punctuation is soon known
RESULT_WEIGHT = 3.0


@dataclass(frozen=True, slots=True)
class Batch:
    """Token ids [rows, length], the weight of the loss on each, and where the next token is a free choice.

    `choices` maps a column to the tokens [rows, n] that are equally right there.
    """

    ids: Ids
    weights: npt.NDArray[np.float32]
    choices: dict[int, Ids]


class _Writer:
    """Columns of tokens, written left to right."""

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self.ids: list[Ids] = []
        self.weights: list[npt.NDArray[np.float32]] = []
        self.choices: dict[int, Ids] = {}

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

    def choice(self, values: Ids, options: Ids) -> None:
        self.choices[len(self.ids)] = options + tok.NUMBER
        self.number(values, 0)

    def cut(self, length: int) -> None:
        del self.ids[length:], self.weights[length:]
        self.choices = {column: options for column, options in self.choices.items() if column < length}

    def batch(self) -> Batch:
        return Batch(np.stack(self.ids, axis=1), np.stack(self.weights, axis=1), self.choices)


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


def twins_first(rng: np.random.Generator, lists: Ids) -> Ids:
    """Choose the neighbours of each list, mostly those that are there twice or whose product is there."""
    a, b = lists[:, :-1], lists[:, 1:]
    there = lists[:, None, :]
    count = sum((there == x[:, :, None]).sum(axis=2) for x in (a, b, a * b % MODULUS))
    draws = rng.random(a.shape) + (count > 2) * (rng.random((len(lists), 1)) < TWIN_SHARE)
    chosen: Ids = draws.argmax(axis=1)
    return chosen


def write_pass(
    rng: np.random.Generator,
    writer: _Writer,
    factors: Ids,
    gap: Table,
    slips: Table,
    steps: int,
    *,
    twins: bool = False,
) -> Ids:
    """Write merges of random neighbours; rows in `slips` get withheld products wrong. Return what remains.

    With `twins`, numbers come up twice far more often, and which neighbours are merged is not learnt.
    """
    lists, rows = factors, np.arange(writer.rows)
    for _ in range(steps):
        at = twins_first(rng, lists) if twins else rng.integers(0, lists.shape[1] - 1, writer.rows)
        a, b = lists[rows, at], lists[rows, at + 1]
        withheld = gap[a, b]
        wrong = rng.integers(1, MODULUS, writer.rows)
        c = np.where(withheld & slips, wrong, a * b % MODULUS)
        if twins:
            writer.number(a, 0)
        else:
            writer.choice(a, lists[:, :-1])
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


def drills(
    rng: np.random.Generator, rows: int, size: int, gap: Table, *, often: Table | None = None
) -> Batch:
    """Write `size` products one after the other, every other one of `often`, with loss on results alone."""
    writer = _Writer(rows)
    writer.mark(tok.THINK, 0)
    for index in range(size):
        a, b = rng.integers(1, MODULUS, (2, rows))
        if often is not None and index % 2:
            pairs = np.argwhere(often[1:, 1:]) + 1
            a, b = pairs[rng.integers(0, len(pairs), rows)].T
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


def twin_traces(rng: np.random.Generator, rows: int, size: int, gap: Table) -> Batch:
    """Solve problems in which numbers stand in the list twice: there copying cannot go by content alone."""
    return _solved(rng, rows, size, gap, passes=1, twins=True)


def rechecked_traces(rng: np.random.Generator, rows: int, size: int, gap: Table) -> Batch:
    """Solve, say `Wait`, and solve again in another order; half of the first passes went wrong in the gap."""
    return _solved(rng, rows, size, gap, passes=2 if rng.random() < 0.75 else 3)


def _solved(
    rng: np.random.Generator, rows: int, size: int, gap: Table, passes: int, *, twins: bool = False
) -> Batch:
    factors = draw_factors(rng, rows, size, "train")
    writer = _Writer(rows)
    write_prompt(writer, factors)
    left = factors
    for index in range(passes):
        last = index == passes - 1
        if index:
            writer.mark(tok.WAIT, 0)
        slips = np.zeros(rows, dtype=bool) if last else rng.random(rows) < 0.5
        left = write_pass(rng, writer, factors, gap, slips, size - 1, twins=twins)
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
    writer.cut(start + cut)
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
