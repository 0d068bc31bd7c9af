"""The verifier of a recording: the scores that were given when the samples were drawn.

Knows no reward model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tts_eval.engines.recording import Recording, Sample
from tts_eval.protocols import LanguageModel
from tts_eval.records import Markers, Problem, TextCodec, Trace
from tts_eval.steps import split_steps


def recorded_verifier(recording: Recording, codec: TextCodec) -> RecordedSteps | RecordedTraces | None:
    """Return the verifier whose scores `recording` holds, None where some sample has none.

    Where every sample has a score for each of its steps, as the model's markers divide it, they are replayed
    step by step; else the one score that each sample has, or was chosen by.
    """
    markers = recording.model.markers
    by_steps: dict[tuple[str, str], Sequence[float]] = {}
    by_text: dict[tuple[str, str], float] = {}
    num_samples = 0
    for problem_id, samples in recording.samples.items():
        for sample in samples:
            num_samples += 1
            steps, scores = _steps(sample, markers, codec), sample.step_scores
            if scores is not None and len(scores) == len(steps):
                by_steps[problem_id, sample.text] = scores
            whole = scores[0] if scores is not None and len(scores) == 1 else sample.score
            if whole is not None:
                by_text[problem_id, sample.text] = whole
    texts = {(problem_id, s.text) for problem_id, samples in recording.samples.items() for s in samples}
    if by_steps.keys() == texts and any(len(scores) > 1 for scores in by_steps.values()):
        return RecordedSteps(by_steps)
    return RecordedTraces(by_text) if by_text.keys() == texts else None


@dataclass(frozen=True)
class RecordedSteps:
    """The recorded scores of a trace's steps, by problem and text."""

    scores: Mapping[tuple[str, str], Sequence[float]] = field(repr=False)

    async def score_steps(
        self, problem: Problem, steps: Sequence[str], llm: LanguageModel, *, num_known: int
    ) -> Sequence[float]:
        """Return the recorded scores of `steps[num_known:]`."""
        return self.scores[problem.id, "".join(steps)][num_known:]


@dataclass(frozen=True)
class RecordedTraces:
    """The recorded score of a trace, by problem and text."""

    scores: Mapping[tuple[str, str], float] = field(repr=False)

    async def score_trace(self, problem: Problem, trace: Trace, llm: LanguageModel) -> float:
        """Return the recorded score of `trace`."""
        return self.scores[problem.id, trace.text]


def _steps(sample: Sample, markers: Markers, codec: TextCodec) -> tuple[str, ...]:
    return split_steps(Trace((), codec, text=sample.text), markers)
