"""Recorded samples: independent traces of each problem, in the order in which they were drawn.

Only what was sampled from the empty trace, each by one call, is a recording: the branches of a search are
not, and neither are two calls of which one went on with the other's text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tts_eval.engines.protocol import RecordedDrafting
from tts_eval.model import Model
from tts_eval.records import Finish, Problem, Sampling
from tts_eval.spend import Call


@dataclass(frozen=True, slots=True)
class Sample:
    """One trace as it was drawn; counts and scores that are not known are None.

    `step_scores` are a verifier's, one a step or one for the whole; `score` is what the trace was chosen by.
    `scoring` holds the calls that scored it, None where they are not known. `is_correct` is a verdict that
    stands, None for a sample that is graded.
    """

    text: str
    finish: Finish | None = None
    num_tokens: int | None = None
    num_prompt_tokens: int | None = None
    num_cached_tokens: int | None = None
    num_preemptions: int = 0
    num_drafts: int | None = None
    num_draft_tokens: int | None = None
    num_accepted_tokens: int | None = None
    num_reread_tokens: int = 0
    num_pieces: int = 1
    score: float | None = None
    step_scores: tuple[float, ...] | None = None
    scoring: tuple[Call, ...] | None = ()
    is_correct: bool | None = None


@dataclass(frozen=True)
class Recording:
    """The samples of every problem, by its id, and what was sampled from.

    A problem's question is its id: no prompt is written again. `sampling` None stands for settings that are
    not known, `architecture` None for FLOPs that cannot be counted; `role_architectures` and `drafting` are
    those of the models beside the policy. Of the kinds of tokens in `unknown` the samples say nothing.
    """

    source: str
    task: str
    model: Model
    problems: tuple[Problem, ...] = field(repr=False)
    samples: Mapping[str, Sequence[Sample]] = field(repr=False)
    fingerprint: str | None = None
    sampling: Sampling | None = None
    architecture: Mapping[str, Any] | None = field(default=None, repr=False)
    role_architectures: Mapping[str, Any] = field(default_factory=dict, repr=False)
    drafting: RecordedDrafting | None = field(default=None, repr=False)
    unknown: frozenset[str] = frozenset()
    max_model_len: int = 2**31

    @property
    def num_samples(self) -> int:
        """How many samples every problem has, at least."""
        return min(len(samples) for samples in self.samples.values())

    def knows(self, name: str) -> bool:
        """Whether every sample has a value of `name`."""
        return all(
            getattr(sample, name) is not None for samples in self.samples.values() for sample in samples
        )

    @property
    def unknown_tokens(self) -> list[str]:
        """Which kinds of tokens cannot be counted; where the thinking ends is known only about."""
        known = {
            "prompt": self.knows("num_prompt_tokens"),
            "cached": self.knows("num_cached_tokens"),
            "generated": self.knows("num_tokens"),
            "thinking": False,
            "verifier": self.knows("scoring"),
            "draft": True,
        }
        return [kind for kind, is_known in known.items() if not is_known or kind in self.unknown]
