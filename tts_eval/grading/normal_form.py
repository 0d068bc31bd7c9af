"""Brings the spellings of one answer to one text: Unicode, spacing, money and percent, programming notation.

Knows nothing of mathematics: whatever needs arithmetic or algebra is left as it stands.
"""

from __future__ import annotations

import re
from functools import lru_cache

MAX_ANSWER_CHARS = 2000
_CHARACTERS = str.maketrans(
    {chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}  # full-width forms
    | dict.fromkeys("\0\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\ufeff")
    | dict.fromkeys("\u00a0\u2009\u202f\u3000\t\n\r", " ")
    | dict.fromkeys("\u2212\u2010\u2011\u2012\u2013", "-")
    | {
        "°": r"^\circ",
        "\u00d7": r"\times ",
        "·": r"\cdot ",
        "÷": r"\div ",
        "±": r"\pm ",
        "π": r"\pi ",
        "θ": r"\theta ",
        "∞": r"\infty ",
        "≤": r"\le ",
        "≥": r"\ge ",
        "≠": r"\ne ",
        "\u222a": r"\cup ",
        "∩": r"\cap ",
        "∈": r"\in ",
        "∅": r"\emptyset ",
        "²": "^2",
        "³": "^3",
        "½": r"\frac{1}{2}",
        "¼": r"\frac{1}{4}",
        "¾": r"\frac{3}{4}",
    }
)
_PERCENT = re.compile(
    r"\\?%|\s*\\(?:text|mathrm)\s*\{\s*(?:percent|percentage|pct)\s*\}|\s*\b(?:percent(?:age)?|pct)\b"
)
_REPLACEMENTS = [
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"(?<!\\)\\!\s*|\\displaystyle\b|\\(?:left|right)\.", ""),
        (r"(?<!\\)\\[,;:> ]|~|\\q?quad\b", " "),
        (r"\{\s*,\s*\}", ","),
        (r"\\[dtc]frac(?![A-Za-z])", r"\\frac"),
        (r"\\frac\s*(\d)\s*(\d)(?!\d)", r"\\frac{\1}{\2}"),
        (r"\\frac\s*(\d)\s*\{", r"\\frac{\1}{"),
        (r"(\\frac\s*\{[^{}]*\})\s*(\d)(?!\d)", r"\1{\2}"),
        (r"\\varnothing(?![A-Za-z])", r"\\emptyset"),
        (r"\\sqrt\s*(\d)(?!\d)", r"\\sqrt{\1}"),
        (r"\\left(?![a-zA-Z])\s*|\\right(?![a-zA-Z])\s*", ""),
        (r"\^\s*\{\s*\\circ\s*\}|\\degree(?![A-Za-z])", r"^\\circ"),
        (r"\\\$|\$", ""),
        (r"\\mathrm\s*\{([A-Za-z])\}", r"\1"),
        (r"\s*\*\*\s*", "^"),
        (r"(?<![\\A-Za-z])(sqrt|pi|sin|cos|tan|log|ln|exp)(?![A-Za-z])", r"\\\1 "),
    )
]
_SPACES = re.compile(r" +")
_SPACE_BESIDE_OPERATOR = re.compile(
    r" (?=[-+=()\[\]{}/*^<>|,;.])|(?<=[-+=()\[\]{}/*^<>|]) |(?<=[,;]) (?!\d{3}(?!\d))"
)
_SPACED_THOUSANDS = re.compile(r"-?\d{1,3}(?: \d{3})+(?:\.\d+)?")
_TRAILING = re.compile(r"(?:\\+|\.| )+$")
_CALL_OR_POWER = re.compile(r"(\\sqrt ?|\^)\(")


@lru_cache(maxsize=1 << 14)  # a vote asks again for every ballot
def normalize(answer: str) -> str:
    r"""Return the normal form of an answer: equal normal forms are equal answers, unequal ones may be.

    A percent sign is a unit and is dropped, like a dollar sign: 20\% is 20, and is not 0.2. A text longer
    than MAX_ANSWER_CHARS is left as it stands.
    """
    if len(answer) > MAX_ANSWER_CHARS:
        return answer.strip()
    text = answer.translate(_CHARACTERS)
    text = _PERCENT.sub("", text)
    for pattern, replacement in _REPLACEMENTS:
        text = pattern.sub(replacement, text)
    text = _SPACES.sub(" ", text).strip()
    text = _TRAILING.sub("", text)
    if _SPACED_THOUSANDS.fullmatch(text):
        text = text.replace(" ", "")
    text = _SPACE_BESIDE_OPERATOR.sub("", text)
    return _braces_for_parentheses(text)


def _braces_for_parentheses(text: str) -> str:
    r"""Write sqrt(x) and x^(y), which LaTeX reads otherwise than programmers do, as \sqrt{x} and x^{y}."""
    position = 0
    while match := _CALL_OR_POWER.search(text, position):
        position = match.end()
        depth = 1
        for end in range(match.end(), len(text)):
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            if not depth:
                text = f"{text[: match.end() - 1].rstrip()}{{{text[match.end() : end]}}}{text[end + 1 :]}"
                position = match.start() + 1
                break
    return text
