"""Choosing one answer among many, as several strategies do.

Knows no model; answers count as the same where the handle's `group` says they are.
"""

from __future__ import annotations

from collections.abc import Sequence

from tts_eval.protocols import LanguageModel


async def plurality(llm: LanguageModel, answers: Sequence[str | None]) -> str | None:
    """Return the most frequent answer; of equally frequent ones, the one given first.

    Unparsed answers (None) never win: without a parsed one the result is None.
    """
    groups = await llm.group(answers)
    return answers[groups[0][0]] if groups else None
