"""What every answer of a problem is worth, not only the one that was given in the end.

Knows no strategy: accuracy at a deadline and at every smaller number of samples is read off these verdicts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tts_eval.grading.grade import Verdict
from tts_eval.grading.grader import Grader
from tts_eval.records import Attempt, Interim

Classes = tuple[int | None, ...]


async def judge(
    grader: Grader, gold: str, attempt: Attempt | None, interims: Sequence[Interim]
) -> tuple[Mapping[str, Verdict], Classes]:
    """Return a verdict for each distinct answer, and for each candidate the number of its answer's class."""
    candidates = () if attempt is None else attempt.candidates
    final = () if attempt is None else (attempt.answer,)
    answers = (*final, *(c.answer for c in candidates), *(interim.answer for interim in interims))
    stated = [answer for answer in dict.fromkeys(answers) if answer is not None]
    verdicts = {answer: (await grader.grade(gold, answer)).verdict for answer in stated}
    classes: list[int | None] = [None] * len(candidates)
    for number, members in enumerate(await grader.group([candidate.answer for candidate in candidates])):
        for index in members:
            classes[index] = number
    return verdicts, tuple(classes)
