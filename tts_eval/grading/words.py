"""What of an answer only words or a second quantity say, which no algebra reads: compared word by word."""

from __future__ import annotations

import re
from collections import Counter
from fractions import Fraction

from tts_eval.grading.grade import Verdict
from tts_eval.grading.units import QUALIFIERS, UNIT_NAMES, Unit, unit_name

_SHORT_ONES = """
    am an and any are as at be but by can day do east end feet for from go had has have he her him
    his how if in is it its key man may me men my nd no nor not now of off old on one only or our
    out per pm rd rem row run set she six so st sum ten th the to too two up us was way we who why
    yes yet you cm mm km kg mg ft lb oz mi yd hr min sec mph box boy car cat dog egg fox hat man mod
    net new odd off old pie red sun sky tie top win won age ago all bad bag bar bed big bit bus cap
    cup cut day few fun get got gun guy hot job kid law lay leg let lie lot low map mix nor own pay
    pen per pig put raw rod say sea see sit son tax tea try use van war wet hit add
"""
_COUNTING_ONES = (
    "hundred thousand million billion trillion dozen half third quarter fifth score once twice pair"
)
_SCENERY = re.compile(
    r"\\(?:begin|end)\{[A-Za-z]+\*?\}(?:\{[clr|]+\})?|\\math(?:bb|cal|frak|scr)\{[A-Za-z]+\}|\\[A-Za-z]+"
)
_SUBSCRIPT = re.compile(r"_(?:\{[^{}]*\}|[A-Za-z]+)")
_BASE_OF_LOGARITHM = re.compile(r"\\log_(?:\w|\{[^{}]*\}) ")
_POINTS = re.compile(r"\\(?:angle|triangle|overrightarrow|widehat)(?![A-Za-z])")  # of which the order counts
_RUN = re.compile(r"[A-Za-z]+(?:'[a-z]+)?")
_CONNECTIVE = re.compile(r" ?[,;]? ?(?<![A-Za-z])(?:and|or)(?![A-Za-z]) ?")
_SECOND_QUANTITY = re.compile(r"(?:[\d}!]|(?<![A-Za-z\\])[A-Za-z]) (?=[\d.])|(?<=\d) (?=\\frac)")
_DOTS = re.compile(r"\\[lc]?dots(?![A-Za-z])")
_TIMES = re.compile(r" ?(?:\\(?:cdot|times)(?![A-Za-z])|\*) ?")
_LONGEST_PRODUCT = 3  # letters: 2abc is a product, 2abcd could be; a word is longer, or in the list below
_SHORT_WORDS = frozenset(_SHORT_ONES.split())
_SHORT_CAPITALS = frozenset({"AM", "PM", "AND", "OR", "NOT", "IF"})
_COUNTING = frozenset(_COUNTING_ONES.split())
_FILLERS = frozenset({"a", "an", "the", "and"})
_TOKEN = re.compile(r"\\[A-Za-z]+|\d[\d,]*(?:\.\d+)?|\.\d+|[A-Za-z]+(?:'[a-z]+)?|[^\sA-Za-z\d,;.'{}]")
_DIGITS = re.compile(r"[\d,]*\.?\d+")


def joined(text: str) -> str:
    """Return `text` with "and" and "or" between formulas as commas."""
    return _CONNECTIVE.sub(",", text)


def is_unread(text: str) -> bool:
    """Tell whether a normal form holds a word or a second quantity that algebra would misread.

    Up to three letters beside other mathematics are a product, unless they spell a common word; letters that
    stand alone are a word.
    """
    bare = _SUBSCRIPT.sub("", _SCENERY.sub(" ", text))
    runs = [run for run in _RUN.findall(bare) if len(run) > 1]
    if _DOTS.search(text) or (_POINTS.search(text) and "=" not in text):
        return True
    if _SECOND_QUANTITY.search(_BASE_OF_LOGARITHM.sub("", text)) and "begin{" not in text:
        return True
    if not runs:
        return False
    if re.fullmatch(r"[A-Za-z' ,.:-]+", text):
        return True
    return any(map(_is_word, runs))


def _is_word(run: str) -> bool:
    if run.isupper() and len(run) <= _LONGEST_PRODUCT:  # the side BC of a triangle
        return run in _SHORT_CAPITALS
    small = run.lower()
    return len(run) > _LONGEST_PRODUCT or small in _SHORT_WORDS or small in QUALIFIERS or "'" in run


def tokens(text: str) -> tuple[str, ...]:
    """Return numbers, words and signs in order: words in small letters and the singular, no articles."""
    found = []
    for token in _TOKEN.findall(text):
        if _DIGITS.fullmatch(token):
            found.append(str(Fraction(token.replace(",", "") or "0")))
        elif len(token) > 1 and token[0] != "\\":
            name = unit_name(token)
            found += [] if name in _FILLERS else [name]
        else:
            found.append(token)
    return tuple(token for token in found if token not in _FILLERS)


def elements(text: str) -> tuple[tuple[str, ...], ...]:
    """Return the tokens of each element of a list, sorted, and those of 2 h 30 min apart."""
    inner = text.removeprefix(r"\{").removesuffix(r"\}")
    parts = re.split(r"[,;](?!\d{3}(?!\d))|(?<![A-Za-z])and(?![A-Za-z])", inner)
    if any(re.search(r"[()\[\]]", part) for part in parts):
        return (tokens(text),)
    found: list[tuple[str, ...]] = []
    for part in map(tokens, parts):
        quantities = list(zip(part[::2], part[1::2], strict=False))
        are_all = all(_is_number(number) and unit in UNIT_NAMES for number, unit in quantities)
        found += quantities if len(part) == 2 * len(quantities) and are_all else [part]
    return tuple(sorted(filter(None, found)))


def compare(gold: str, answer: str) -> Verdict:
    """Compare two normal forms of which at least one has words: equal word by word, or unequal, or undecided.

    Undecided is what says the same numbers in more words or fewer, and short words of the same letters.
    """
    if elements(gold) == elements(answer):
        return Verdict.EQUAL
    if (total := _total(gold)) and total == _total(answer):
        return Verdict.UNDECIDED  # 3 hours 20 minutes, 200 minutes
    left, right = tokens(gold), tokens(answer)
    mine, theirs = Counter(left), Counter(right)
    numbers, others = list(filter(_is_number, left)), list(filter(_is_number, right))
    if numbers and others and (Counter(numbers) != Counter(others) or (mine == theirs and numbers != others)):
        return Verdict.UNEQUAL
    if bool(numbers) != bool(others):  # a hundred, 100
        return Verdict.UNDECIDED if _COUNTING & (mine.keys() | theirs.keys()) else Verdict.UNEQUAL
    if mine <= theirs or theirs <= mine:
        return Verdict.UNDECIDED
    letters, others_letters = (
        _TIMES.sub("", _POINTS.sub("", text)).replace(" ", "") for text in (gold, answer)
    )
    if sorted(letters) == sorted(others_letters) and len(letters) <= _LONGEST_PRODUCT:
        is_product = letters == others_letters and letters.isalpha()
        return Verdict.EQUAL if is_product else Verdict.UNDECIDED
    return Verdict.UNEQUAL


def _total(text: str) -> tuple[dict[str, int], Fraction] | None:
    """Return what quantities of one dimension add up to, in its basic unit; None where a text has others."""
    quantities = elements(text)
    if not all(len(one) == 2 and _is_number(one[0]) and one[1] in UNIT_NAMES for one in quantities):
        return None
    sizes = [(Fraction(number), Unit(((unit, 1),)).dimension()) for number, unit in quantities]
    if not sizes or any(dimension != sizes[0][1][0] for _, (dimension, _) in sizes):
        return None
    return sizes[0][1][0], sum((number * size for number, (_, size) in sizes), Fraction(0))


def _is_number(token: str) -> bool:
    return token[0].isdigit()
