"""Comparisons that need no algebra: right, or silent."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import pytest

from tts_eval.grading import exact
from tts_eval.grading.grade import Verdict
from tts_eval.grading.normal_form import normalize
from tts_eval.grading.rationals import Number

EQUAL, UNEQUAL, UNDECIDED, SILENT = Verdict.EQUAL, Verdict.UNEQUAL, Verdict.UNDECIDED, None


def compare(gold: str, answer: str) -> Verdict | None:
    return exact.compare(normalize(gold), normalize(answer))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("-12", -12),
        ("1,234,567.50", Fraction(123456750, 100)),
        (".0000672", Fraction(672, 10**7)),
        ("-1/3", Fraction(-1, 3)),
        (r"\frac{-270}7\text{ degrees}", Fraction(-270, 7)),
        (r"137 \frac{1}{2}", Fraction(275, 2)),
        (r"-1\frac45", Fraction(-9, 5)),
        (r"6.72\times 10^{-5}", Fraction(672, 10**7)),
        (r"\frac{1}{2^{70}}", Fraction(1, 2**70)),
        (r"864 \mbox{ inches}^2", 864),
        ("x=5", 5),
        (r"204_{10}", 204),
    ],
)
def test_numbers_are_read_exactly(text: str, value: Fraction) -> None:
    number = exact.read(normalize(text)).exact
    assert isinstance(number, Number) and number.value == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "3,4",
        "12:00",
        r"\frac{1}{0}",
        "0^{-1}",
        "2^10",
        r"10^{99999}",
        "1/2/3",
        "0,111",
    ],
)
def test_what_is_not_plainly_one_number_is_not_read_as_one(text: str) -> None:
    assert not isinstance(exact.read(normalize(text)).exact, Number)


def test_every_spelling_of_a_rational_equals_every_other_and_no_spelling_of_another() -> None:
    spellings = {
        Fraction(1, 2): ["1/2", r"\frac{2}{4}", "0.5", ".50", r"\frac12", r"0.5\text{ cm}"],
        Fraction(3, 2): ["3/2", r"1\frac{1}{2}", "1.5", r"15\times10^{-1}"],
        Fraction(-2): ["-2", r"-\frac{4}{2}", "-2.0", r"\frac{-6}{3}"],
        Fraction(10**20): [r"10^{20}", "1" + "0" * 20, ",".join(["100"] + ["000"] * 6)],
        Fraction(10**20 + 1): [r"100000000000000000001", "100000000000000000001.0"],
        Fraction(1, 10**7): ["0.0000001", r"10^{-7}", r"\frac{1}{10^{7}}"],
        Fraction(2, 10**7): ["0.0000002", r"2\times10^{-7}"],
        Fraction(1, 2**71): [r"\frac{1}{2^{71}}"],
    }
    for (left, lefts), (right, rights) in product(spellings.items(), repeat=2):
        for gold, answer in product(lefts, rights):
            if left == right:
                assert compare(gold, answer) == EQUAL, (gold, answer)
            else:  # undecided where one is a mixed number, which is a product to some
                assert compare(gold, answer) in (UNEQUAL, UNDECIDED), (gold, answer)


@pytest.mark.parametrize(
    ("gold", "answer", "verdict"),
    [
        (r"\frac13", "0.333333", EQUAL),
        (r"\frac13", "0.3333", UNEQUAL),
        (r"\frac13", r"\frac{333333}{1000000}", UNEQUAL),  # a fraction rounds nothing
        ("3.1416", "3.14159", UNEQUAL),
        (".0000672", "0.000067", UNEQUAL),  # alike to six places, not in their leading digits
    ],
)
def test_a_decimal_may_be_rounded_to_six_places(gold: str, answer: str, verdict: Verdict) -> None:
    assert compare(gold, answer) == verdict


@pytest.mark.parametrize(
    ("gold", "answer", "verdict"),
    [
        ("20", r"20\%", EQUAL),
        ("0.2", r"20\%", UNEQUAL),
        ("12", r"12\text{ cm}", EQUAL),
        ("35^\\circ", "35°", EQUAL),
        ("18.90", r"\$18.90", EQUAL),
        ("231_5", "231", UNEQUAL),
        ("231_5", "66", UNEQUAL),
        ("231_5", "231_{5}", EQUAL),
        ("231_5", r"231_{\text{five}}", EQUAL),
        ("231_5", "231_6", UNEQUAL),
        ("66", "66_{10}", EQUAL),
        ("2B_{16}", "02B_{16}", EQUAL),
        ("(B)", "B", EQUAL),
        (r"\text{(B)}", r"\textbf{(B)} 7", EQUAL),
        ("B", r"\text{(C)}", UNEQUAL),
        ("(3,7)", "3,7", UNEQUAL),
        ("(3,7)", r"\{3,7\}", UNEQUAL),
        ("x=5", "5", EQUAL),
        ("x=5", "x=6", UNEQUAL),
        ("x=5", "y=5", SILENT),
        (r"\sqrt{4}", "2", SILENT),
        ("3,4", "4,3", SILENT),
        ("(3,7)", "(7,3)", SILENT),
        ("(1,2),(3,4)", "(1,2)", SILENT),
        (r"\text{odd}", "odd", EQUAL),
        ("5", r"5\text{ million}", UNDECIDED),
        ("5000000", r"5\text{ million}", EQUAL),
        ("7.5", "7 1/2", EQUAL),
        ("3.5", "7 1/2", UNDECIDED),  # read as a product
        ("9", "4 5", UNEQUAL),
        ("45", "4 5", UNDECIDED),
        ("12 cm", "12 kg", UNEQUAL),
        ("12 cm", "0.12 m", UNDECIDED),  # the same length, not in the unit asked for
        ("$5", "5 cents", UNEQUAL),
        ("10 books", "10", EQUAL),
        ("10 books", "10 pens", UNEQUAL),
        ("3 pm", "3 am", UNEQUAL),
        ("3 or more", "3", UNDECIDED),
        ("5 ft 6 in", r"5\text{ feet }6\text{ inches}", EQUAL),
        ("2 hours 30 minutes", "30 hours 2 minutes", UNEQUAL),
        ("3 of 5", "5 of 3", UNEQUAL),
        ("listen", "silent", UNEQUAL),
        ("ABC", "BAC", UNDECIDED),  # an angle, a product or a word
        ("2ab", "2ba", SILENT),
        ("red, blue", "blue, red", EQUAL),
        ("100, 200", "100,200", EQUAL),
        ("100200", "100,200", EQUAL),
        ("B", "Option B", EQUAL),
        ("B", "B. 5", EQUAL),
        ("5", "B. 5", EQUAL),
        (r"\frac13", r"0.\overline{3}", EQUAL),
        ("B", "(B) or (C)", SILENT),  # algebra compares a list of letters
        ("A,C", "(C) and (A)", SILENT),
        ("2:30", "1:15", UNDECIDED),  # equal as ratios, not as times
        ("3:4", "6:8", EQUAL),
        ("3:4", r"\frac34", EQUAL),
        ("3:4", r"3\colon 4", EQUAL),
        ("3:4", "3 to 4", EQUAL),
        ("3 to 4", "6 to 8", UNEQUAL),  # ranges
        ("3:4", "4:3", UNEQUAL),
        ("1:2:3", "1:3:2", UNEQUAL),
        ("1:2:3", "2:4:6", EQUAL),
        ("1:2:3", r"\frac16", UNEQUAL),
        ("0:0", "1:2", UNEQUAL),
        ("12:00", "12", UNEQUAL),
        ("3:30 p.m.", "3:30 PM", EQUAL),
        ("3:30 p.m.", "3:30 am", UNEQUAL),
        ("March 5", "5th of March", EQUAL),
        ("March 5, 2020", "2020-03-05", EQUAL),
        ("March 5", "March 6", UNEQUAL),
        ("March 5", "March 5, 2020", UNDECIDED),
        ("3/5/2020", "March 5, 2020", UNDECIDED),  # or May 3
        ("13/5/2020", "May 13, 2020", EQUAL),
        ("2020-01-05", "2020-05-01", UNEQUAL),
        ("2020-01-05", "2014", UNDECIDED),  # a difference
        ("250", "two hundred and fifty", EQUAL),
        ("1200", "one thousand two hundred", EQUAL),
        ("200000", "two hundred thousand", EQUAL),
        (r"\frac23", "two thirds", EQUAL),
        ("25", "twenty fifth", UNEQUAL),
        ("1 2 3", "one two three", EQUAL),
        (r"3\times10^8", "3 x 10^8 m/s", EQUAL),
        (r"3\times10^8\text{ km}", r"3\times10^8\text{ m}", UNEQUAL),
        ("1234.50", "USD 1,234.50", EQUAL),
        ("5 EUR", "USD 5", UNEQUAL),
        ("1011_2", "(1011)_2", EQUAL),
        ("(0,1)", "]0,1]", SILENT),
        (r"\log_2 8", "3", SILENT),
        ("5", "5\u3002", EQUAL),
    ],
)
def test_the_policy_holds_in_both_directions(gold: str, answer: str, verdict: Verdict | None) -> None:
    assert compare(gold, answer) == verdict
    assert compare(answer, gold) == verdict


def test_long_strings_of_digits_and_commas_are_read_in_good_time() -> None:
    for piece in ("1", "1,", "111,", "1.", "1/", r"\frac{1}{", "1^", r"1\times", "(", "{1", "1_", "x="):
        exact.read(piece * (2000 // len(piece)) + "x")
