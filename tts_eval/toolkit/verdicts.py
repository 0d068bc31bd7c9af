"""Finding the grade in what a judge wrote, however it marked the grade up."""

from __future__ import annotations

import re

MARKUP = re.compile(r"[*_`#|$<>\"'\[\]]|\\[()\[\]]")
BOX = re.compile(r"\\(?:boxed|text|textbf|mathbf)\s*\{([^{}]*)\}")
DIGITS = r"(?<![\w.,/+-])(?P<{}>\d+(?:[.,]\d+)?)"
BOX_AT_END = re.compile(r"\\boxed\s*\{([^{}]*)\}\W*$")
# Nine of ten, ninety percent, or a number that is part of nothing else: no longer number, no range, no sign.
GRADE = "|".join(
    (
        DIGITS.format("part") + r"\s*(?:/|(?:out\s+)?of\b)\s*(?P<whole>\d+)(?![\w/]|[.,]\d)",
        DIGITS.format("percent") + r"\s*%",
        DIGITS.format("plain") + r"(?![\w/-]|[.,]\d|\s*(?:%|(?:[-\u2013]|to\b|or\b)\s*\d))",
    )
)
OVER = r"\s*(?:\([^()\n]*\))?"  # as in "Grade (0 to 10): 9"
IS = rf"{OVER}(?:\s*[:=\u2013\u2014]\s*|\s+|(?:\s+[a-z]+){{0,6}}?\s+(?:is|of)\b\s*[:=]?\s*)\(?"
LABELLED = [re.compile(rf"\b{label}{IS}(?:{GRADE})", re.I) for label in ("grade", "(?:score|rating|mark)")]
ANYWHERE = re.compile(GRADE, re.I)
ALONE = re.compile(rf"\W*(?:{GRADE})[\s.!]*", re.I)


def grade_of(verdict: str, *, highest: int) -> float | None:
    """Return the grade that `verdict` comes to, as a share of `highest`; None without one within bounds.

    The last number called a grade counts, else the last called a score, rating or mark, else the last given
    as so many of `highest`, else one that has the last line, or the box at its end, for itself.
    """
    plain = _plain(verdict)
    for pattern in LABELLED:
        if found := list(pattern.finditer(plain)):
            return _share(found[-1], highest)
    if of_highest := [one for one in ANYWHERE.finditer(plain) if one["whole"] == str(highest)]:
        return _share(of_highest[-1], highest)
    last_line = next((line for line in reversed(verdict.splitlines()) if line.strip()), "")
    for text in (*BOX_AT_END.findall(last_line), last_line):
        if alone := ALONE.fullmatch(_plain(text)):
            return _share(alone, highest)
    return None


def _plain(text: str) -> str:
    """Return `text` without what marks a grade up: boxes, emphasis, quotes, headings, table bars."""
    while BOX.search(text):
        text = BOX.sub(r"\1", text)
    return MARKUP.sub("", text)


def _share(found: re.Match[str], highest: int) -> float | None:
    if found["part"] is not None:
        number, whole = found["part"], float(found["whole"])
    elif found["percent"] is not None:
        number, whole = found["percent"], 100.0
    else:
        number, whole = found["plain"], float(highest)
    grade = float(number.replace(",", "."))
    return grade / whole if grade <= whole and whole > 0 else None
