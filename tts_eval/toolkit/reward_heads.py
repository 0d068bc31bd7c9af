"""From the logits of a reward model's head to a score in [0, 1].

Knows no model: how many labels a head has, and which of them means right, is told by whoever reads it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence


def sigmoid(logit: float) -> float:
    """Return the logistic function, without overflow on either side."""
    if logit >= 0:
        return 1 / (1 + math.exp(-logit))
    return math.exp(logit) / (1 + math.exp(logit))


def softmax(logits: Sequence[float], label: int) -> float:
    """Return the probability of `label` among `logits`."""
    highest = max(logits)
    weights = [math.exp(logit - highest) for logit in logits]
    return weights[label] / math.fsum(weights)
