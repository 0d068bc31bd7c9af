"""The verifier of a recording: the scores that were given when the samples were drawn."""

from __future__ import annotations

from dataclasses import dataclass, field

from tts_eval.engines.replay.codec import RecordedCodec
from tts_eval.engines.replay.recording import Recording, Sample
from tts_eval.protocols import Recalled, Verifier
from tts_eval.records import Problem, Trace


@dataclass(frozen=True)
class RecordedVerifier(Verifier):
    """Hands out each sample's scores, one a step where every sample has such, else the one it was chosen by.

    Samples are known by their token ids: equal texts may have been given different scores.
    """

    recording: Recording = field(repr=False)
    codec: RecordedCodec = field(repr=False)
    has_steps: bool

    @property
    def is_scaled(self) -> bool:
        """Whether all scores lie in [0, 1]."""
        every = (sample for samples in self.recording.samples.values() for sample in samples)
        return all(0 <= score <= 1 for sample in every for score in self._scores(sample))

    def recall(self, problem: Problem, trace: Trace) -> Recalled:
        """Return the scores of `trace`; NotRecorded if it is not a whole sample."""
        sample = self.recording.samples[problem.id][self.codec.number_of(problem.id, trace)]
        return Recalled(self._scores(sample), sample.scoring or ())

    def _scores(self, sample: Sample) -> tuple[float, ...]:
        if self.has_steps:
            return sample.step_scores or ()
        return () if sample.score is None else (sample.score,)


def recorded_verifier(recording: Recording, codec: RecordedCodec) -> RecordedVerifier | None:
    """Return the verifier whose scores `recording` holds, None where some sample has none."""
    for name in ("step_scores", "score"):
        if recording.knows(name):
            return RecordedVerifier(recording, codec, has_steps=name == "step_scores")
    return None
