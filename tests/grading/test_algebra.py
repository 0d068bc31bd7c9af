"""The worker's own time-outs and the forms that grouping goes by, in this process."""

from __future__ import annotations

import pytest

from tts_eval.grading import algebra
from tts_eval.grading.grade import Reason
from tts_eval.grading.latex import parse
from tts_eval.grading.messages import Job, Kind, Reply


def describe(answer: str) -> tuple[Kind, str | None] | Reason | None:
    reply = algebra.run(Job(answer), step_timeout_s=5)
    return (reply.form.kind, reply.form.key) if reply.form else reply.failure


@pytest.mark.parametrize("hostile", [r"2^{9^{9^{9^9}}}", r"10^9!!", r"\sum_{k=1}^{10^{9}}\frac{1}{k^{2}}"])
def test_a_job_without_end_is_given_up(hostile: str) -> None:
    assert algebra.run(Job(hostile, "x"), step_timeout_s=1).equal is not True


def test_a_tower_of_powers_is_a_time_out() -> None:
    assert algebra.run(Job("2^{9^{9^{9^9}}}", "2+1"), step_timeout_s=1) == Reply(failure=Reason.TIME_OUT)


@pytest.mark.parametrize(
    ("answer", "form"),
    [
        (r"\sqrt{4}", (Kind.SCALAR, "2/1")),
        (r"\frac{1}{2}+\frac{1}{3}", (Kind.SCALAR, "5/6")),
        ("-2^10", (Kind.SCALAR, "-400/1")),
        (r"\sqrt{2}", (Kind.SCALAR, None)),
        ("x^2+1", (Kind.SCALAR, None)),
        (r"\text{odd}", (Kind.WORD, None)),
        ("x<7", (Kind.RELATION, None)),
        ("(3,7]", (Kind.COLLECTION, None)),
        (r"\begin{pmatrix}1\\2\end{pmatrix}", (Kind.MATRIX, None)),
        (r"\frac{3}{0}", (Kind.SCALAR, None)),
        ("????", Reason.ANSWER_UNPARSED),
    ],
)
def test_an_answer_is_described(answer: str, form: tuple[Kind, str | None] | Reason) -> None:
    assert describe(answer) == form


@pytest.mark.parametrize(
    ("one", "other", "may"),
    [
        ("x^2-1", "(x-1)(x+1)", True),
        ("x^2-1", "x^2+1", False),
        ("3,4", "4,3", True),
        ("3,4", "3,5", False),
        (r"\frac{\sqrt{3}}{3}", "0.57735", True),
        (r"\text{odd}", "odd", True),
        ("x<7", r"(-\infty,7)", True),
        ("x<7", "7", False),
    ],
)
def test_forms_tell_which_answers_are_worth_comparing(one: str, other: str, may: bool) -> None:
    left, right = (algebra.run(Job(answer), step_timeout_s=5).form for answer in (one, other))
    assert left is not None and right is not None
    assert left.may_equal(right) == right.may_equal(left) == may


@pytest.mark.parametrize(
    ("answer", "in_full"),
    [("-12", "(-12)"), ("007", "(7)"), (r"-\frac{6}{04}", "(-6)/4"), (r"\frac{0}{5}", "(0)/5")],
)
def test_a_plain_number_is_read_as_the_grammar_reads_it(answer: str, in_full: str) -> None:
    assert parse(answer, keeps_case=True) == parse(in_full, keeps_case=True)


@pytest.mark.parametrize(
    ("gold", "answer", "is_compared"),
    [
        ("x^2-1", "x^2+1", False),
        (r"\sqrt{3}", "2", False),
        ("0.333333", r"\frac{1}{3}", True),
        ("(x+1)^2", "x^2+2x+1", True),
        (r"\sqrt{i^2}", "|i|", True),  # a letter, or the imaginary unit
        (r"\text{odd}", "2", True),  # a word
    ],
)
def test_formulas_of_different_values_are_not_simplified(
    monkeypatch: pytest.MonkeyPatch, gold: str, answer: str, is_compared: bool
) -> None:
    compared = []

    def verify(*compared_ones: object, **_: object) -> bool:
        compared.append(compared_ones)
        return False

    monkeypatch.setattr(algebra, "verify", verify)
    assert algebra.run(Job(answer, gold), step_timeout_s=30).equal in (False, None)
    assert bool(compared) == is_compared
