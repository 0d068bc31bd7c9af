"""One text for the spellings of one answer."""

from __future__ import annotations

import pytest

from tts_eval.grading.normal_form import MAX_ANSWER_CHARS, normalize

PAIRS = [
    ("\uff17", "7"),
    ("\u22125", "-5"),
    ("35°", r"35^\circ"),
    (r"35^{\circ}", r"35^\circ"),
    (r"20\%", "20 percent"),
    ("20 pct", "20 percent"),
    (r"\$32,\!348", "32,348 dollars"),
    ("-$5", "-5 dollars"),
    ("5€", "5 euros"),
    (r"12\text{ cm}", "12 cm"),
    (r"\mathrm{(D)~\frac{5}{18}}", r"(D) \frac{5}{18}"),
    ("Option C: it rises", "(C) it rises"),
    (r"3\mathbf{i}-7\mathbf{j}", "3i-7j"),
    ("2√3", r"2\sqrt{3}"),
    ("⅓", r"\frac{1}{3}"),
    ("x⁴", "x^4"),
    ("All real numbers", r"\mathbb{R}"),
    (r"\langle 2, 3 \rangle", "(2,3)"),
    ("[0,1[", "[0,1)"),
    (r"]-\infty,3[ \cup ]5,7]", r"(-\infty,3)\cup(5,7]"),
    ("(A), (C)", "A,C"),
    ("1.5e3", r"1.5\times 10^3"),
    ("= 720", "720"),
    ("**5**", "5"),
    ("Answer: negative three", "-3"),
    ("14{,}916", "14,916"),
    ("7 425 000", "7425000"),
    (r"11\sqrt2", r"11\sqrt{2}"),
    (r"\varnothing", r"\emptyset"),
    (r"\dfrac34", r"\frac{3}{4}"),
    (r"\frac9{19}", r"\frac{9}{19}"),
    (r"\left( 3, \frac{\pi}{2} \right)", r"(3,\frac{\pi}{2})"),
    ("3**(1/4)", "3^{1/4}"),
    ("-2 + sqrt(5)", r"-2+\sqrt{5}"),
    ("sqrt(2*(3+4))", r"\sqrt{2*(3+4)}"),
    ("2*pi", r"2*\pi"),
    ("$x$", "x"),
    ("185\\", "185"),
    ("12.", "12"),
    ("\u200b5\0", "5"),
    (r"1-\frac{1}{\mathrm{e}}", r"1-\frac{1}{e}"),
]


@pytest.mark.parametrize(("answer", "normal"), PAIRS)
def test_spellings_meet_in_the_normal_form(answer: str, normal: str) -> None:
    assert normalize(answer) == normal


@pytest.mark.parametrize("answer", [*(answer for answer, _ in PAIRS), r"x \\ y", "32, 349", r"\sin^2 t"])
def test_the_normal_form_of_a_normal_form_is_itself(answer: str) -> None:
    assert normalize(normalize(answer)) == normalize(answer)


def test_what_differs_in_meaning_stays_different() -> None:
    assert normalize("32, 349") != normalize("32,349")  # a list, a number
    assert normalize(r"a \\ b") == r"a \\ b"  # rows of a matrix
    assert normalize("1 2") != normalize("12")


def test_an_over_long_answer_is_left_as_it_stands() -> None:
    long = "\uff19" * (MAX_ANSWER_CHARS + 1)
    assert normalize(f" {long} ") == long
