"""Seeds derived from what is sampled, so that the same run asks the same things twice.

Knows no random generator: an engine is given the seed.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Sequence


def derive_seed(run_seed: int, problem_id: str, *key: int | str) -> int:
    """Return a seed in [0, 2^63) for what `key` names within a problem."""
    text = "\0".join(map(str, (run_seed, problem_id, *key)))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest()) >> 1


def digest(token_ids: Sequence[int]) -> str:
    """Return a short name for `token_ids`, the same for the same ids."""
    return hashlib.blake2b(array("q", token_ids).tobytes(), digest_size=8).hexdigest()


def uniform(seed: int) -> float:
    """Return the number in [0, 1) that belongs to `seed`."""
    return (seed >> 10) / 2**53
