"""Brings the spellings of one answer to one text: Unicode, spacing, fonts, money, percent, notations."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TypeAlias

from tts_eval.grading.characters import spell_out
from tts_eval.grading.choices import several_choices, split_choice
from tts_eval.grading.notations import in_plain_notation
from tts_eval.grading.spoken import in_digits, signed

MAX_ANSWER_CHARS = 2000
_MAX_PASSES = 4
_PLAIN_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_WRAPPERS = [
    (r"\[", r"\]"),
    (r"\(", r"\)"),
    ("$$", "$$"),
    ("$", "$"),
    ("**", "**"),
    ("*", "*"),
    ("__", "__"),
    ("`", "`"),
    ('"', '"'),
    ("'", "'"),
]
_SIZES = re.compile(
    r"\\(?:displaystyle|textstyle|scriptstyle|large|Large|LARGE|huge|Huge|small|normalsize|bf|rm|it|tt|sf"
    r"|bfseries|boldmath|limits|nolimits)(?![A-Za-z])"
)
_FONT = re.compile(
    r"\\(?:(?P<words>text(?:bf|it|rm|normal|up|sf|tt|sc|sl)?|mbox|hbox|emph|underline|operatorname\*?)"
    r"|(?P<symbols>math(?:rm|bf|it|sf|tt|normal)|boldsymbol|pmb|bm|vec|hat|boxed|fbox|framebox)"
    r"|(?:textcolor|colorbox|color)\s*\{[^{}]*\})\s*\{"
)
_COLOR = re.compile(r"\\color\s*\{[^{}]*\}")
_UPRIGHT_CONSTANTS = {"e", "i", "d"}
_LABEL = re.compile(
    r"(?:the )?(?:(?:final|correct|right) )?(?:answer|ans|result|solution)s? ?"
    r"(?:(?:is|are)(?![A-Za-z]) ?:?|=|:) ?(?=\S)",
    re.I,
)
_NUMBER = r"(?:\d[\d,]*(?:\.\d+)?|\.\d+)"
_CURRENCIES = {r"\$": "dollars", "$": "dollars", "£": "gbp", "€": "euros", "¥": "yen", "₹": "rupees"}
_CURRENCY = r"\\?\$|[£€¥₹]"
_PRICE = re.compile(
    rf"(?P<code>(?i:usd|eur|gbp|jpy|inr)|Rs\.?) ?(?P<sum>[-+]?{_NUMBER})"
    rf"|(?P<sign>[-+]?) ?(?:US|USD|AU|CA)? ?(?P<before>{_CURRENCY}) ?(?P<inner>[-+]?) ?(?P<number>{_NUMBER})"
    rf"(?P<scale>[kKMB]|bn)?(?P<rest> [A-Za-z ]+)?|(?P<amount>[-+]?{_NUMBER}) ?(?P<after>[£€¥₹])"
)
_SCALES = {"k": " thousand", "K": " thousand", "M": " million", "B": " billion", "bn": " billion", None: ""}
_PERCENT = re.compile(r" ?(?:\\?%|(?<![A-Za-z])(?:percent(?:age)?|per cent|pct)(?![A-Za-z]))")
_FUNCTIONS = (
    "arcsin|arccos|arctan|sinh|cosh|tanh|sqrt|pi|sin|cos|tan|cot|sec|csc|log|ln|lg|exp|infty|infinity|gcd|lcm"
)


def _as_command(name: re.Match[str]) -> str:
    r"""Write a function's name as \sin, where it is a name of its own."""
    before = name.string[name.start() - 1 : name.start()]
    return name[0] if before == "\\" or (before.isascii() and before.isalpha()) else rf"\{name[0]} "


_Rule: TypeAlias = tuple[str, re.Pattern[str], str | Callable[[re.Match[str]], str]]
# Each rule: what a text must hold for it to apply (most texts hold nothing of most), pattern, replacement.
_SPACINGS: list[_Rule] = [
    (needle, re.compile(pattern), replacement)
    for needle, pattern, replacement in (
        ("\\", r"(?<!\\)\\!\s*|\\(?:left|right)\.|\\(?:phantom|hphantom)\{[^{}]*\}", ""),
        ("\\", r"(?<!\\)\\[,;:> ]|\\(?:q?quad|enspace|thinspace|space)(?![A-Za-z])", " "),
        ("~", "~", " "),
        ("{", r"\{\s*,\s*\}", ","),
    )
]
_REPLACEMENTS: list[_Rule] = [
    (needle, re.compile(pattern), replacement)
    for needle, pattern, replacement in (
        ("frac", r"\\[dtc]frac(?![A-Za-z])", r"\\frac"),
        ("frac", r"\\frac\s*(\d)\s*([\dA-Za-z])(?![\d])", r"\\frac{\1}{\2}"),
        ("frac", r"\\frac\s+([A-Za-z])\s*([\dA-Za-z])(?![\d])", r"\\frac{\1}{\2}"),
        ("frac", r"\\frac\s*(\d)\s*\{", r"\\frac{\1}{"),
        ("frac", r"\\frac\s*(\d)\s*(\\[a-z]+)(?![A-Za-z{])", r"\\frac{\1}{\2}"),
        ("frac", r"(\\frac\s*\{[^{}]*\})\s*([\dA-Za-z])(?!\d)", r"\1{\2}"),
        ("varnothing", r"\\varnothing(?![A-Za-z])", r"\\emptyset"),
        ("colon", r"\\colon(?![A-Za-z])", ":"),
        ("angle", r"\\langle(?![A-Za-z])\s*", "("),
        ("angle", r"\s*\\rangle(?![A-Za-z])", ")"),
        ("", r" (?<=\d )[xX] (?=\d)", r" \\times "),
        ("10^", r"(?<=\d)[xX] ?(?=10\^)", r" \\times "),
        (")_", r"^(-?)\(([\dA-F]+)\)_", r"\1\2_"),
        (".", r"(?<![A-Za-z])([aApP])\.[mM]\.?(?![A-Za-z])", r"\1m"),
        ("..", r"(?<=[,+*]) ?\.{3,} ?(?=[,+*])", r"\\ldots "),
        (" real", r"^[aA]ll real(?:s| numbers)$", r"\\mathbb{R}"),
        ("cbrt", r"(?<![A-Za-z])\\?cbrt(?![A-Za-z])", r"\\sqrt[3]"),
        ("sqrt", r"\\sqrt\s*(\[[^\[\]]*\])?\s*(\d+(?:\.\d+)?|[A-Za-z](?![A-Za-z]))", r"\\sqrt\1{\2}"),
        ("sqrt", r"\\sqrt\s*\(", r"\\sqrt("),
        ("\\", r"\\left(?![a-zA-Z])\s*|\\right(?![a-zA-Z])\s*|\\[bB]ig[glr]*(?![a-zA-Z])\s*", ""),
        ("vert", r"\\(?:lvert|rvert|vert)(?![a-zA-Z])\s*", "|"),
        ("eq", r"\\(leq|geq|neq)(?![a-zA-Z])", lambda match: "\\" + match[1][:-1]),
        ("\\", r"\^\s*\{\s*\\circ\s*\}|\\degree(?![A-Za-z])|\^\s*\\circ", r"^\\circ"),
        ("", r"\\\$|(?<!\\)[$£€¥₹\"]", ""),
        ("**", r"\s*\*\*\s*", "^"),
        ("", rf"({_FUNCTIONS})(?![A-Za-z])", _as_command),
        ("infinity", r"\\(?:infinity)(?![A-Za-z])", r"\\infty"),
        ("", r"(\d(?<![\w.]\d)\d*(?:\.\d+)?)[eE]([-+]?\d+)(?![\w.])", r"\1\\times 10^{\2}"),
        ("^{", r"\^\{(\d)\}(?!\d)", r"^\1"),
    )
]
# ]0,1[ of French and German schools
_TURNED = re.compile(r"(?P<left>[\[\]])(?P<ends>[^\[\](),;]+[,;][^\[\](),;]+)(?P<right>[\[\]])")
_DOUBLED = re.compile(r"\\{2,}(?=[A-Za-z])")
_SPACES = re.compile(r"\s+")
_SPACE_BESIDE_OPERATOR = re.compile(
    r" (?=[-+=)\]}/*^<>|,;.!_])|(?<![A-Za-z\d]) (?=[(\[{])|(?<=[-+=(\[{/*^<>|]) |(?<=[)\]}]) (?![A-Za-z])"
    r"|(?<=[,;]) (?!\d{3}(?!\d))"
)
_SPACED_THOUSANDS = re.compile(r"(-?\d{1,3}(?: \d{3})+(?:\.\d+)?)(?= [A-Za-z]|$)")
_TRAILING = re.compile(r"(?:\\+|[.,;:]| )+$")
_LEADING = re.compile(r"(?:= ?(?!=)|: )+")
_CALL_OR_POWER = re.compile(r"(\\sqrt(?:\[[^\[\]]*\])? ?|\^)\(")


@lru_cache(maxsize=1 << 14)  # a vote asks again for every ballot
def normalize(answer: str) -> str:
    r"""Return the normal form of an answer: equal normal forms are equal answers, unequal ones may be.

    Words stand bare (\text{ cm} is cm), units and currencies behind their number (\$5 is 5 dollars). The
    normal form of a normal form is itself. A text longer than MAX_ANSWER_CHARS is left as it stands.
    """
    if _PLAIN_NUMBER.fullmatch(answer) and answer.isascii():
        return answer
    if len(answer) > MAX_ANSWER_CHARS:
        return answer.strip()
    text = answer
    for _ in range(_MAX_PASSES):
        text, before = _pass(text), text
        if text == before:
            break
    return text


def _pass(answer: str) -> str:
    text = spell_out(answer)
    if "begin{" not in text:
        text = _DOUBLED.sub(r"\\", text)
    text = _unwrapped(_SPACES.sub(" ", text).strip())
    text = _without_fonts(_COLOR.sub("", _SIZES.sub("", text)))
    text = _SPACES.sub(" ", _LABEL.sub("", text, count=1) if _LABEL.match(text) else text).strip()
    text = _replaced(text, _SPACINGS)
    text = _SPACES.sub(" ", text).strip()
    if letters := several_choices(text):
        return letters
    if choice := split_choice(text):
        letter, rest = choice
        value = _pass(rest) if rest else ""
        return f"({letter}) {value}" if value else letter
    text = signed(in_digits(text))
    text = _unpriced(text)
    text = _PERCENT.sub(" percent ", text)
    text = _replaced(text, _REPLACEMENTS)
    text = _SPACES.sub(" ", text).strip()
    text = _TRAILING.sub("", in_plain_notation(text))
    text = text[match.end() :] if (match := _LEADING.match(text)) else text
    text = _SPACED_THOUSANDS.sub(lambda match: match[0].replace(" ", ""), text, count=1)
    text = _SPACE_BESIDE_OPERATOR.sub("", text)
    text = _TURNED.sub(_turned_back, text)
    return _braces_for_parentheses(text)


def _replaced(text: str, rules: Sequence[_Rule]) -> str:
    for needle, pattern, replacement in rules:
        if needle in text:
            text = pattern.sub(replacement, text)
    return text


def _unwrapped(text: str) -> str:
    """Take off what encloses the whole answer: formula delimiters, bold, quotes."""
    for opening, closing in _WRAPPERS:
        if not (text.startswith(opening) and text.endswith(closing)):
            continue
        inner = text[len(opening) : -len(closing)]
        is_escaped = inner.endswith("\\") and not opening.startswith("\\")
        if closing not in inner and inner.strip() and not is_escaped:
            return _unwrapped(inner.strip())
    return text


def _without_fonts(text: str) -> str:
    """Replace what only says how its content looks by its content; words keep a space on either side."""
    position = 0
    while match := _FONT.search(text, position):
        end = closing_brace(text, match.end())
        if end is None:
            return text
        content = text[match.end() : end]
        stripped = content.strip()
        is_symbol = match["symbols"] is not None and (len(stripped) <= 1 or stripped.startswith("\\"))
        if match["symbols"] == "mathrm" and len(stripped) == 1 and stripped not in _UPRIGHT_CONSTANTS:
            is_symbol = False
        if not (is_symbol or not stripped):
            content = f" {content} "
        text = f"{text[: match.start()]}{content}{text[end + 1 :]}"
        position = match.start()
    return text


def closing_brace(text: str, start: int, *, pair: str = "{}") -> int | None:
    """Return where the bracket closes that was opened just before `start`."""
    depth = 1
    for index in range(start, len(text)):
        if text[index] in pair and (index == 0 or text[index - 1] != "\\" or pair != "{}"):
            depth += 1 if text[index] == pair[0] else -1
            if not depth:
                return index
    return None


def _turned_back(interval: re.Match[str]) -> str:
    left, ends, right = interval.group("left", "ends", "right")
    return f"{'(' if left == ']' else left}{ends}{')' if right == '[' else right}"


def _unpriced(text: str) -> str:
    match = _PRICE.fullmatch(text)
    if match is None:
        return text
    if match["code"]:
        return f"{match['sum']} {match['code'].lower()}"
    if match["after"]:
        return f"{match['amount']} {_CURRENCIES[match['after']]}"
    rest, name = _SCALES[match["scale"]] + (match["rest"] or ""), _CURRENCIES[match["before"]]
    return f"{match['sign'] or match['inner']}{match['number']}{rest}{'' if name in rest else f' {name}'}"


def _braces_for_parentheses(text: str) -> str:
    r"""Write sqrt(x) and x^(y), which LaTeX reads otherwise than programmers do, as \sqrt{x} and x^{y}."""
    position = 0
    while match := _CALL_OR_POWER.search(text, position):
        position = match.end()
        end = closing_brace(text, match.end(), pair="()")
        if end is not None:
            text = f"{text[: match.end() - 1].rstrip()}{{{text[match.end() : end]}}}{text[end + 1 :]}"
            position = match.start() + 1
    return text
