"""Numbers and signs written as words: three, twenty-five, two hundred and six, two thirds, negative 3."""

from __future__ import annotations

import re

_ONES = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
_TEENS_NAMES = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
_TEENS = _TEENS_NAMES.split()
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
# a quarter may be a coin
_PARTS = ["third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"]
_SCALES = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9}
_VALUES = (
    {name: value for value, name in enumerate(["zero", *_ONES, *_TEENS])}
    | {name: 10 * tens for tens, name in enumerate(_TENS, start=2)}
    | {name + ending: value for value, name in enumerate(_PARTS, start=3) for ending in ("", "s")}
    | {"half": 2, "halves": 2}
)
_STEMS = {name[:3] for name in ("zero", *_ONES, *_TEENS, *_TENS)}
_ONE = f"(?:{'|'.join(_ONES)})"
_BELOW_100 = rf"(?:(?:{'|'.join(_TENS)})(?:[- ]{_ONE})?|{'|'.join(_TEENS)}|zero|{_ONE})(?![A-Za-z'])"
_BELOW_1000 = rf"(?:{_ONE} hundred(?: (?:and )?{_BELOW_100})?|{_BELOW_100})"
_NUMBER = re.compile(
    rf"(?<![\\A-Za-z])(?:{_BELOW_1000} (?:billion|million|thousand),? (?:and )?)*{_BELOW_1000}(?![A-Za-z'])",
    re.I,
)
_FRACTION = re.compile(
    rf"(?P<sign>-?)(?P<top>one[- ](?:half|{'|'.join(_PARTS)})"
    rf"|(?:{'|'.join(_ONES[1:])})[- ](?:halves|{'|'.join(f'{part}s' for part in _PARTS)}))",
    re.I,
)
_AND_A_HALF = re.compile(r"(\d+) and (?:a|1) half(?![A-Za-z])")
_PRONOUN = re.compile(r"\b(?:the|this|that|each|no|every) (?:[a-z]+ )?$", re.I)  # the red one
_SIGN = re.compile(
    r"(?<![A-Za-z])negative (?=\\?[$£€¥₹]? ?[\d.\\(A-Za-z])|(?:^|(?<=is )|(?<=[:=] ))minus (?=\S)", re.I
)


def signed(text: str) -> str:
    """Return `text` with "negative 3" as -3."""
    return _SIGN.sub("-", text)


def in_digits(text: str) -> str:
    r"""Return `text` with numbers in digits, and a text that is a fraction, two thirds, as \frac{2}{3}.

    "5 hundred" and "5 million" keep their scale: whether the answer is 5 of them is for others to say.
    """
    small = text.lower()
    if any(stem in small for stem in _STEMS):
        if fraction := _FRACTION.fullmatch(text):
            top, bottom = (_VALUES[word] for word in re.split("[- ]", fraction["top"].lower()))
            return rf"{fraction['sign']}\frac{{{top}}}{{{bottom}}}"
        text = _NUMBER.sub(_value, text)
    return _AND_A_HALF.sub(r"\1\\frac{1}{2}", text) if "half" in small else text


def _value(match: re.Match[str]) -> str:
    words = re.findall("[a-z]+", match[0].lower())
    if words == ["one"] and _PRONOUN.search(match.string[: match.start()]):
        return match[0]
    is_scaled = re.match(" (?:thousand|[mb]illion)", match.string[match.end() :], re.I)  # 2 hundred thousand
    if words[-1] == "hundred" and len(words) == 2 and not is_scaled:
        return f"{_VALUES[words[0]]} hundred"
    total = group = 0
    for word in words:
        scale = _SCALES.get(word, 0)
        if scale > 100:
            total, group = total + group * scale, 0
        else:
            group = group * scale if scale else group + _VALUES.get(word, 0)  # and: 0
    return str(total + group)
