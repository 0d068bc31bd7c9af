"""ASCII and LaTeX for the characters of other alphabets: signs, roots, fractions, powers, letters."""

# ruff: noqa: RUF001
from __future__ import annotations

import re
import unicodedata

_SUPERSCRIPTS = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱ", "0123456789+-=()ni", strict=True))
_SUBSCRIPTS = dict(zip("₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₙᵢ", "0123456789+-=()ni", strict=True))
_SCRIPTS = [
    (re.compile(f"([{''.join(table)}]+)"), mark, str.maketrans(table))
    for mark, table in (("^", _SUPERSCRIPTS), ("_", _SUBSCRIPTS))
]
_GREEK = "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma tau"
_NAMED = {
    "×": r"\times ",
    "·": r"\cdot ",
    "⋅": r"\cdot ",
    "∙": r"\cdot ",
    "÷": r"\div ",
    "±": r"\pm ",
    "∓": r"\mp ",
    "°": r"^\circ",
    "º": r"^\circ",
    "˚": r"^\circ",
    "∞": r"\infty ",
    "≤": r"\le ",
    "≥": r"\ge ",
    "⩽": r"\le ",
    "⩾": r"\ge ",
    "≠": r"\ne ",
    "≈": r"\approx ",
    "∪": r"\cup ",
    "∩": r"\cap ",
    "∈": r"\in ",
    "∅": r"\emptyset ",
    "√": r"\sqrt ",
    "∛": r"\sqrt[3]",
    "∜": r"\sqrt[4]",
    "…": r"\ldots ",
    "∠": r"\angle ",
    "∡": r"\angle ",
    "△": r"\triangle ",
    "ϕ": r"\phi ",
    "υ": r"\upsilon ",
    "φ": r"\phi ",
    "χ": r"\chi ",
    "ψ": r"\psi ",
    "ω": r"\omega ",
    "ς": r"\varsigma ",
    "Ω": r"\Omega ",
    "Φ": r"\Phi ",
    "Ψ": r"\Psi ",
    "ℝ": r"\mathbb{R}",
    "ℤ": r"\mathbb{Z}",
    "ℕ": r"\mathbb{N}",
    "ℚ": r"\mathbb{Q}",
    "ℂ": r"\mathbb{C}",
}
_PLAIN = (
    _NAMED
    | {
        chr(first + shift): rf"\{name.capitalize() if first == 0x391 else name} "
        for first in (0x391, 0x3B1)
        for shift, name in zip([*range(17), 18, 19], _GREEK.split(), strict=True)
        if first == 0x3B1 or name in ("gamma", "delta", "theta", "lambda", "xi", "pi", "sigma")
    }
    | dict.fromkeys("\u2212\u2010\u2011\u2012\u2013\ufe63\ufe58", "-")
    | dict.fromkeys("\u2044\u2215", "/")
    | dict.fromkeys("\u2217\u204e", "*")
    | dict.fromkeys("\u2018\u2019\u2032\u00b4", "'")
    | dict.fromkeys("\u201c\u201d\u00ab\u00bb\u201e", '"')
    | dict.fromkeys("\t\n\r\v\f", " ")
    | {"\u3002": ".", "\u3001": ",", "\u2236": ":"}
    | {"\u2033": "''", "\u2223": "|", "\u27e8": "(", "\u27e9": ")", "\u22ef": r"\ldots "}
)


class _Table(dict[int, str]):
    """What each character is written as, worked out when it first comes."""

    def __missing__(self, code: int) -> str:
        self[code] = plain = _spell(chr(code))
        return plain


def _spell(character: str) -> str:
    if character in _PLAIN:
        return _PLAIN[character]
    if character.isascii():
        return character if character >= " " and character != "\x7f" else ""
    if (digit := unicodedata.decimal(character, None)) is not None:
        return str(digit)
    category = unicodedata.category(character)
    if category in ("Cf", "Cc", "So", "Sk", "Mn") and unicodedata.normalize("NFKC", character) == character:
        return ""  # marks of direction, variants and emoji
    if category in ("Zs", "Zl", "Zp"):
        return " "
    compatible = unicodedata.normalize("NFKC", character)
    numerator, slash, denominator = compatible.partition("\u2044")
    if slash:
        return rf"\frac{{{numerator}}}{{{denominator}}}"
    return compatible if compatible.isascii() else character


_TABLE = _Table()


# 0.6 with a bar over it: a combining mark behind each digit that repeats
_BARRED = re.compile("((?:\\d[\u0304\u0305])+)")


def spell_out(text: str) -> str:
    r"""Return `text` with signs, roots, fractions, powers and letters as -, \sqrt 3, \frac{1}{3}, x^4."""
    if text.isascii():
        return text.translate(_TABLE)
    text = _BARRED.sub(lambda match: rf"\overline{{{match[1][::2]}}}", text)
    for run, mark, table in _SCRIPTS:
        text = "".join(
            f"{mark}{{{part.translate(table)}}}" if number % 2 else part
            for number, part in enumerate(run.split(text))
        )
    return text.translate(_TABLE)
