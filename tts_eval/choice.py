"""Choosing the answer among scored candidates, as searches do.

Knows no verifier and no search: a candidate brings its score along.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from tts_eval.protocols import LanguageModel
from tts_eval.records import Candidate

CHOICES = ("best", "weighted", "majority")


async def choose(llm: LanguageModel, candidates: Sequence[Candidate], how: str) -> str | None:
    """Return the answer of the `best` candidate, or that of a vote, `weighted` by scores or by `majority`.

    Of equals the first wins; unparsed answers never do: without a parsed one the result is None.
    """
    assert how in CHOICES
    scores = [candidate.score or 0.0 for candidate in candidates]
    if how == "best":
        parsed = [place for place, candidate in enumerate(candidates) if candidate.answer is not None]
        winner = max(parsed, key=lambda place: scores[place], default=None)
    else:
        groups = await llm.group([candidate.answer for candidate in candidates])
        weights = scores if how == "weighted" else [1.0] * len(scores)
        groups.sort(key=min)
        heaviest = max(groups, key=lambda group: math.fsum(weights[i] for i in group), default=None)
        winner = None if heaviest is None else min(heaviest)
    return None if winner is None else candidates[winner].answer
