"""Who drafts tokens inside an engine: nobody but a look-up table, a model by itself, or layers on the model.

Knows no engine and no acceptance.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tts_eval.model import Model


class Drafter(StrEnum):
    """What a draft is made by."""

    LOOKUP = "lookup"  # earlier text: no forward pass
    MODEL = "model"  # a model by itself
    LAYERS = "layers"  # a head or layers that read the model's hidden states


@dataclass(frozen=True, slots=True)
class Drafting:
    """How an engine drafts, `num_tokens` at once; `model` is known for a model by itself alone."""

    drafter: Drafter
    num_tokens: int
    model: Model | None = None
