"""What strategies are configured with besides other strategies."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from tts_eval.records import Problem


class Difficulty(Protocol):
    """Tells how hard a problem will be before anything is spent on it."""

    def of(self, problem: Problem) -> float:
        """Return the chance in [0, 1] that a cheap attempt fails, without a look at the gold answer."""


class Embedding(Protocol):
    """Turns a question into a vector; alike questions have a cosine near 1."""

    def __call__(self, text: str) -> npt.NDArray[np.float64]:
        """Return the vector of `text`, of length 1."""
