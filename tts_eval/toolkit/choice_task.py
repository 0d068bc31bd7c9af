"""Answers that are letters of options: which one a text states, and how options are put to a model."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import replace
from string import ascii_uppercase

from tts_eval.grading.answers import extract_answer
from tts_eval.grading.choices import split_choice
from tts_eval.grading.grade import Grade, Reason, Verdict
from tts_eval.protocols import Task
from tts_eval.records import Problem

OPTIONS = "options"  # where in a problem's metadata its options are, in the order of their letters
MAX_OPTIONS = 10  # A to J, as in MMLU-Pro
ASKED = "Answer with the letter of one option."
_REFERS_TO_OTHERS = re.compile(
    r"\b(?:none|all|both|neither|either|any|some) of (?:the )?(?:above|these|those|other|option)"
    r"|^(?:both |only |options? )?\(?[A-J]\)? (?:and|or|nor) \(?[A-J]\)?\W*$|\babove\b",
    re.I,
)
_SMALL_LETTER = re.compile(r"\(?([a-j])\)?[.:]?")
_DRESS = re.compile(r"\\(?:text|textbf|mathrm|mathbf|rm|bf)\s*\{([^{}]*)\}|[$*]")


class ChoiceTask(Task):
    """A task whose gold answers are letters and whose problems have their options in the metadata.

    A stated letter wins; where an answer states none, the one option whose text it repeats counts.
    """

    def extract(self, text: str) -> str | None:
        """Return the letter that `text` states, or else what it gives as its answer."""
        answer = extract_answer(text)
        return None if answer is None else stated_letter(answer) or answer

    async def grade(self, problem: Problem, answer: str) -> Grade:
        """Return whether `answer` chooses the right option."""
        if problem.gold is None:
            return Grade(Verdict.UNDECIDED, Reason.NO_GOLD)
        chosen = stated_letter(answer) or _letter_of(answer, problem.metadata.get(OPTIONS, ()))
        return Grade(Verdict.EQUAL if chosen == problem.gold else Verdict.UNEQUAL)

    async def group(self, answers: Sequence[str | None]) -> list[list[int]]:
        """Return the classes of answers that choose the same, the largest first, then the first seen."""
        alike: dict[str, list[int]] = {}
        for index, answer in enumerate(answers):
            if answer is not None:
                alike.setdefault(stated_letter(answer) or _plain(answer), []).append(index)
        return sorted(alike.values(), key=lambda members: (-len(members), members[0]))


def stated_letter(answer: str) -> str | None:
    """Return the letter that an answer states, None where it states none."""
    plain = _DRESS.sub(r"\1", answer).strip(" .\n")
    if choice := split_choice(plain):
        return choice[0]
    small = _SMALL_LETTER.fullmatch(plain)
    return small[1].upper() if small else None


def lettered(problem: Problem, options: Sequence[str], right: int, *, seed: int | None) -> Problem:
    """Return `problem` as it is asked: with its options behind letters, and the right one's as gold answer.

    With `seed` the options are shuffled, by seed and problem alone; not where one of them refers to others
    ("none of the above"). Raises ValueError for fewer than two options, too many, or one that is there twice.
    """
    if not 2 <= len(options) <= MAX_OPTIONS:
        raise ValueError(f"a choice has 2 to {MAX_OPTIONS} options, not {len(options)}")
    if len({_plain(option) for option in options}) < len(options):
        raise ValueError(f"it has one option twice: {', '.join(options):.120}")
    order = list(range(len(options)))
    if seed is not None and not any(_REFERS_TO_OTHERS.search(option) for option in options):
        random.Random(f"{seed}:{problem.id}").shuffle(order)
    shown = [options[place] for place in order]
    lines = [f"{letter}. {option}" for letter, option in zip(ascii_uppercase, shown, strict=False)]
    return replace(
        problem,
        question="\n".join((problem.question, "", *lines, "", ASKED)),
        gold=ascii_uppercase[order.index(right)],
        metadata={**problem.metadata, OPTIONS: tuple(shown)},
    )


def _letter_of(answer: str, options: Sequence[str]) -> str | None:
    """Return the letter of the one option whose text is `answer`."""
    places = [place for place, option in enumerate(options) if _plain(option) == _plain(answer)]
    return ascii_uppercase[places[0]] if len(places) == 1 else None


def _plain(text: str) -> str:
    return " ".join(_DRESS.sub(r"\1", text).casefold().split()).strip(" .")
