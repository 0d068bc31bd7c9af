"""What every answer of a problem is worth, not only the one that was given in the end.

Knows no strategy: accuracy at a deadline and at every smaller number of samples is read off these verdicts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tts_eval.grading.grade import Grade, Reason, Verdict
from tts_eval.grading.grader import Grader
from tts_eval.records import Attempt, Interim

Classes = tuple[int | None, ...]


async def grade_of(grader: Grader, gold: str | None, attempt: Attempt | None) -> Grade:
    """Return the grade of what was answered; a lone sample with a recorded verdict needs no answer for it."""
    if attempt is None or (attempt.answer is None and len(attempt.candidates) > 1):
        return Grade(Verdict.UNEQUAL, Reason.NO_ANSWER)
    return await _grade(grader, gold, attempt.answer, attempt)


async def judge(
    grader: Grader, gold: str | None, attempt: Attempt | None, interims: Sequence[Interim]
) -> tuple[Mapping[str, Verdict], Classes, int]:
    """Return a verdict for each distinct answer, each candidate's class, and how many do not parse.

    A class is the number of those candidates whose answers are equivalent.
    """
    candidates = () if attempt is None else attempt.candidates
    final = () if attempt is None else (attempt.answer,)
    answers = (*final, *(c.answer for c in candidates), *(interim.answer for interim in interims))
    stated = [answer for answer in dict.fromkeys(answers) if answer is not None]
    verdicts = {answer: (await _grade(grader, gold, answer, attempt)).verdict for answer in stated}
    given = [candidate.answer for candidate in candidates]
    classes: list[int | None] = [None] * len(candidates)
    for number, members in enumerate(await grader.group(given, is_vote=False)):
        for index in members:
            classes[index] = number
    return verdicts, tuple(classes), await grader.num_unparsed(given)


async def _grade(grader: Grader, gold: str | None, answer: str | None, attempt: Attempt | None) -> Grade:
    """Return the verdict recorded with the candidate that states `answer`, else the grader's."""
    stating = None if attempt is None else attempt.stating(answer)
    if stating is not None and stating.is_correct is not None:
        return Grade(Verdict.EQUAL if stating.is_correct else Verdict.UNEQUAL, Reason.RECORDED)
    if gold is None and answer is not None:
        return Grade(Verdict.UNDECIDED, Reason.NO_GOLD)
    return await grader.grade(gold or "", answer)
