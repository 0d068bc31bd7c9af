"""Verifiers without a model: how sure the policy was of what it wrote, from its own log-probabilities.

Each states how many log-probabilities a token it reads, and the policy is asked for them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tts_eval.protocols import LanguageModel, Verifier
from tts_eval.protocols.bounds import one_of, whole
from tts_eval.records import Problem, Trace
from tts_eval.toolkit.confidence import MEASURES

HIGHEST_NATS = 100.0  # far above the confidence of any token


@dataclass(frozen=True)
class MeanLogprob(Verifier):
    """The geometric mean of the tokens' probabilities; one that was appended counts as sure."""

    num_logprobs: int = 0

    async def score_trace(self, problem: Problem, trace: Trace, llm: LanguageModel) -> float:
        """Return exp of the mean log-probability; 0 for a trace of nothing."""
        return math.exp(_mean(trace.logprobs)) if trace.logprobs else 0.0


@dataclass(frozen=True)
class DeepConf(Verifier):
    """DeepConf (Fu et al., arXiv 2508.15260, section 3.1): group confidences over windows of `window` tokens.

    A token's confidence is the negative mean log-probability of the `num_logprobs` most likely tokens, a
    group's the mean over its window. `measure` is one of `tts_eval.toolkit.confidence`. The score is the
    confidence in hundreds of nats: a vote weighs by it, so ratios of confidences have to stay what they are.
    """

    measure: str = one_of("lowest", tuple(MEASURES))
    window: int = whole(2048, minimum=1)
    num_logprobs: int = whole(20, minimum=2)

    async def score_trace(self, problem: Problem, trace: Trace, llm: LanguageModel) -> float:
        """Return the measure, scaled; 0 for a trace of nothing."""
        confidences = generated_confidences(trace)
        return _scaled(MEASURES[self.measure](confidences, self.window)) if confidences else 0.0


@dataclass(frozen=True)
class SelfCertainty(Verifier):
    """Self-certainty (Kang et al., arXiv 2502.18581, section 3): how far the prediction is from uniform.

    Divergence of the uniform distribution from it, over the `num_logprobs` most likely tokens; exact where
    these are the whole vocabulary. The score is its mean over tokens in hundreds of nats.
    """

    num_logprobs: int = whole(20, minimum=2)

    async def score_trace(self, problem: Problem, trace: Trace, llm: LanguageModel) -> float:
        """Return the scaled mean divergence; 0 for a trace of nothing."""
        confidences = generated_confidences(trace)
        if not confidences:
            return 0.0
        return _scaled(max(0.0, _mean(confidences) - math.log(self.num_logprobs)))


def generated_confidences(trace: Trace) -> list[float]:
    """Return the confidences of the tokens that were generated: those of others are 0.0, theirs never."""
    return [confidence for confidence in trace.confidences or () if confidence != 0.0]


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _scaled(confidence: float) -> float:
    """Return `confidence` as a score in [0, 1], in proportion to it."""
    return min(1.0, confidence / HIGHEST_NATS)
