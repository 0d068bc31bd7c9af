"""Whether an engine can end a model's thinking itself: it compares token ids with those of whole markers."""

from __future__ import annotations

from collections.abc import Callable

from tts_eval.llm.markings import Marking, Opening

LAST_WORDS = ("Okay", "Okay.", "\\boxed{4}", "$4$")  # of a thought


def check_cap(
    marking: Marking, tail: str, encode: Callable[[str], tuple[int, ...]], *, model_name: str
) -> None:
    """Raise ValueError where an engine would miss a marker, or end the thinking as the model never does.

    `tail` is the end of a rendered prompt. vLLM counts from the ids of `marking.start`, stops counting at
    those of `marking.end`, and forces these (its ThinkingBudgetStateHolder).
    """
    where = f"strategy.enforced_by=engine does not work with {model_name!r}:"
    instead = "use strategy.enforced_by=strategy"
    if marking.is_announced:
        raise ValueError(f"{where} a forced {marking.end!r} does not close the message before it; {instead}")
    opened = tail if marking.opening(tail) is Opening.THINKING else f"{tail}{marking.start}\n"
    texts = {f"{opened}Okay": marking.start}
    texts |= {f"{opened}{words}{marking.closing}So": marking.end for words in LAST_WORDS}
    for text, marker in texts.items():
        if not _holds(encode(text), encode(marker)):
            raise ValueError(
                f"{where} its tokenizer merges {marker!r} with what stands beside it, and the engine would "
                f"miss it; {instead}"
            )


def _holds(token_ids: tuple[int, ...], part: tuple[int, ...]) -> bool:
    return any(token_ids[at : at + len(part)] == part for at in range(len(token_ids) - len(part) + 1))
