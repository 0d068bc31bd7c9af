"""CUDA_VISIBLE_DEVICES: which GPUs a process may use, and in which order.

CUDA reads the list up to the first entry that names no GPU, and sees none at all where one is named twice
(CUDA C++ Programming Guide, environment variables).
"""

from __future__ import annotations

import os

VARIABLE = "CUDA_VISIBLE_DEVICES"


class TooFewGpus(ValueError):
    """More GPUs are wanted than this process may use."""


def entries() -> list[str] | None:
    """Return what the variable names, numbers or (shortened) UUIDs; None where it is not set."""
    value = os.environ.get(VARIABLE)
    if value is None:
        return None
    found: list[str] = []
    for entry in map(str.strip, value.split(",")):
        if not (entry.isdigit() or entry.startswith(("GPU-", "MIG-"))):
            break
        found.append(entry)
    return found if len(set(found)) == len(found) else []


def subset(first: int, num_gpus: int | None = None, *, num_visible: int) -> str:
    """Return the value that leaves `num_gpus` GPUs from number `first` on, None for all that follow.

    `num_visible` is the number of GPUs visible now, whose own numbers are kept where the variable is set.
    Raises TooFewGpus where there are not so many.
    """
    names = entries()
    names = [str(number) for number in range(num_visible)] if names is None else names[:num_visible]
    end = len(names) if num_gpus is None else first + num_gpus
    if first >= len(names) or end > len(names):
        wanted = "the GPUs" if num_gpus is None else f"{num_gpus} GPUs"
        raise TooFewGpus(f"{wanted} from number {first} on: this process may use {len(names)}")
    return ",".join(names[first:end])
