"""A model that runs, as the metered handle finds it behind a role.

Knows no strategy and no meter.
"""

from __future__ import annotations

from dataclasses import dataclass

from tts_eval.engines.protocol import Engine
from tts_eval.llm.tokenizer import Codec
from tts_eval.model import Model


@dataclass(frozen=True)
class Served:
    """A model that runs: its settings, its tokenizer, its engine."""

    model: Model
    codec: Codec
    engine: Engine
