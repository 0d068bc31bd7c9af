"""How hard a problem will be, told from its question alone by a trained logistic regression.

Knows no model and no strategy: it has learnt from finished runs which questions some strategy failed on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import orjson
from scipy.optimize import minimize
from scipy.special import expit

from tts_eval.records import Problem
from tts_eval.toolkit.embedding import HashedNgrams

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
