"""Brings two answers to one shape for algebra: [[1,2],[3,4]] beside a matrix, f(x) = 2x beside y = 2x."""

from __future__ import annotations

import re

from tts_eval.grading.grade import Verdict

_MATRIX = re.compile(r"\\begin\{([bp]?matrix)\}(.*)\\end\{\1\}", re.S)
_ROWS = re.compile(r"\[(\[[^\[\]]*\](?:,\[[^\[\]]*\])*)\]")
_VECTOR = re.compile(r"\((?P<ends>[^()\[\]=]+)\)")
_FUNCTION = re.compile(r"[a-zA-Z]\([a-z]\)=(?=[^=]+$)")
_Y = re.compile(r"y=(?=[^=]+$)")
_DERIVATIVE = re.compile(r"(?:\\frac\{d[a-z]\}\{d[a-z]\}|[a-zA-Z]'+(?:\([a-z]\))?)=(?=[^=<>]+$)")


def aligned(gold: str, answer: str) -> tuple[str, str]:
    """Return both; beside a matrix, y = … or a bare value the other in that shape, if it has one."""
    if _MATRIX.fullmatch(gold):
        answer = _as_matrix(answer)
    elif _MATRIX.fullmatch(answer):
        gold = _as_matrix(gold)
    for names in ((_Y, _FUNCTION), (_FUNCTION, _Y)):
        if all(name.match(text) for name, text in zip(names, (gold, answer), strict=True)):
            gold, answer = gold.partition("=")[2], answer.partition("=")[2]
    if "=" not in answer and (name := _DERIVATIVE.match(gold)):
        gold = gold[name.end() :]
    if "=" not in gold and (name := _DERIVATIVE.match(answer)):
        answer = answer[name.end() :]
    return gold, answer


def compare(gold: str, answer: str) -> Verdict | None:
    """Return undecided for a column or a row beside a tuple of the same entries, else None."""
    vector = _VECTOR.fullmatch(answer) or _VECTOR.fullmatch(gold)
    matrix = _MATRIX.fullmatch(gold) or _MATRIX.fullmatch(answer)
    if not (vector and matrix):
        return None
    entries = [entry.strip() for entry in re.split(r"&|\\\\", matrix[2]) if entry.strip()]
    same = entries == [entry.strip() for entry in vector["ends"].split(",")]
    return Verdict.UNDECIDED if same else None


def _as_matrix(text: str) -> str:
    rows = _ROWS.fullmatch(text.replace(" ", ""))
    if rows is None:
        return text
    inner = rows[1][1:-1].replace("],[", r"\\").replace(",", "&")
    return rf"\begin{{pmatrix}}{inner}\end{{pmatrix}}"
