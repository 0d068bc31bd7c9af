"""Finds the answer in a model's text: after the thinking, the last boxed expression or a stated fallback.

Knows nothing of what an answer means: it hands back a piece of the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_WORDS_OF_AN_ANSWER = 3
MAX_WORDS_BETWEEN = 2
MAX_CHARS_BETWEEN = 70
FALLBACK_CHARS = 20_000  # without a box only the end of a text is searched: bounds the work on hostile ones
_BOX = re.compile(r"\\(?:boxed|fbox)\s*\{")
_BRACE = re.compile(r"\\.|[{}]", re.S)
_CONNECTIVE = re.compile(r"(?<![A-Za-z])(?:and|or)(?![A-Za-z])|[,;]|\\q?quad\b")
_WORD = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{2,}")
_INFERENCE = re.compile(
    r"[.?!](?=\s)|\n\s*\n|(?i:\b(?:so|thus|then|hence|therefore|finally|answer|is|but|not|wait)\b)"
)
_STATEMENT = re.compile(r"\banswer\b(?:[^.\n$:]{0,80}?\bis\b)?\s*(?::\s*|(?<=is)\s*)(?:\*\*|__)?:?\s*", re.I)
_SENTENCE_END = re.compile(r"\.(?=\s|\*|$)|\n|<\|")
_FORMULA = re.compile(
    r"""\$\$(?P<display>.{1,1000}?)\$\$
    | \\\[(?P<bracket>.{1,1000}?)\\\]
    | \\\((?P<parenthesis>.{1,1000}?)\\\)
    | (?<![\\\w])\$(?P<inline>(?:\\.|[^$\\]){1,1000}?)\$(?!\d)""",
    re.S | re.X,
)
_NUMBER = re.compile(
    r"""(?<![\w\\.,^_])-?(?:
      \\[dt]?frac\s*\{-?[\d.]+\}\s*\{-?[\d.]+\}
    | (?:\d{1,3}(?:[ ,]\d{3})+(?!\d)|\d+)(?:[.,]\d+)?(?:\s*/\s*\d+)?
    | \.\d+
    )""",
    re.X,
)
_DECIMAL_COMMA = re.compile(r"-?\d+,(?:\d{1,2}|\d{4,})|-?0,\d+")
_PROSE_WORD = re.compile(r"(?<![\\\w{])(?!(?:sqrt|pi|sin|cos|tan|log|ln|exp|and|or|infinity)\b)[A-Za-z]{2,}")


@dataclass(frozen=True, slots=True)
class _Piece:
    """A boxed expression or a formula, and where in the text it stands."""

    start: int
    end: int
    content: str


def extract_answer(
    text: str, *, end_of_thinking: str = "</think>", start_of_thinking: str = "<think>"
) -> str | None:
    r"""Return the answer that a text states, or None where it states none.

    Only the part after the last end of thinking counts; thinking that never ended has no answer.
    Of these the first that is there wins: the last balanced, non-empty ``\boxed{}`` or ``\fbox{}``, together
    with those before it in the same sentence that a comma, "and" or "or" links to it; what follows the last
    "answer is" or "answer:"; the last formula or number.
    """
    _, end, rest = text.rpartition(end_of_thinking)
    if start_of_thinking in rest:
        return None
    spoken = rest if end else text
    tail = spoken[-FALLBACK_CHARS:]
    return _last_list(spoken, _boxes(spoken)) or _last_statement(tail) or _last_formula_or_number(tail)


def _boxes(text: str) -> list[_Piece]:
    """Find the balanced, non-empty boxes; one that holds only another has the content of that one."""
    opened_at = {match.end() - 1: match.start() for match in _BOX.finditer(text)}
    if not opened_at:
        return []
    pieces: list[_Piece] = []
    open_braces: list[int] = []
    for match in _BRACE.finditer(text):
        if match[0] == "{":
            open_braces.append(match.start())
        elif match[0] == "}" and open_braces:
            brace = open_braces.pop()
            start = opened_at.get(brace)
            content = text[brace + 1 : match.start()].strip()
            if start is None or not content:
                continue
            while pieces and pieces[-1].start > start:
                inner = pieces.pop()
                if text[brace + 1 : inner.start].strip() == text[inner.end : match.start()].strip() == "":
                    content = inner.content
            pieces.append(_Piece(start, match.end(), content))
    return pieces


def _last_list(text: str, pieces: list[_Piece]) -> str | None:
    """Return the last piece together with those before it that belong to the same list."""
    if not pieces:
        return None
    contents = {pieces[-1].content: None}  # a set that keeps its order
    start = pieces[-1].start
    for piece in reversed(pieces[:-1]):
        if not _joins_a_list(text[piece.end : start][: MAX_CHARS_BETWEEN + 1]):
            break
        contents[piece.content] = None
        start = piece.start
    return ", ".join(reversed(contents))


def _joins_a_list(between: str) -> bool:
    """Tell whether what stands between two pieces makes them one list, and not a second try at the answer."""
    if not between.strip(" $"):
        return True
    if len(between) > MAX_CHARS_BETWEEN or _INFERENCE.search(between) or not _CONNECTIVE.search(between):
        return False
    return len(set(_WORD.findall(between)) - {"and", "or", "text", "quad"}) <= MAX_WORDS_BETWEEN


def _last_statement(text: str) -> str | None:
    for statement in reversed(list(_STATEMENT.finditer(text))):
        rest = text[statement.end() :]
        formula = _FORMULA.match(rest)
        end = _SENTENCE_END.search(rest, formula.end() if formula else 0)
        sentence = rest[: end.start() if end else None].strip(" \t*_")
        if sentence and not formula and not _PROSE_WORD.search(sentence):
            return sentence
        stated = _last_formula_or_number(sentence)
        if stated or 0 < len(sentence.split()) <= MAX_WORDS_OF_AN_ANSWER:
            return stated or sentence
    return None


def _last_formula_or_number(text: str) -> str | None:
    formulas = _formulas(text)
    numbers = [match[0] for match in _NUMBER.finditer(text, formulas[-1].end if formulas else 0)]
    if not numbers:
        return _last_list(text, formulas)
    return numbers[-1].replace(",", ".") if _DECIMAL_COMMA.fullmatch(numbers[-1]) else numbers[-1]


def _formulas(text: str) -> list[_Piece]:
    pieces: list[_Piece] = []
    position = 0
    while match := _FORMULA.search(text, position):
        content = match[match.lastgroup or 0]
        is_prose = match.lastgroup == "inline" and content != content.strip() and _PROSE_WORD.search(content)
        if is_prose:  # "$5 buys two, so $x = 3$": the second dollar opens a formula, it closes none
            position = match.end() - 1
            continue
        position = match.end()
        if content.strip() and not _BOX.search(content):
            pieces.append(_Piece(match.start(), match.end(), content.strip()))
    return pieces
