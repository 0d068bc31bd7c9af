"""Seeds derived from what is sampled, so that the same run asks the same things twice.

Knows no random generator: an engine is given the seed.
"""

from __future__ import annotations

import hashlib


def derive_seed(run_seed: int, problem_id: str, call_number: int) -> int:
    """Return a seed in [0, 2^63) for the `call_number`-th sample of a problem."""
    key = f"{run_seed}\0{problem_id}\0{call_number}".encode()
    return int.from_bytes(hashlib.blake2b(key, digest_size=8).digest()) >> 1
