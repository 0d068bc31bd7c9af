r"""Boxed expressions in a text, \boxed{}, \fbox{}, \framebox{} or \boxed 5, and the lists that they make."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

MAX_WORDS_BETWEEN = 2
MAX_CHARS_BETWEEN = 70
BOX = re.compile(r"(?:\\(?:boxed|fbox|framebox)|(?<![A-Za-z\\])boxed)\s*(?:\[[^\]{}]*\]\s*)?\{")
_UNBRACED = re.compile(
    r"\\(?:boxed|fbox|framebox)\s*(?P<content>-?\d[\d,]*(?:\.\d+)?(?:/\d+)?|-?\.\d+|[A-Za-z](?![A-Za-z])"
    r"|-?\\[dt]?frac\s*(?:\d\s*\d|\{[^{}]*\}\s*\{[^{}]*\})|-?\d*\\sqrt\s*(?:\d|\{[^{}]*\})|\\[a-zA-Z]+(?![a-zA-Z{]))"
)
_BRACE = re.compile(r"\\.|[{}]", re.S)
_CONNECTIVE = re.compile(r"(?<![A-Za-z])(?:and|or)(?![A-Za-z])|[,;]|\\q?quad\b")
_WORD = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{2,}")
_INFERENCE = re.compile(
    r"[.?!](?=\s)|\n\s*\n|(?i:\b(?:so|thus|then|hence|therefore|finally|answer|is|but|not|wait)\b)"
)


@dataclass(frozen=True, slots=True)
class Piece:
    """A boxed expression or a formula, and where in the text it stands."""

    start: int
    end: int
    content: str


def boxes(text: str) -> list[Piece]:
    """Find the balanced, non-empty boxes; one that holds only another has the content of that one."""
    pieces = [
        Piece(match.start(), match.end(), match["content"].rstrip(",")) for match in _UNBRACED.finditer(text)
    ]
    return sorted(pieces + _braced(text), key=lambda piece: piece.start)


def _braced(text: str) -> list[Piece]:
    opened_at = {match.end() - 1: match.start() for match in BOX.finditer(text)}
    if not opened_at:
        return []
    pieces: list[Piece] = []
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
            pieces.append(Piece(start, match.end(), content))
    return pieces


def last_list(text: str, pieces: Sequence[Piece]) -> str | None:
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
