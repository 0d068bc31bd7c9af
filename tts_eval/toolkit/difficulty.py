"""How hard a problem will be, predicted from its question alone by a trained logistic regression."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import orjson
from scipy.optimize import minimize
from scipy.special import expit

from tts_eval import checks
from tts_eval.records import Problem


@dataclass(frozen=True)
class HashedNgrams:
    """Counts the `n`-grams of a text in `num_dimensions` buckets (Weinberger et al., arXiv 0902.2206)."""

    n: int = 3
    num_dimensions: int = 4096

    def __post_init__(self) -> None:
        checks.whole_number("embedding.n", self.n, minimum=1)
        checks.whole_number("embedding.num_dimensions", self.num_dimensions, minimum=1)

    def __call__(self, text: str) -> npt.NDArray[np.float64]:
        """Return the vector of `text`, of length 1 (0 for a text that is shorter than an n-gram)."""
        vector = np.zeros(self.num_dimensions)
        for start in range(len(text) - self.n + 1):
            ngram = text[start : start + self.n].encode()
            vector[zlib.crc32(ngram) % self.num_dimensions] += 1.0
        length = float(np.linalg.norm(vector))
        return vector / length if length else vector


Vector = npt.NDArray[np.float64]
NGRAMS = HashedNgrams(n=3, num_dimensions=512)
L2 = 1.0  # one pseudo-observation's worth of pull towards zero on every weight


@dataclass(frozen=True)
class TrainedDifficulty:
    """The score that `python -m tts_eval.train_difficulty` has written to the file `path`."""

    path: str

    def __post_init__(self) -> None:
        _weights(self.path)

    def of(self, problem: Problem) -> float:
        """Return the chance that the strategy it was trained on fails on `problem`."""
        return float(expit(features(problem.question) @ _weights(self.path)))


def features(question: str) -> Vector:
    """Return what the score sees of a question: a constant, its length, and its n-grams."""
    return np.concatenate([[1.0, np.log1p(len(question))], NGRAMS(question)])


def fit(questions: Sequence[str], is_failed: Sequence[bool]) -> Vector:
    """Return the weights that make the failures most likely, the prior on them included."""
    seen, failed = np.stack([features(question) for question in questions]), np.asarray(is_failed, float)

    def loss(weights: Vector) -> tuple[float, Vector]:
        margins = seen @ weights
        value = np.logaddexp(0.0, margins).sum() - failed @ margins + L2 / 2 * weights @ weights
        return float(value), seen.T @ (expit(margins) - failed) + L2 * weights

    found: Vector = minimize(loss, np.zeros(seen.shape[1]), jac=True, method="L-BFGS-B").x
    return found


def predicted(questions: Sequence[str], weights: Vector) -> Vector:
    """Return the chance of failure of each question."""
    return expit(np.stack([features(question) for question in questions]) @ weights)


@cache
def _weights(path: str) -> Vector:
    file = Path(path).expanduser()
    try:
        weights = np.asarray(orjson.loads(file.read_bytes())["weights"], dtype=float)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"difficulty.path={path!r} is not a file that python -m tts_eval.train_difficulty wrote"
        ) from error
    if weights.shape != features("").shape:
        raise ValueError(f"difficulty.path={path!r} was written by another version: train it again")
    return weights
