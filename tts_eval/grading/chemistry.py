"""Chemical formulas, H2O and CO_2: unlike those of a product, their letters have a case and an order."""

from __future__ import annotations

import re
from collections import Counter

from tts_eval.grading.grade import Verdict

_ELEMENT_NAMES = """
    H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr Rb Sr Y
    Zr Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W Re
    Os Ir Pt Au Hg Tl Pb Bi Po At Rn Fr Ra Ac Th Pa U Np Pu Am Cm Bk Cf Es Fm Md No Lr
"""
_ELEMENTS = frozenset(_ELEMENT_NAMES.split())
_COUNT = r"(?:_?(?:\d+|\{\d+\}))?"
_FORMULA = re.compile(
    rf"(?P<atoms>(?: ?(?:[A-Z][a-z]?{_COUNT}|\((?:[A-Z][a-z]?{_COUNT})+\){_COUNT}))+)"
    r"(?:\^?(?P<charge>[-+])|\^\{(?P<charges>\d*[-+])\})?"
)
_PART = re.compile(r"([A-Z][a-z]?|[()])(?:_?\{?(\d+)\}?)?")


def in_subscripts(text: str) -> str:
    """Return a formula with a number or a charge as H_2O, C_6H_{12}O_6, Na^+; any other text as it was."""
    match = _FORMULA.fullmatch(text)
    charge = match and (match["charge"] or match["charges"])
    if match is None or not (charge or re.search(r"\d", text)) or not _is_formula(match["atoms"]):
        return text
    atoms = "".join(name + _script("_", count) for name, count in _PART.findall(match["atoms"]))
    return atoms + _script("^", charge or "")


def compare(gold: str, answer: str) -> Verdict | None:
    """Compare two formulas; None where not both are some, or where they differ in more than case and order.

    Undecided is Co beside CO, which may be one word in two cases, and another order of the same atoms.
    """
    formulas = [match for match in map(_FORMULA.fullmatch, (gold, answer)) if match and _is_formula(match[0])]
    if len(formulas) < 2 or gold.lower() == "no":
        return None
    if gold.lower() == answer.lower():
        return Verdict.UNDECIDED
    if not ("_" in gold and "_" in answer):
        return None
    mine, theirs = (Counter(_PART.findall(match[0])) for match in formulas)
    return Verdict.UNDECIDED if mine == theirs else Verdict.UNEQUAL


def _is_formula(atoms: str) -> bool:
    return all(name in _ELEMENTS or name in "()" for name, _ in _PART.findall(atoms))


def _script(mark: str, text: str) -> str:
    return f"{mark}{text}" if len(text) == 1 else f"{mark}{{{text}}}" if text else ""
