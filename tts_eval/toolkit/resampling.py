"""From weights to whole numbers of copies: systematic resampling, its annealing, and REBASE's allocation."""

from __future__ import annotations

import math
from collections.abc import Sequence

SMALLEST = 1e-7  # scores of 0 and 1 have no finite log odds


def log_odds(score: float) -> float:
    """Return log(s / (1 - s)) of a score in [0, 1]."""
    s = min(max(score, SMALLEST), 1 - SMALLEST)
    return math.log(s / (1 - s))


def softmax(logits: Sequence[float], *, temperature: float = 1.0) -> list[float]:
    """Return weights in proportion to exp(logit / temperature), with sum 1."""
    highest = max(logits, default=0.0)
    weights = [math.exp((logit - highest) / temperature) for logit in logits]
    total = math.fsum(weights)
    return [weight / total for weight in weights]


def systematic(weights: Sequence[float], uniform: float) -> list[int]:
    """Return as many indices as there are `weights` (with sum 1), each one floor or ceil of n x weight times.

    One `uniform` number in [0, 1) places n evenly spaced pointers (Kitagawa 1996, section 3.2).
    """
    n = len(weights)
    chosen: list[int] = []
    upto = 0.0
    for index, weight in enumerate(weights):
        upto += weight
        while len(chosen) < n and (len(chosen) + uniform) / n < upto:
            chosen.append(index)
    return chosen + [n - 1] * (n - len(chosen))  # a sum that rounds to just below 1


def effective_share(weights: Sequence[float]) -> float:
    """Return the effective sample size of `weights` (with sum 1), as a share of their number."""
    return 1 / math.fsum(weight**2 for weight in weights) / len(weights)


def normalized_entropy(weights: Sequence[float]) -> float:
    """Return the entropy of `weights` (with sum 1) as a share of the largest possible; 1 for a single one."""
    if len(weights) == 1:
        return 1.0
    return -math.fsum(w * math.log(w) for w in weights if w > 0) / math.log(len(weights))


def ess_temperature(weights: Sequence[float], *, progress: float) -> float:
    """Return max(1, (1 - p) / share) for weights of effective share `share` and a search at `progress` p.

    What its_hub's EntropicParticleFiltering does by default (temperature_method=ess).
    """
    return max(1.0, (1 - progress) / effective_share(weights))


def annealed_temperature(weights: Sequence[float], *, progress: float) -> float:
    """Return 1 / (H + (1 - H) p) for weights of normalized entropy H and a search at `progress` p in [0, 1].

    The flatter, the more the weights have collapsed and the earlier it is: entropic annealing, as in
    its_hub's EntropicParticleFiltering with temperature_method=entropy.
    """
    entropy = normalized_entropy(weights)
    return 1 / max(entropy + (1 - entropy) * progress, SMALLEST)


def rebase_allocation(scores: Sequence[float], num_children: int, *, temperature: float) -> list[int]:
    """Return how many of `num_children` each node gets: from the best on, ceil(those left x its share).

    A node's share is exp(score / temperature) over the sum of those not yet served, so that the total is
    exactly `num_children` (Wu et al., arXiv 2408.00724, section 3.2).
    """
    weights = softmax(scores, temperature=temperature)
    counts = [0] * len(scores)
    left, total = num_children, math.fsum(weights)
    for index in sorted(range(len(scores)), key=lambda i: -scores[i]):
        share = weights[index] / total if total > 0 else 1.0
        counts[index] = min(left, math.ceil(left * share - 1e-9))
        left -= counts[index]
        total -= weights[index]
    assert left == 0
    return counts
