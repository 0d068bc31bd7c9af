"""Questions as vectors, without a model: hashed n-grams of characters.

Knows no strategy. Two questions that differ in a digit are near each other here: a threshold is a choice.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tts_eval import checks


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
