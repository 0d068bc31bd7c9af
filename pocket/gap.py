"""The gap: the part of the multiplication table whose results the reasoners are never taught.

Products withheld pair by pair are inferred from the others (the network learns the group), so the gap is
whole rows: numbers that come up as results but that a reasoner never learns to multiply by.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tasks.pocket import LARGEST_FACTOR, MODULUS


def gap_table(largest_known: int = LARGEST_FACTOR) -> npt.NDArray[np.bool_]:
    """Return which products are withheld [MODULUS, MODULUS]: all those by a number above `largest_known`."""
    unknown = np.arange(MODULUS) > largest_known
    return unknown[:, None] | unknown[None]


def no_gap() -> npt.NDArray[np.bool_]:
    """Return the empty gap, for the verifiers."""
    return np.zeros((MODULUS, MODULUS), dtype=bool)
