"""Grading and grouping, through real workers where algebra is needed and a scripted pool where it is not."""

from __future__ import annotations

import asyncio
from itertools import permutations

import pytest

from tts_eval.grading.grade import Grade, Reason, Verdict
from tts_eval.grading.grader import MAX_NESTING, Grader
from tts_eval.grading.messages import Form, Job, Kind, Reply
from tts_eval.grading.normal_form import MAX_ANSWER_CHARS
from tts_eval.grading.pool import GradingPool

EQUAL, UNEQUAL = Verdict.EQUAL, Verdict.UNEQUAL
in_one_loop = pytest.mark.asyncio(loop_scope="package")


class ScriptedPool(GradingPool):
    """A pool without processes: every job has the same reply, once it is let go."""

    def __init__(self, reply: Reply) -> None:
        super().__init__()
        self.jobs: list[Job] = []
        self.go = asyncio.Event()
        self.go.set()
        self._reply = reply

    async def submit(self, job: Job) -> Reply:
        self.jobs.append(job)
        await self.go.wait()
        return self._reply


@in_one_loop
@pytest.mark.parametrize(
    ("gold", "answer", "verdict"),
    [
        (r"\sqrt{8}", r"2\sqrt{2}", EQUAL),
        (r"\sin^2t", r"\sin^2 t", EQUAL),  # seconds and tonnes are no unit of a function
        (r"3\ln h", r"3 \ln h", EQUAL),
        (r"\log_2 m", r"\log_2(m)", EQUAL),
        (r"\sin^2 t", r"\tan^2 t", UNEQUAL),
        (r"\sqrt[4]{3}", "3**(1/4)", EQUAL),
        (r"-2+\sqrt{5}", "-2 + sqrt(5)", EQUAL),
        (r"\frac{\pi}{3}", r"60^\circ", UNEQUAL),
        ("3,4,5", "5,4,3", EQUAL),
        ("3,4", "3,4,4", UNEQUAL),
        ("3,3,4", "3,4,4", UNEQUAL),
        ("3,4,4", "4,3,4", EQUAL),
        (r"\{3,4\}", r"\{3,4,4\}", EQUAL),
        ("(1,2),(3,4)", "(3,4),(1,2),(1,2)", EQUAL),
        ("(3,4)", "(4,3)", UNEQUAL),
        ("x=3,y=7", "(3,7)", EQUAL),
        ("x=7,y=3", "(3,7)", UNEQUAL),
        ("(3,7)", "x=7,y=3", UNEQUAL),
        ("[1,4)", "[1,4]", UNEQUAL),
        (r"\frac{1}{1001!}", r"\frac{1}{1003!}", UNEQUAL),
        (r"\frac{\pi}{10^7}", "0.0000003", UNEQUAL),
        (r"\pi", "3.141593", EQUAL),
        ("0", r"\sqrt{2}+\sqrt{3}-\sqrt{5+2\sqrt{6}}", EQUAL),
        (r"\text{odd}", "Odd", EQUAL),
        ("C", "c", EQUAL),
        ("12", "x+y=12", EQUAL),
        ("x=5", "y=5", UNEQUAL),
        ("x<7", r"(-\infty,7)", EQUAL),
        (r"(-\infty,7)", "x<7", UNEQUAL),
        ("12:00", "12:01", UNEQUAL),
        (r"\pm 3", "3,-3", EQUAL),
        ("R-r", "r-R", UNEQUAL),
        ("3R^2", "3r^2", EQUAL),
        (r"\pi(R^2-r^2)", "0", UNEQUAL),
        ("f'(x)=2x", "f(x)=2x", UNEQUAL),
        (r"3\mathbf{i}-7\mathbf{j}", r"3\mathbf{i}+2\mathbf{j}", UNEQUAL),
        (r"\log(x^3)", r"3\log x", EQUAL),
        (r"\sqrt{xy}", r"\sqrt x\sqrt y", EQUAL),
        (r"\sqrt{x^2}", "x", UNEQUAL),
        ("-1", "i^2", EQUAL),
        ("5", "|3+4i|", EQUAL),
        (r"\frac12", r"\sin 30^\circ", EQUAL),
        (r"2\pi", r"2\pi\text{ cm}", EQUAL),
        (r"2\pi\text{ kg}", r"2\pi\text{ cm}", UNEQUAL),
    ],
)
async def test_the_policy(grader: Grader, gold: str, answer: str, verdict: Verdict) -> None:
    assert (await grader.grade(gold, answer)).verdict == verdict


@in_one_loop
@pytest.mark.parametrize(
    ("gold", "answer", "reason"),
    [
        ("5", "????", Reason.ANSWER_UNPARSED),
        (r"\frac{", r"\sqrt{2}", Reason.GOLD_UNPARSED),
        ("5", "1" * (MAX_ANSWER_CHARS + 1), Reason.TOO_LONG),
        ("5", "(" * (MAX_NESTING + 1) + "x" + ")" * (MAX_NESTING + 1), Reason.TOO_NESTED),
    ],
)
async def test_what_cannot_be_read_is_undecided_and_says_why(
    grader: Grader, gold: str, answer: str, reason: Reason
) -> None:
    num_before = grader.undecided_reasons[reason]
    assert await grader.grade(gold, answer) == Grade(Verdict.UNDECIDED, reason)
    assert grader.undecided_reasons[reason] == num_before + 1


async def test_no_answer_is_not_equal_and_not_undecided() -> None:
    grader = Grader(ScriptedPool(Reply(failure=Reason.TIME_OUT)))
    assert await grader.grade("5", None) == Grade(UNEQUAL, Reason.NO_ANSWER)
    assert await grader.grade("5", "  ") == Grade(UNEQUAL, Reason.NO_ANSWER)
    assert await grader.grade("5", r"\sqrt{25}") == Grade(Verdict.UNDECIDED, Reason.TIME_OUT)
    assert grader.verdicts == {UNEQUAL: 2, Verdict.UNDECIDED: 1}
    assert grader.undecided_reasons == {"time-out": 1}


async def test_the_same_text_is_equal_however_long_or_strange() -> None:
    pool = ScriptedPool(Reply(failure=Reason.ANSWER_UNPARSED))
    for text in ("????", "1" * 100_000, r"\frac{"):
        assert await Grader(pool).grade(text, text) == Grade(EQUAL)
    assert pool.jobs == []


async def test_a_question_is_asked_once_and_a_cancelled_asker_does_not_take_the_reply_along() -> None:
    pool = ScriptedPool(Reply(equal=True))
    pool.go.clear()
    grader = Grader(pool)
    impatient = asyncio.create_task(grader.grade(r"\sqrt{2}", "x"))
    patient = asyncio.create_task(grader.grade(r"\sqrt 2", " x "))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    impatient.cancel()
    pool.go.set()
    assert await patient == Grade(EQUAL)
    assert await grader.grade(r"\sqrt{2}", "x") == Grade(EQUAL)
    assert len(pool.jobs) == 1


async def test_numbers_never_leave_the_process() -> None:
    pool = ScriptedPool(Reply(failure=Reason.CRASH))
    grader = Grader(pool)
    answers = [str(number % 700) for number in range(1000)] + [
        rf"\frac{{{number}}}{{2}}" for number in range(1000)
    ]
    groups = await grader.group(answers)
    assert groups[0] == [0, 700, 1000]  # 0, 0 and 0/2
    assert sum(map(len, groups)) == 2000
    assert await grader.group(["10^{5000}", "10^{4999}", r"10^{4999}\times10^{1}"]) == [[0, 2], [1]]
    assert (await grader.grade("5", "6")).verdict == UNEQUAL
    assert pool.jobs == []


@in_one_loop
async def test_a_percent_sign_does_not_tie_unequal_numbers_together(grader: Grader) -> None:
    answers = ["20", r"20\%", "0.2", "1/5", "20 percent", r"\frac{2}{10}"]
    assert await grader.group(answers) == [[0, 1, 4], [2, 3, 5]]


@in_one_loop
async def test_rounding_does_not_tie_unequal_numbers_together(grader: Grader) -> None:
    third, near = r"\frac{1}{3}", r"\frac{3333331}{10000000}"
    for answers in permutations([third, "0.333333", near]):
        groups = [{answers[index] for index in group} for group in await grader.group(answers)]
        # the decimal is near both fractions, and goes to the shorter one
        assert groups == [{third, "0.333333"}, {near}]


@in_one_loop
async def test_answers_that_algebra_makes_equal_share_a_class_in_whatever_order(grader: Grader) -> None:
    classes = [
        ["x^2+2x+1", "(x+1)^2", "1+2*x+x^2"],
        [r"\frac{\sqrt{3}}{3}", r"\frac{1}{\sqrt{3}}"],
        ["2", r"\sqrt{4}", "x=2"],
        [r"\text{odd}", "odd"],
        ["x<7"],
        [r"(-\infty,7)"],
        ["(3,7)"],
        ["3,7", "7, 3"],
    ]
    answers = [answer for members in classes for answer in members]
    for order in (answers, answers[::-1], answers[::2] + answers[1::2]):
        groups = await grader.group(order)
        assert sorted(sorted(order[i] for i in group) for group in groups) == sorted(map(sorted, classes))
        ranks = [(-len(group), group[0]) for group in groups]
        assert ranks == sorted(ranks)


@in_one_loop
async def test_what_does_not_parse_is_a_class_of_its_own_and_no_answer_is_none(grader: Grader) -> None:
    num_before = grader.unparsed_reasons[Reason.ANSWER_UNPARSED]
    assert await grader.group([None, "5", "????", "", "5.0", "????"]) == [[1, 4], [2, 5]]
    assert grader.unparsed_reasons[Reason.ANSWER_UNPARSED] == num_before + 2
    assert await grader.group([]) == []
    assert await grader.num_unparsed(["????", "5", None, "????"]) == 2


@in_one_loop
@pytest.mark.parametrize(
    "answer", ["true", "√2", r"0.\overline{3}", r"\sin^2 t", "????", "2 hours 5 minutes"]
)
async def test_the_vote_on_one_sample_is_the_sample(grader: Grader, answer: str) -> None:
    assert await grader.group([answer]) == [[0]]
    assert await grader.group(["0.5", *[answer] * 7]) == [[*range(1, 8)], [0]]


async def test_a_vote_does_not_wait_behind_the_final_grading() -> None:
    busy, free = ScriptedPool(Reply(equal=True)), ScriptedPool(Reply(form=Form(Kind.SCALAR)))
    busy.go.clear()
    grader = Grader(busy, free)
    grading = asyncio.create_task(grader.grade(r"\sqrt{2}", "x"))
    await asyncio.sleep(0)
    assert await grader.for_votes().group(["x", None]) == [[0]]
    assert not grading.done()
    assert free.jobs == [Job("x")]
    busy.go.set()
    assert (await grading).verdict == EQUAL
    assert await grader.group(["x"]) == [[0]]  # the vote's reply serves


async def test_only_answers_that_may_be_equal_are_compared() -> None:
    pool = ScriptedPool(Reply(form=Form(Kind.SCALAR, (1.0, 7.5, 0.0, 56.25, 0.0))))
    assert await Grader(pool).group(["1", "2", r"\sqrt{56.25}"]) == [[0], [1], [2]]
    assert pool.jobs == [Job(r"\sqrt{56.25}")]


@in_one_loop
async def test_golds_that_do_not_parse_are_named(grader: Grader) -> None:
    assert await grader.check_golds(["5", r"\frac{", r"\sqrt{2}", "", r"\text{east}"]) == [r"\frac{", ""]
