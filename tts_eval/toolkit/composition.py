"""What is asked of strategies, and of those that they are made of, before a run: checks, spend, sampling."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields, is_dataclass

from tts_eval.model import Model
from tts_eval.protocols import ChecksModel, ChecksParts, DeclaresSpend, Strategy
from tts_eval.spend import MaxSpend


def check_model(part: object, model: Model, *, room_tokens: int) -> None:
    """Let `part` refuse the model with a ValueError, if it has anything to say on it."""
    if isinstance(part, ChecksModel):
        part.check_model(model, room_tokens=room_tokens)


def check_parts(
    strategy: Strategy, *, verifier: object, roles: Collection[str], is_speculative: bool
) -> None:
    """Let `strategy` refuse the rest of its run with a ValueError, if it has anything to say on it."""
    if isinstance(strategy, ChecksParts):
        strategy.check_parts(verifier=verifier, roles=roles, is_speculative=is_speculative)


def max_spend(strategy: Strategy, *, room_tokens: int) -> MaxSpend | None:
    """Return the most that `strategy` may spend on a problem, None where it does not tell."""
    return strategy.max_spend(room_tokens=room_tokens) if isinstance(strategy, DeclaresSpend) else None


def is_greedy(strategy: object, model: Model) -> bool:
    """Whether `strategy`, at each of its samples, takes the likeliest token of `model`.

    One made of others is what they are: the sampling is theirs.
    """
    if parts := _parts(strategy):
        return all(is_greedy(part, model) for part in parts)
    temperature = getattr(strategy, "temperature", None)
    return model.sampling.override(temperature=temperature, top_p=None).is_greedy


def caps_by_engine(strategy: object) -> bool:
    """Whether `strategy`, or one that it is made of, leaves the cap on its thinking to the engine."""
    is_own = getattr(strategy, "enforced_by", None) == "engine"
    return is_own or any(caps_by_engine(part) for part in _parts(strategy))


def check_drawn(name: str, num_samples: int, strategy: object, model: Model) -> None:
    """Raise ValueError where `strategy` would take `num_samples`, the setting `name`, of one greedy text."""
    if num_samples > 1 and is_greedy(strategy, model):
        raise ValueError(
            f"{name}={num_samples} samples at temperature 0 are all the same; give a temperature above 0, "
            f"or null for the model's own ({model.name}: {model.temperature:g})"
        )


def _parts(strategy: object) -> list[object]:
    """Return the strategies that `strategy` is made of."""
    settings = [getattr(strategy, each.name) for each in fields(strategy)] if is_dataclass(strategy) else []
    return [setting for setting in settings if hasattr(setting, "solve")]
