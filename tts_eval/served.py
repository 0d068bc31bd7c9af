"""A model that runs, as the metered handle finds it behind a role.

Knows no strategy and no meter.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from tts_eval.codec import Codec
from tts_eval.model import Model
from tts_eval.serving import Engine
from tts_eval.thinking import ThinkingPart


@dataclass(frozen=True)
class Served:
    """A model that runs: its settings, its tokenizer, its engine."""

    model: Model
    codec: Codec
    engine: Engine

    @cached_property
    def thinking(self) -> ThinkingPart:
        """How it opens and closes its thinking."""
        return ThinkingPart(self.model, self.codec)
