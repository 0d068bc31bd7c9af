"""Rarer notations of a whole answer: 1_234_567, 101 base 2, 12 R 3, 7:00 am, 0.666..., x > 1 and x < 5."""

from __future__ import annotations

import re

from tts_eval.grading.chemistry import in_subscripts

_SEPARATED = re.compile(r"(-?\d{1,3})((?:_\d{3})+|(?:'\d{3})+|(?:\.\d{3}){2,})(?:,(\d+))?")
_BASE = re.compile(r"([\dA-F]+) ?\(?(?:in )?base[- ]?(\d+|[a-z]+)\)?|([\dA-F]+)_\{\((\d+)\)\}")
_REMAINDER = re.compile(r"(\d+) ?[rR]\.? ?(\d+)")
_FULL_HOUR = re.compile(r"(\d{1,2}):00 ?([aApP][mM])")
_ELLIPSIS = re.compile(r"(-?\d*\.\d+) ?(?:\.{2,}|\\l?dots ?)")
_REPEATED = re.compile(r"(\S+) \((\S+)\)")
_MORE = r">=?|\\gt?e? ?(?![a-z])"
_LESS = r"<=?|\\lt?e? ?(?![a-z])"
_BETWEEN = re.compile(
    rf"([A-Za-z]) ?(?P<lower>{_MORE}) ?([^<>=,\\]+?) and \1 ?(?P<upper>{_LESS}) ?([^<>=,\\]+)"
    rf"|([A-Za-z]) ?(?P<first>{_LESS}) ?([^<>=,\\]+?) and \6 ?(?P<second>{_MORE}) ?([^<>=,\\]+)"
)


def in_plain_notation(text: str) -> str:
    """Return an answer that is wholly in one of these notations as LaTeX, any other as it was."""
    if re.match(r"[-.\d]", text):
        return _number(text)
    if match := _BETWEEN.fullmatch(text):
        name, lower, low, upper, high, other, second, top, first, bottom = match.groups()
        if other:
            name, lower, low, upper, high = other, first, bottom, second, top
        return f"{low}{_turned(lower)}{name}{upper}{high}"
    return in_subscripts(text)


def _number(text: str) -> str:
    if match := _SEPARATED.fullmatch(text):
        return match[1] + re.sub(r"\D", "", match[2]) + (f".{match[3]}" if match[3] else "")
    if match := _BASE.fullmatch(text):
        return f"{match[1] or match[3]}_{{{match[2] or match[4]}}}"
    if match := _REMAINDER.fullmatch(text):
        return f"{match[1]} remainder {match[2]}"
    if match := _FULL_HOUR.fullmatch(text):
        return f"{match[1]} {match[2]}"
    if match := _ELLIPSIS.fullmatch(text):
        return rf"{match[1]}\ldots"
    if (match := _REPEATED.fullmatch(text)) and match[1] == match[2]:  # 5 (five)
        return match[1]
    return text


def _turned(relation: str) -> str:
    """Return < for >, and so on."""
    return relation.replace(">", "<").replace(r"\g", r"\l")
