"""Finds the answer in what a model says: a box, a statement, a text that is no more, the last formula."""

from __future__ import annotations

import re

from tts_eval.grading.boxes import BOX, boxes, last_list
from tts_eval.grading.characters import spell_out
from tts_eval.grading.choices import split_choice
from tts_eval.grading.formulas import PROSE_WORD, formulas
from tts_eval.grading.markers import last_choice, last_formula_or_run, last_statement
from tts_eval.grading.spoken import signed

FALLBACK_CHARS = 20_000  # without a box only the end of a text is searched: bounds the work on hostile ones
MAX_BARE_CHARS = 300
_EMPHASIS = re.compile(r"(?<![\w)*])\*\*|\*\*(?![\w(*])|(?<![\w_])__|__(?![\w_])|`")
_LIGHT_EMPHASIS = re.compile(r"(?<![\w)*])([*_])(\S(?:[^*_\n]*[^\s*_])?)\1(?![\w*(])")
_CALCULATOR = re.compile(r"<<[^<>\n]*>>")
_DECIMAL_COMMA = re.compile(r"-?\d+,(?:\d{2}|\d{4,})|-?0,\d+")
_ANSWERED = re.compile(r"boxed|\banswer\b|\#{4}", re.I)
_QUESTION = re.compile(r"\n[ \t]*\n[ \t]*(?:\#+ ?|\*\*)?(?:question|problem)(?: \d+)?(?:\*\*)?:", re.I)
_ONE_WORD = re.compile(r"[A-Za-z]+")


def extract_answer(
    text: str,
    *,
    is_truncated: bool = False,
    end_of_thinking: str = "</think>",
    start_of_thinking: str = "<think>",
) -> str | None:
    r"""Return the answer that a text states, or None where it states none.

    Only the part after the last end of thinking counts; thinking that never ended has no answer. Nor does
    what stands behind a further question that a model puts to itself ("Question:") once it has answered.
    Of these the first that is there wins: the last balanced, non-empty box, together with those before it in
    the same sentence that a comma, "and" or "or" links to it, and with the letter of a choice that is stated
    behind it; what stands directly behind the last statement of the answer; the whole text, where it holds no
    prose; the last formula or bare mathematics. The last two are guesses: a truncated text has none.
    """
    said = _after_thinking(text, start_of_thinking, end_of_thinking)
    if said is None:
        return None
    stop = _further_question(said)
    if stop and (answer := _stated(said[:stop], is_truncated=False)):
        return answer
    if answer := _stated(said, is_truncated=is_truncated):
        return answer
    tail = _plain(said[-FALLBACK_CHARS:])
    return None if is_truncated else _whole(tail) or last_formula_or_run(tail)


def _further_question(text: str) -> int | None:
    """Return where a model that has answered goes on to put itself another question, as base models do."""
    answered = _ANSWERED.search(text)
    further = _QUESTION.search(text, answered.end()) if answered else None
    return further.start() if further else None


def _stated(text: str, *, is_truncated: bool) -> str | None:
    """Return what is boxed, or else what the last statement of the answer states."""
    found = boxes(text)
    if boxed := last_list(text, found):
        letter = last_choice(_plain(text[found[-1].end :][-FALLBACK_CHARS:]))
        return f"({letter}) {boxed}" if letter and not split_choice(boxed.strip("$ ")) else boxed
    return last_statement(_plain(text[-FALLBACK_CHARS:]), is_truncated=is_truncated)


def _after_thinking(text: str, start: str, end: str) -> str | None:
    before, marker, rest = text.rpartition(end)
    if not marker:
        return None if start in text else text
    if not rest.strip(" \n*.") and (end in before or start not in before):  # a stray closer behind the answer
        return _after_thinking(before, start, end)
    return None if start in rest else rest


def _plain(text: str) -> str:
    """Return `text` without emphasis and calculator notes, in ASCII and LaTeX, line by line."""
    text = _CALCULATOR.sub("", _LIGHT_EMPHASIS.sub(r"\2", _EMPHASIS.sub("", text)))
    return "\n".join(signed(spell_out(line)) for line in text.splitlines())


def _whole(text: str) -> str | None:
    """Return the text, or its last line, if it is no more than an answer."""
    text = text.strip().strip('"').strip()
    if _ONE_WORD.fullmatch(text.rstrip(".!")):
        return text.rstrip(".!")
    if len(text) > MAX_BARE_CHARS or PROSE_WORD.search(text) or BOX.search(text):
        return None
    if (found := formulas(text)) and (found[0].start, found[0].end) == (0, len(text)):
        return found[0].content
    last_line = text.splitlines()[-1].strip() if text else ""
    if _DECIMAL_COMMA.fullmatch(last_line):
        return last_line.replace(",", ".")
    return last_line if re.search(r"\w", last_line) else None
