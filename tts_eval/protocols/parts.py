"""What strategies are configured with besides other strategies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
import numpy.typing as npt

from tts_eval.records import Problem


class Difficulty(Protocol):
    """Says how hard a problem will be before anything is spent on it."""

    def of(self, problem: Problem) -> float:
        """Return the chance in [0, 1] that a cheap attempt fails, without a look at the gold answer."""


# Returns the vector of a question, of length 1; alike questions have a cosine near 1.
Embedding = Callable[[str], npt.NDArray[np.float64]]
