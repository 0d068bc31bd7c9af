"""The result of the last equation, where a sentence states it and its circumstances: 52 eggs in 4 weeks."""

from __future__ import annotations

import re

from tts_eval.grading.formulas import bare_runs, formulas

_MAX_SENTENCE_CHARS = 1000
_SENTENCE_START = re.compile(r"[.!?](?=\s)|\n")
_VALUE = re.compile(
    r"\s*(?:\\?[$£€¥₹]\s*)?(-?\d+(?:,\d{3})*(?:\.\d+)?)(?![\d^!]|,\d)(?!\s*(?:[-+*/]|\\(?:times|cdot|div)\b)\s*[\d(\\])"
)
_VERB = (
    "is|are|was|were|be|will|would|must|has|have|had|gives?|gave|equals?|makes?|made|means|becomes?|became|leaves?"
    "|left|yields?|costs?|gets?|got|earns?|needs?|takes?"
)
_COUNTED = rf"(?:[^\w.,;]{{1,3}}(?!(?:{_VERB})\b)[A-Za-z][A-Za-z'/-]*+){{0,6}}?"
# Clauses and adjuncts that only say of what, when and for whom; a verb in an adjunct starts a new statement.
_CIRCUMSTANCES = re.compile(
    rf"{_COUNTED}[^\w.,;]+(?:"
    r"(?:if|when|while|because|since|given|assuming|that|who|which|where)\b[^,;:=]*"
    r"|(?:in|over|after|during|within|for|per|every|each|at|on|from|with|without|before|until|by|than|between|of)\b"
    rf"(?:(?!\b(?:{_VERB})\b)[^,;:=])*)"
)


def restated_result(text: str, last: int) -> str | None:
    """Return the result of the last equation where the sentence states it ahead of circumstances.

    `last` is where the last number or formula of the sentence starts. None where the sentence does not state
    the result ahead of that, or where what stands between is more than circumstances.
    """
    equals = max(text.rfind("=", 0, last), text.rfind(r"\approx", 0, last))
    result = _value(text[equals:last].removeprefix(r"\approx")[:100]) if equals >= 0 else None
    if result is None:
        return None
    window = text[max(last - _MAX_SENTENCE_CHARS, 0) : last]
    start = max((match.end() for match in _SENTENCE_START.finditer(window)), default=0)
    sentence = window[start:]
    for piece in sorted([*formulas(sentence), *bare_runs(sentence)], key=lambda piece: -piece.start):
        if _value(piece.content) == result and _CIRCUMSTANCES.fullmatch(sentence, piece.end):
            return piece.content
    return None


def _value(text: str) -> str | None:
    """Return the number behind the last "=" of `text`, without commas and empty cents."""
    match = _VALUE.match(text.rpartition("=")[2])
    return re.sub(r",|\.0+$", "", match[1]) if match else None
