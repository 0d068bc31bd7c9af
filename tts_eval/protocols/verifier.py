"""The base of every verifier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tts_eval import checks
from tts_eval.model import Model
from tts_eval.protocols.bounds import check_bounds
from tts_eval.protocols.language_model import LanguageModel
from tts_eval.records import Problem, TextCodec, Trace
from tts_eval.spend import Call

ANSWER, ALL = "answer", "all"  # what a verifier reads of a trace

StepScores = Sequence[float]  # one score in [0, 1] a reasoning step


@dataclass(frozen=True, slots=True)
class Recalled:
    """Scores that were given before, and the calls that they took then."""

    scores: StepScores
    calls: tuple[Call, ...] = ()


class Verifier:
    """Scores traces without knowing the gold answer.

    A strategy calls `score`, on a handle that meters what is spent and scores no prefix of steps twice.

    To write one, subclass it as a frozen dataclass whose fields are its YAML, with their bounds
    (`tts_eval.protocols.bounds`), and override `score_steps`
    (process reward models: a score for every step, each by what precedes its end) or `score_trace` (outcome
    models, judges and confidences: one score). It spends through the `llm` that these are given:
    `llm.as_role(self.role)` is the model configured for its role, with `extend` to have it write and `read`
    for a reward model's logits.

    Attributes:
        role: the role whose model it scores with; None where it needs none.
        num_logprobs: how many log-probabilities a token the policy computes for it (0: the token's own).
        reads: `answer` to be given the steps after the thinking only, `all` for the whole trace.
    """

    role: str | None = None
    num_logprobs: int | None = None
    reads: str = ALL

    def __post_init__(self) -> None:
        """Raise ValueError for a setting that is out of its bounds; overriding it, call it first."""
        check_bounds("verifier", self)
        checks.one_of("verifier.reads", self.reads, (ANSWER, ALL))

    @property
    def is_scaled(self) -> bool:
        """Whether all scores lie in [0, 1]; of others only the order means something."""
        return True

    @property
    def scores_steps(self) -> bool:
        """Whether it scores every step, not only the whole trace."""
        return type(self).score_steps is not Verifier.score_steps

    def check_role(self, model: Model, codec: TextCodec) -> None:
        """Raise ValueError where the tokenizer of its role's `model` does not write what is to be read."""

    async def score(self, problem: Problem, traces: Sequence[Trace]) -> list[StepScores]:
        """Return for each trace one score a step; what a strategy calls, and no verifier overrides."""
        raise NotImplementedError("traces are scored through the handle that a strategy is given")

    async def score_steps(
        self, problem: Problem, steps: Sequence[str], llm: LanguageModel, *, num_known: int
    ) -> Sequence[float]:
        """Return the scores in [0, 1] of `steps[num_known:]`; those before were scored by earlier calls."""
        raise NotImplementedError(f"{type(self).__name__} overrides neither score_steps nor score_trace")

    async def score_trace(self, problem: Problem, trace: Trace, llm: LanguageModel) -> float | None:
        """Return the score of `trace` in [0, 1]; None where there is no verdict, which counts as neutral."""
        raise NotImplementedError(f"{type(self).__name__} overrides neither score_steps nor score_trace")

    def recall(self, problem: Problem, trace: Trace) -> Recalled | None:
        """Return what was recorded for `trace`, a whole sample; None but in replays: it is scored now."""
        return None
