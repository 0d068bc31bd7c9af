"""Units of measurement, currencies and counted things behind a number, and whether two of them agree."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from tts_eval.grading.grade import Verdict

_QUALIFYING = """
    a.m. ad after ago all am an and approx approximately are at base bc before below above between
    both bce but by ce day's decrease dozen down due each east either even exactly except fifth
    first for fourth from gain half hundred if in increase infinite infinitely is less least left
    loss many max maximum million billion trillion thousand min. minimum minus mod modulo more most
    neither no none noon midnight north not o'clock odd of on only or other over p.m. past per plus
    pm prime profit quarter quarters rem remainder right score several since solutions some south
    than third thirds times to true twice under undefined until up up-to values was were west when
    where with within without x y z false never always almost about around less-than into out over
"""
# dimension: "name names ... = how many of the first of its row"
_TABLE = {
    "length": "m meter metre = 1; mm millimeter millimetre = 1/1000; cm centimeter centimetre = 1/100; "
    "dm decimeter = 1/10; km kilometer kilometre = 1000; in inch inches = 127/5000; ft foot feet = 381/1250; "
    "yd yard = 1143/1250; mi mile = 201168/125; nm nanometer = 1/1000000000",
    "mass": "g gram gramme gm = 1; mg milligram = 1/1000; kg kilogram kilo = 1000; "
    "lb lbs pound = 45359237/100000; oz ounce = 45359237/1600000; ton tonne = 1000000",
    "time": "s sec second = 1; ms millisecond = 1/1000; min minute = 60; h hr hour = 3600; day = 86400; "
    "week wk = 604800; month = 2629746; year yr = 31556952",
    "dollar": "dollar usd buck = 1; cent = 1/100",
    "pound sterling": "gbp = 1; pence penny = 1/100",
    "euro": "euro eur = 1",
    "yen": "yen jpy = 1",
    "rupee": "rupee rs inr = 1; paise = 1/100",
    "volume": "L l liter litre = 1; ml mL milliliter millilitre = 1/1000; gal gallon = 473176473/125000000",
    "angle": "degree deg = 1; rad radian = 57",
    "percent": "percent = 1",
    "force": "N newton = 1",
    "energy": "J joule = 1; kJ kilojoule = 1000; cal calorie = 523/125; kcal = 4184; kWh = 3600000; eV = 1",
    "power": "W watt = 1; kW kilowatt = 1000; hp horsepower = 746",
    "electric": "V volt = 1; mV = 1/1000; A amp ampere = 1; ohm = 1; F farad = 1; C coulomb = 1; T tesla = 1",
    "pressure": "Pa pascal = 1; kPa = 1000; atm = 101325; bar = 100000",
    "frequency": "Hz hertz = 1; kHz = 1000; rpm = 1/60",
    "temperature": "K kelvin = 1; celsius = 1; fahrenheit = 1",
    "amount": "mol mole = 1",
    "area": "acre = 1; hectare ha = 1",
    "ordinal": "th st nd rd = 1",
}
_SPELLINGS: dict[str, str] = {}
_SIZES: dict[str, tuple[str, Fraction]] = {}
for _dimension, _row in _TABLE.items():
    for _entry in _row.split("; "):
        _names, _, _size = _entry.partition(" = ")
        _first, *_others = _names.split()
        _SPELLINGS |= dict.fromkeys((_first, *_others), _first)
        _SIZES[_first] = (_dimension, Fraction(_size))

UNIT_NAMES = frozenset(_SIZES)
# Words that say more than what is counted: an answer that has one is never taken for its number alone.
QUALIFIERS = frozenset(_QUALIFYING.split())
_COMPOUNDS = {
    "mph": {"mi": 1, "h": -1},
    "kmh": {"km": 1, "h": -1},
    "kph": {"km": 1, "h": -1},
    "kmph": {"km": 1, "h": -1},
}
_GENERIC = frozenset({"unit"})
_POWERS = {"square": 2, "sq": 2, "cubic": 3, "cu": 3}
_WORD = r"[A-Za-z][A-Za-z'-]*"
_FACTOR = rf"{_WORD}\.?(?:\^(?:\d|\{{-?\d\}}))?"
_UNIT = re.compile(
    rf"(?P<space> ?)(?<![A-Za-z\\])(?P<unit>(?:/ ?)?{_FACTOR}(?:(?: |/| ?\\cdot |\*|/ ?){_FACTOR}){{0,5}})$"
)
_FACTORS = re.compile(
    rf"(?P<sign>/|(?<![A-Za-z])per(?![A-Za-z]))|(?<![A-Za-z\\])(?P<word>{_WORD})\.?(?:\^\{{?(?P<power>-?\d)\}}?)?"
)
_DEGREES = re.compile(r"\^\\circ ?(?P<scale>[CF]?)$")
_TRIGONOMETRY = re.compile(r"\\(?:sin|cos|tan|cot|sec|csc)")
_AWAITS_ARGUMENT = re.compile(
    r"\\(?:(?:arc)?(?:sin|cos|tan)h?|cot|sec|csc|log|ln|lg|exp|det|gcd|lcm)"
    r"(?: ?[\^_](?:\{[^{}]*\}|-?\w)){0,2} ?$"
)
_OPERATION = re.compile(r" ?\\(?:times|cdot|div|pi)(?![A-Za-z]) ?")
_COMMAND = re.compile(r"\\[A-Za-z]+")
_THOUSANDS = re.compile(r"(?<=\d),(?=(?:\d\d,)*\d{3}(?!\d))")
_SCALE = re.compile(r" (?:hundred|thousand|million|billion|trillion|dozen)$")
_SPACED = re.compile(r"[\d}a-z] [\d\\]")
_MIXED = re.compile(r"-?\d+ (?:\d+/\d+|\\frac\{\d+\}\{\d+\})")
_ENDS_A_QUANTITY = re.compile(r"[\d)}\]!]$|\\pi ?$|[a-z]$")
_SHORT = 2  # letters: m and cm may be variables, metre may not


@dataclass(frozen=True, slots=True)
class Unit:
    """A product of named units to their powers; a counted thing is a name that is in no table."""

    powers: tuple[tuple[str, int], ...]

    @property
    def is_known(self) -> bool:
        """Whether every name is that of a unit of measurement."""
        return all(name in _SIZES for name, _ in self.powers)

    def dimension(self) -> tuple[dict[str, int], Fraction]:
        """Return the powers of the dimensions, and how many basic units this one holds."""
        dimensions: dict[str, int] = {}
        size = Fraction(1)
        for name, power in self.powers:
            dimension, one = _SIZES[name]
            dimensions[dimension] = dimensions.get(dimension, 0) + power
            size *= one**power
        return dimensions, size


def split_unit(text: str) -> tuple[str, Unit | None]:
    """Return a normal form without the unit at its end, and the unit; None where there is none.

    Any word may be counted behind a plain number (10 books), but no qualifier; behind a formula only units
    of measurement are known. "units" and "square units" say nothing and are no unit.
    """
    match = _DEGREES.search(text)
    if match and not _TRIGONOMETRY.search(text):
        scale = {"C": "celsius", "F": "fahrenheit", "": "degree"}[match["scale"]]
        return text[: match.start()].strip(), Unit(((scale, 1),))
    match = _UNIT.search(text)
    while match:
        quantity = text[: match.start()]
        unit = _read(match["unit"])
        if unit is not None and quantity and _may_follow(quantity, match["space"], match["unit"], unit):
            return quantity, unit if unit.powers else None
        further = re.search(r"[ /*]", match["unit"].lstrip("/ "))
        if not further:
            return text, None
        start = match.start("unit") + match["unit"].index(match["unit"].lstrip("/ ")) + further.start()
        match = _UNIT.search(text, start)
    return text, None


def _may_follow(quantity: str, space: str, written: str, unit: Unit) -> bool:
    if _AWAITS_ARGUMENT.search(quantity):  # \sin^2 t
        return False
    bare = _COMMAND.sub("", _THOUSANDS.sub("", _SCALE.sub("", quantity)))
    is_whole = bool(_MIXED.fullmatch(quantity)) or not _SPACED.search(_OPERATION.sub("*", quantity))
    is_amount = is_whole and re.search(r"\d", bare) is not None and not re.search(r"[A-Za-z,;=<>]", bare)
    if not is_amount:
        is_formula = is_whole and _ENDS_A_QUANTITY.search(quantity) and not re.search(r"[A-Za-z]{3}", bare)
        return bool(space and is_formula and unit.is_known and "," not in quantity)
    names = re.findall(r"[A-Za-z]+", written)
    if unit.powers == (("th", 1),):
        return not space
    return bool(space or len(names) > 1 or (len(names[0]) > 1 and (unit.is_known or len(names[0]) > _SHORT)))


def _read(written: str) -> Unit | None:
    powers: dict[str, int] = {}
    sign, pending = 1, 0
    for factor in _FACTORS.finditer(written):
        if factor["sign"]:
            sign = -1
            continue
        word = factor["word"]
        if word.lower() in QUALIFIERS and word not in _SPELLINGS:
            return None
        if word.lower() in _POWERS:
            pending = _POWERS[word.lower()]
            continue
        if word.lower() in ("squared", "cubed") and powers:
            last = list(powers)[-1]
            powers[last] *= 2 if word.lower() == "squared" else 3
            continue
        power = int(factor["power"] or 1) * (pending or 1)
        name = unit_name(word)
        for part, exponent in _COMPOUNDS.get(name, {name: 1}).items():
            if part not in _GENERIC:
                powers[part] = powers.get(part, 0) + sign * power * exponent
        pending = 0
    if powers.keys() & {"celsius", "fahrenheit"}:  # degrees Celsius
        powers.pop("degree", None)
    return Unit(tuple(sorted(powers.items())))


def unit_name(word: str) -> str:
    """Return the one name of a unit in all its spellings; of other words the singular in small letters."""
    if word in _SPELLINGS:
        return _SPELLINGS[word]
    small = word.lower().rstrip(".")
    for ending in ("", "s", "es"):
        stem = small.removesuffix(ending)
        if len(stem) > 1 and small.endswith(ending) and stem in _SPELLINGS:
            return _SPELLINGS[stem]
    if len(small) > 3 and small.endswith("ies"):
        return small[:-3] + "y"
    if len(small) > 3 and small.endswith("s") and not small.endswith("ss"):
        return small[:-1]
    return {"men": "man", "women": "woman", "people": "person", "children": "child", "feet": "ft"}.get(
        small, small
    )


def compare_units(gold: Unit | None, answer: Unit | None) -> Verdict:
    """Tell whether the units allow two answers to be equal: one that states none fits any.

    Known units of one dimension may be converted, and two names of counted things may mean one: undecided.
    """
    if gold is None or answer is None or gold == answer:
        return Verdict.EQUAL
    if gold.is_known and answer.is_known:
        return Verdict.UNDECIDED if gold.dimension()[0] == answer.dimension()[0] else Verdict.UNEQUAL
    names, others = ({name for name, _ in unit.powers} for unit in (gold, answer))
    return Verdict.UNDECIDED if names < others or others < names else Verdict.UNEQUAL


def factor_between(gold: Unit, answer: Unit) -> Fraction:
    """Return how many of the gold unit one of the answer's is; both are known, of one dimension."""
    return answer.dimension()[1] / gold.dimension()[1]
