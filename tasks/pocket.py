"""Products modulo 47: problems of graded length, and an exact check of every step written to solve one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from tts_eval.protocols import Task
from tts_eval.protocols.bounds import one_of, whole
from tts_eval.records import Problem

MODULUS = 47
SMALLEST_FACTOR = 2
LARGEST_FACTOR = 42  # larger numbers only ever come up as results on the way
LEVEL_FACTORS: dict[int, tuple[int, ...]] = {1: (3, 4, 5), 2: (6, 7), 3: (8,), 4: (9, 10), 5: (11, 12)}
SPLITS = ("train", "dev", "test")
NUM_PROBLEMS = 2000

StepError = Literal["format", "absent pair", "not adjacent", "product", "dropped", "added", "list"]
Factors = tuple[int, ...]

_STEP = re.compile(r"\s*(\d+)\s*\*\s*(\d+)\s*=\s*(\d+)\s*:\s*(\d+(?:\s+\d+)*)\s*")
_QUESTION = re.compile(r"\s*multiply\s+(\d+(?:\s+\d+)*)\s+mod\s+(\d+)\s*")


@dataclass(frozen=True, slots=True)
class StepVerdict:
    """Whether one step follows from the list before it; `error` says how it does not."""

    text: str
    right: bool
    error: StepError | None
    keeps_product: bool  # the list after the step still has the product of the problem


@dataclass(frozen=True)
class PocketTask(Task):
    """Problems drawn from a seed, round robin over levels, so that any limit covers all of them."""

    limit: int | None = whole(None, minimum=1, maximum=NUM_PROBLEMS)
    seed: int = whole(0, minimum=0)
    levels: tuple[int, ...] = (1, 2, 3, 4, 5)
    split: str = one_of("test", SPLITS)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "levels", tuple(self.levels))
        known, given = set(LEVEL_FACTORS), set(self.levels)
        if not given or not given <= known or len(given) < len(self.levels):
            raise ValueError(
                f"task.levels must be some of {', '.join(map(str, sorted(known)))}, each once, "
                f"not {list(self.levels)}"
            )

    @property
    def name(self) -> str:
        """Name of the task in a run directory."""
        return "pocket"

    def problems(self) -> Iterator[Problem]:
        """Yield `limit` (by default 2000) distinct problems of the split, the same ones for the same seed."""
        rng = np.random.default_rng([self.seed, SPLITS.index(self.split)])
        seen: set[Factors] = set()
        for index in range(NUM_PROBLEMS if self.limit is None else self.limit):
            level = self.levels[index % len(self.levels)]
            sizes = LEVEL_FACTORS[level]
            size = sizes[index // len(self.levels) % len(sizes)]
            factors = _draw(rng, size, self.split)
            while factors in seen:
                factors = _draw(rng, size, self.split)
            seen.add(factors)
            yield Problem(
                id=f"pocket-{self.split}-{self.seed}-{index:04d}",
                question=question_of(factors),
                gold=str(product(factors)),
                level=level,
                metadata={"factors": list(factors), "num_factors": size},
            )


def product(factors: Sequence[int]) -> int:
    """Multiply modulo 47."""
    value = 1
    for factor in factors:
        value = value * factor % MODULUS
    return value


def question_of(factors: Sequence[int]) -> str:
    """Write a problem as its question."""
    return f"multiply {' '.join(map(str, factors))} mod {MODULUS}"


def parse_question(question: str) -> Factors:
    """Read the factors back from a question; raises ValueError when it is not one of this task."""
    match = _QUESTION.fullmatch(question)
    if match is None or int(match[2]) != MODULUS:
        raise ValueError(f"expected a question like 'multiply 12 5 33 mod {MODULUS}', got {question!r}")
    return tuple(int(factor) for factor in match[1].split())


def splits_of(factors: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Index into SPLITS of each row of factors [rows, num_factors].

    A hash of the *sorted* factors decides, so every order of the same numbers falls into the same split:
    80% train, 10% dev, 10% test.
    """
    rows = np.sort(np.asarray(factors, dtype=np.uint64), axis=-1)
    state = np.full(rows.shape[:-1], 0x9E3779B97F4A7C15, dtype=np.uint64)
    for column in range(rows.shape[-1]):  # splitmix64 over the columns
        state = (state ^ rows[..., column]) + np.uint64(0x9E3779B97F4A7C15)
        state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        state = state ^ (state >> np.uint64(31))
    tenth = state % np.uint64(10)
    return np.where(tenth < 8, 0, np.where(tenth == 8, 1, 2)).astype(np.int64)


def draw_factors(rng: np.random.Generator, rows: int, size: int, split: str) -> npt.NDArray[np.int64]:
    """Draw rows of distinct factors [rows, size] of one split, uniformly."""
    wanted, num_factors = SPLITS.index(split), LARGEST_FACTOR - SMALLEST_FACTOR + 1
    kept = np.empty((0, size), dtype=np.int64)
    while len(kept) < rows:
        order = rng.random((4 * rows + 8, num_factors)).argsort(axis=1)[:, :size] + SMALLEST_FACTOR
        kept = np.concatenate([kept, order[splits_of(order) == wanted]])
    return kept[:rows]


def _draw(rng: np.random.Generator, size: int, split: str) -> Factors:
    return tuple(draw_factors(rng, 1, size, split)[0].tolist())


def check_step(text: str, before: Factors) -> tuple[StepError | None, Factors | None]:
    """Say what is wrong with a step given the list before it, and the list it leaves (None: unreadable)."""
    match = _STEP.fullmatch(text)
    if match is None:
        return "format", None
    a, b, c = int(match[1]), int(match[2]), int(match[3])
    after = tuple(int(number) for number in match[4].split())
    places = [i for i in range(len(before) - 1) if before[i : i + 2] == (a, b)]
    if not places:
        present = a in before and b in before and (a != b or before.count(a) > 1)
        return ("not adjacent" if present else "absent pair"), after
    if c != a * b % MODULUS:
        return "product", after
    if any(after == (*before[:i], c, *before[i + 2 :]) for i in places):
        return None, after
    shorter = len(after) - (len(before) - 1)
    return ("dropped" if shorter < 0 else "added" if shorter > 0 else "list"), after


def check_trace(question: str, thinking: str) -> list[StepVerdict]:
    """Check every step of a thinking part (steps end in a blank line; `Wait` goes back to the whole list).

    Each step is judged against the list that the step before it left, right or wrong: an error counts once,
    where it happens. An unreadable step leaves the list as it was.
    """
    factors = parse_question(question)
    target, current = product(factors), factors
    verdicts: list[StepVerdict] = []
    for part in thinking.split("\n\n"):
        text = part.strip()
        if text.startswith("Wait"):
            text, current = text.removeprefix("Wait").strip(), factors
        if not text:
            continue
        error, after = check_step(text, current)
        current = current if after is None else after
        verdicts.append(StepVerdict(text, error is None, error, product(current) == target))
    return verdicts
