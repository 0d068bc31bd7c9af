"""The list price of an API that serves a model: dollars a token, by what was done with it.

Knows no run. Prices are inputs, never constants: the model's configuration states them, with source and date.
"""

from __future__ import annotations

from dataclasses import dataclass

from tts_eval import checks


@dataclass(frozen=True, slots=True)
class ApiPrice:
    """What a provider asks for; a prompt token found in its cache costs `usd_per_million_cached_tokens`."""

    usd_per_million_prompt_tokens: float
    usd_per_million_cached_tokens: float
    usd_per_million_generated_tokens: float
    source: str
    as_of: str

    def __post_init__(self) -> None:
        for kind in ("prompt", "cached", "generated"):
            name = f"usd_per_million_{kind}_tokens"
            checks.number(f"model.api_price.{name}", getattr(self, name), minimum=0)

    def usd(self, *, num_prompt_tokens: int, num_cached_tokens: int, num_generated_tokens: int) -> float:
        """Return the dollars of one call; the cached tokens are among those of the prompt."""
        micro_usd = (
            (num_prompt_tokens - num_cached_tokens) * self.usd_per_million_prompt_tokens
            + num_cached_tokens * self.usd_per_million_cached_tokens
            + num_generated_tokens * self.usd_per_million_generated_tokens
        )
        return micro_usd / 1e6
