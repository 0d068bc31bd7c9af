"""The letter of a multiple choice and the value behind it: (B) 5, C. the rate doubles, Option D."""

from __future__ import annotations

import re

LETTERS = "A-J"
_NAMED = re.compile(
    rf"(?:the )?(?:(?:correct|right|best) )?(?i:option|choice|answer|alternative)(?: is|:)? ?"
    rf"(?:\(([{LETTERS}])\)|\[([{LETTERS}])\]|([{LETTERS}])(?![\w']))(?P<rest>.*)",
    re.S,
)
_LETTER = re.compile(rf"(?:\(([{LETTERS}])\)|\[([{LETTERS}])\]|([{LETTERS}])[).:]?|\(([{LETTERS}])[.:]?\)) ?")
_WITH_VALUE = re.compile(
    rf"(?:\(([{LETTERS}])\)[.:]?|\[([{LETTERS}])\][.:]?|([{LETTERS}])[.:]) (?P<rest>[^ +*/^=<>].*)"
    rf"|([{LETTERS}])\) ?(?P<after>[^ +*/^=<>].*)"
    rf"|([{LETTERS}]) - (?P<dashed>.*[A-Za-z]{{3}}.*)"
    rf"|([{LETTERS}]) +\((?P<text>[^()]*[a-z]{{3}}[^()]*)\)",
    re.S,
)
_SEVERAL = re.compile(rf"\(?[{LETTERS}]\)?(?:(?:, ?(?:(?:and|or) )?| ?(?:and|or|&) ?)\(?[{LETTERS}]\)?)+")
_REST = re.compile(r"[ .:,)-]*")


def several_choices(text: str) -> str | None:
    """Return the letters of a text that chooses several as a list, A,C; None where it does not."""
    return ",".join(re.findall(f"[{LETTERS}]", text)) if _SEVERAL.fullmatch(text) else None


def split_choice(text: str) -> tuple[str, str] | None:
    """Return the letter that `text` chooses and what stands behind it, None where it is no choice."""
    if match := _NAMED.fullmatch(text):
        return _letter(match), match["rest"][_end(_REST, match["rest"]) :]
    if match := _LETTER.fullmatch(text):
        return _letter(match), ""
    if match := _WITH_VALUE.fullmatch(text):
        return _letter(match), match["rest"] or match["after"] or match["dashed"] or match["text"]
    return None


def _letter(match: re.Match[str]) -> str:
    return next(group for group in match.groups() if group)


def _end(pattern: re.Pattern[str], text: str) -> int:
    match = pattern.match(text)
    return match.end() if match else 0
