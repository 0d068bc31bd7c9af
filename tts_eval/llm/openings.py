"""Asking a model for its answer without letting it think: which models can be asked in which way."""

from __future__ import annotations

from tts_eval import checks
from tts_eval.llm.markings import Marking
from tts_eval.model import Model

TEMPLATE, LEAD_IN = "template", "lead_in"
WAYS = (TEMPLATE, LEAD_IN)


def check_opening(way: str, model: Model, *, max_tokens: int | None, room_tokens: int) -> None:
    """Raise ValueError where `model` cannot be asked that `way`, or has no room for what that puts first."""
    opening = most_opening_tokens(way, model)
    asked = f"strategy.max_tokens={max_tokens or 'null'} and what opens the answer, up to {opening},"
    checks.fits(asked, opening + (max_tokens or 1), room_tokens)
    if way == TEMPLATE and model.thinking_end is not None and not model.no_thinking_kwargs:
        if given := dict(model.chat_template_kwargs):
            raise ValueError(
                f"beyond model.chat_template_kwargs={given} nothing switches the thinking of {model.name!r} "
                "off; where that has done so, use strategy=cot, otherwise strategy.way=lead_in"
            )
        raise ValueError(
            f"the chat template of {model.name!r} cannot switch its thinking off; use strategy.way=lead_in"
        )
    if way == LEAD_IN and not model.answer_lead_in:
        raise ValueError(f"{model.name!r} has no answer_lead_in; use strategy.way=template")


def most_opening_tokens(way: str, model: Model) -> int:
    """Return the most tokens, one a byte, that come between the longest prompt and the answer.

    The prompts were measured as those of a model that may think.
    """
    opening = model.markers.answer_opening if way == LEAD_IN else ""
    if model.thinking_start is not None and model.thinking_end is not None:
        opening = Marking.of(model.thinking_start, model.thinking_end).skipped("") + opening
    return len(opening.encode())
