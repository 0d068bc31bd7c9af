"""Wrong steps of every kind, and traces that have some, for the reward models to learn from.

A corruption writes one step from a list, wrong in its own way; the trace goes on from what that step
leaves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

from pocket import tokenizer as tok
from pocket.labels import Labelled, label_trace, list_after, right_steps, step_ids
from pocket.traces import Table
from tasks.pocket import MODULUS, draw_factors, product

CUT_SHARE, WRONG_ANSWER_SHARE = 0.1, 0.1

Corruption = Callable[[np.random.Generator, list[int], int, Table], list[int] | None]


def _list_of(numbers: Sequence[int], at: int, c: int) -> list[int]:
    return [*numbers[:at], c, *numbers[at + 2 :]]


def _other(rng: np.random.Generator, value: int) -> int:
    return int((value - 1 + rng.integers(1, MODULUS - 1)) % (MODULUS - 1) + 1)


def wrong_product(rng: np.random.Generator, numbers: list[int], at: int, gap: Table) -> list[int]:
    """Give the step a wrong result and carry it on."""
    a, b = numbers[at : at + 2]
    c = _other(rng, a * b % MODULUS)
    return step_ids(a, b, c, _list_of(numbers, at, c))


def dropped(rng: np.random.Generator, numbers: list[int], at: int, gap: Table) -> list[int] | None:
    """Lose one number of the list, or a few that stand together."""
    a, b = numbers[at : at + 2]
    after = _list_of(numbers, at, a * b % MODULUS)
    if len(after) < 2:
        return None
    first = int(rng.integers(len(after)))
    del after[first : first + _run_length(rng)]
    return step_ids(a, b, a * b % MODULUS, after) if after else None


def added(rng: np.random.Generator, numbers: list[int], at: int, gap: Table) -> list[int]:
    """Write a part of the list twice, leave an operand in, or add a stranger."""
    a, b = numbers[at : at + 2]
    c = a * b % MODULUS
    after = _list_of(numbers, at, c)
    kind, where = int(rng.integers(4)), int(rng.integers(len(after)))
    if kind == 0:
        end = where + _run_length(rng)
        return step_ids(a, b, c, [*after[:end], *after[where:]])
    if kind == 1:
        return step_ids(a, b, c, [*after[:where], int(rng.integers(1, MODULUS)), *after[where:]])
    place = at + int(rng.integers(2))
    return step_ids(a, b, c, [*after[:place], (a, b)[kind - 2], *after[place:]])


def _run_length(rng: np.random.Generator) -> int:
    return int(rng.integers(1, 4)) if rng.random() < 0.4 else 1


def at_its_twin(rng: np.random.Generator, numbers: list[int], at: int, gap: Table) -> list[int] | None:
    """Take the other one of two equal numbers for the operand: in its place, or as well."""
    a, b = numbers[at : at + 2]
    c = a * b % MODULUS
    twins = [i for i, n in enumerate(numbers) if n in (a, b) and i not in (at, at + 1)]
    if not twins:
        return None
    i, width = twins[int(rng.integers(len(twins)))], 1 + int(rng.integers(2))
    after = [*numbers]
    for place in sorted({i} if rng.random() < 0.5 else {i, at}, reverse=True):
        after[place : place + width] = [c]
    return step_ids(a, b, c, after)


def changed(rng: np.random.Generator, numbers: list[int], at: int, gap: Table) -> list[int]:
    """Copy one number wrongly: a stranger, a number of the list, or the result written otherwise."""
    a, b = numbers[at : at + 2]
    c = a * b % MODULUS
    after = _list_of(numbers, at, c)
    where = at if rng.random() < 0.25 else int(rng.integers(len(after)))
    pool = [n for n in numbers if n != after[where]]
    use_pool = bool(pool) and rng.random() < 0.6
    after[where] = pool[int(rng.integers(len(pool)))] if use_pool else _other(rng, after[where])
    return step_ids(a, b, c, after)


def swapped(rng: np.random.Generator, numbers: list[int], at: int, gap: Table) -> list[int] | None:
    """Swap two neighbours of the list."""
    a, b = numbers[at : at + 2]
    after = _list_of(numbers, at, a * b % MODULUS)
    places = [i for i in range(len(after) - 1) if after[i] != after[i + 1]]
    if not places:
        return None
    i = places[int(rng.integers(len(places)))]
    after[i], after[i + 1] = after[i + 1], after[i]
    return step_ids(a, b, a * b % MODULUS, after)


def not_adjacent(rng: np.random.Generator, numbers: list[int], at: int, gap: Table) -> list[int] | None:
    """Merge two numbers that are no neighbours."""
    pairs = [(i, j) for i in range(len(numbers)) for j in range(len(numbers)) if j not in (i, i + 1)]
    i, j = pairs[int(rng.integers(len(pairs)))]
    c = numbers[i] * numbers[j] % MODULUS
    after = [c if k == i else number for k, number in enumerate(numbers) if k != j]
    return step_ids(numbers[i], numbers[j], c, after)


def absent_pair(rng: np.random.Generator, numbers: list[int], at: int, gap: Table) -> list[int]:
    """Merge a pair of which one operand is not there."""
    a, b = numbers[at : at + 2]
    if rng.random() < 0.5:
        a = _other(rng, a)
    else:
        b = _other(rng, b)
    c = a * b % MODULUS
    return step_ids(a, b, c, _list_of(numbers, at, c))


CORRUPTIONS: dict[str, Corruption] = {
    "product": wrong_product,
    "dropped": dropped,
    "added": added,
    "list": changed,
    "swapped": swapped,
    "not adjacent": not_adjacent,
    "absent pair": absent_pair,
    "twin": at_its_twin,
}
_SHARES = np.array([0.26, 0.16, 0.16, 0.16, 0.06, 0.06, 0.06, 0.08])


def synthetic_trace(rng: np.random.Generator, size: int, gap: Table, *, split: str = "train") -> Labelled:
    """Solve a problem, in half of the traces with a corrupted step or two, going on from what is there.

    Withheld pairs and numbers that are there twice are sought out, so that the reward models see them often,
    right and wrong. Some traces are cut short and answer early.
    """
    factors = draw_factors(rng, 1, size, split)[0].tolist()
    current, response = list(factors), list[int]()
    rate = 0.0 if rng.random() < 0.5 else 1.3 / size
    kinds = list(CORRUPTIONS)
    while len(current) > 1 and len(response) < 600:
        at = int(rng.integers(len(current) - 1))
        if (sought := _sought_out(current, gap)) and rng.random() < 0.5:
            at = sought[int(rng.integers(len(sought)))]
        step = None
        if rng.random() < rate:
            kind = kinds[int(rng.choice(len(kinds), p=_SHARES / _SHARES.sum()))]
            step = CORRUPTIONS[kind](rng, current, at, gap)
        step = step or right_steps(current)[at]
        response += step
        current = list_after(step) or current
    answer = current[0]
    if rng.random() < CUT_SHARE:
        del response[int(rng.integers(len(response) + 1)) :]
        answer = product(factors)
    if rng.random() < WRONG_ANSWER_SHARE:
        answer = _other(rng, answer)
    response += [tok.END_THINK, tok.BOXED, tok.NUMBER + answer, tok.CLOSE]
    response += [tok.EOS_ID] if rng.random() < 0.5 else []
    return label_trace(factors, response)


def _sought_out(numbers: Sequence[int], gap: Table) -> list[int]:
    """Return where neighbours are withheld, are there twice, or have a product that is there already."""
    return [
        i
        for i, pair in enumerate(pairwise(numbers))
        if gap[pair] or any(numbers.count(n) > 1 for n in pair) or product(pair) in numbers
    ]
