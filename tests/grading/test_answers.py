"""Finding the answer in a text."""

from __future__ import annotations

import pytest

from tts_eval.grading.answers import extract_answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (r"So it is \boxed{42}.", "42"),
        (r"\boxed{\frac{1}{\sqrt{2}}}", r"\frac{1}{\sqrt{2}}"),
        (r"\boxed {8} and \fbox{9}. Or rather \fbox{8}", "8"),
        (r"\boxed{\boxed{5}}", "5"),
        (r"\boxed{\left\{ 1, 2 \right.}", r"\left\{ 1, 2 \right."),
        (r"\boxed{7}. Now check: \boxed{8", "7"),
        (r"Put it in \boxed{}: I think it is \boxed{7}, not \boxed{ }", "7"),
    ],
)
def test_the_last_balanced_box_is_the_answer(text: str, answer: str) -> None:
    assert extract_answer(text) == answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (r"\boxed{3}. Hmm, one more check. So \boxed{4}", "4"),
        (r"The sum is \boxed{3} and therefore the answer is \boxed{7}", "7"),
        (r"\boxed{1} no no no no no \boxed{2}", "2"),
        (r"$\boxed{1}$ and $\boxed{2}$", "1, 2"),
        (r"\boxed{-2} \quad \text{and} \quad \boxed{1}", "-2, 1"),
        (r"\(x = \boxed{3}\) and \(y = \boxed{4}\)", "3, 4"),
        (r"\boxed{840}, \boxed{840}", "840"),
    ],
)
def test_boxes_of_one_list_are_taken_together_and_a_second_try_is_not(text: str, answer: str) -> None:
    assert extract_answer(text) == answer


def test_what_is_thought_is_not_answered() -> None:
    assert extract_answer(r"<think>\boxed{7}</think> I am not sure.") is None
    assert extract_answer(r"<think>\boxed{7}</think> It is \boxed{8}.") == "8"
    assert extract_answer(r"\boxed{7}</think>\boxed{8}") == "8"  # the template had opened the thinking
    assert extract_answer(r"<think>is it \boxed{7}? \boxed{8}?") is None
    assert extract_answer(r"[T]\boxed{7}[/T]9", start_of_thinking="[T]", end_of_thinking="[/T]") == "9"


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("The answer is (B).", "B"),
        ("so the answer is -2 + sqrt(5).", "-2 + sqrt(5)"),
        ("**Answer:** odd", "odd"),
        ("The final answer is $28 \\%$. I hope it is correct. Note: 5 was wrong.", "28 \\%"),
        ("Final Answer: The volume of $ABCD$ is 120. I hope it is correct.", "120"),
        (r"Hence $x = 3$ and \[ y = \frac12 \]", r"x = 3, y = \frac12"),
        ("It costs $5 to enter, so $n$ of them pay $7.25 in all", "7.25"),
        ("It costs $5 to enter, so they are $n = 3$ men", "n = 3"),
        ("They have 1,234,567 coins", "1,234,567"),
        ("Soucis : 2,74 euros", "2.74"),
        ("about 3/4 of them", "3/4"),
    ],
)
def test_without_a_box_the_statement_the_formula_or_the_number_counts(text: str, answer: str) -> None:
    assert extract_answer(text) == answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("It falls to \u221242 degrees", "-42"),
        ("Her balance is -$1,200", "-1,200"),
        ("The answer is negative 3", "-3"),
        ("The answer is 72 clips in 2 months.", "72"),
        ("The answer is 15, not 12.", "15"),
        ("The answer is 5 hours and 20 minutes.", "5 hours and 20 minutes"),
        ("The answer is 5 or more.", "5 or more"),
        ("The answer is not 5. It is 7.", "7"),
        ("The answers are 1, 2, and 5.", "1, 2, 5"),
        ("**Answer**: 42\n\n**Confidence**: 85%", "42"),
        ("### Answer\n\n42\n\nI used 3 steps.", "42"),
        ("The answer is 42!", "42"),
        ("<answer>2\\sqrt{3}</answer> in 2", r"2\sqrt{3}"),
        ("#### 18\n\nThis assumes 5 days.", "18"),
        ("The correct option is (B).", "B"),
        ("The answer is (B) the reaction doubles", "(B) the reaction doubles"),
        ("Then x=\\boxed{12}. The answer is B.", "(B) 12"),
        ("so $\\boxed 5$ in 3 steps", "5"),
        (r"\framebox{5} 3", "5"),
        ("boxed{5} 3", "5"),
        (r"<think>x</think> It is \boxed{8}.</think>", "8"),
        (r"\frac{\sqrt3}{2}", r"\frac{\sqrt3}{2}"),
        (r"x = \sqrt5", r"x = \sqrt5"),
        ("The point is (3, 4).", "(3, 4)"),
        ("The value is -1 + sqrt(3).", "-1 + sqrt(3)"),
        ("1 - 1/e", "1 - 1/e"),
        ("B", "B"),
    ],
)
def test_statements_and_bare_mathematics_are_taken_whole(text: str, answer: str) -> None:
    assert extract_answer(text) == answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("The ratio is 3:4.", "3:4"),
        ("The ratio of cats to dogs is 3 to 4.", "3:4"),
        ("The answer is 5 : 6.", "5 : 6"),
        ("The train arrives at 3:30 pm.", "3:30 pm"),
        ("The party is on the 5th of May.", "5th of May"),
        ("The answer is March 5, 2020, a Thursday.", "March 5, 2020"),
        ("So she has 1 018,50 € left.", "1018.50"),
        ("The answer is - 5.", "-5"),
        ("Answer:\n- 5", "5"),
        ("The answer is x ≥ 5.", r"x \ge  5"),
        ("The correct answer is not A but B.", "B"),
        ("The answer is not 5.", "5"),
        ("The answer is yes, because 5 > 3.", "yes"),
        ("Answer: red, green and blue", "red, green and blue"),
        ("The answer is at least 5, as 4 is too few.", "at least 5"),
        ("The answer is between 5 and 6.", "between 5 and 6"),
        ("So 72 clips is the answer, after 3 steps.", "72"),
        ("$72$ is the answer to the question about 3 cats", "72"),
        (r"So the total is \[ 48 + 24 = 72 \text{ clips} \]", r"72 \text{ clips}"),
        ("The equation is $7 = 11a+c$.", "7 = 11a+c"),
        (r"$$\begin{aligned} x &= 3+4 \\ &= 7 \end{aligned}$$", "7"),
        (r"\begin{align*} x &= 7 \end{align*}", "x = 7"),
        (
            r"$$\begin{aligned} M = \begin{pmatrix} 1 \\ 2 \end{pmatrix} \end{aligned}$$ It",
            r"M = \begin{pmatrix} 1 \\ 2 \end{pmatrix}",
        ),
        ("答案是 72。", "72"),
        ("所以小明一共有$5$个苹果。", "5"),
        ("Ответ: 72", "72"),
        ("La réponse est 72 euros.", "72"),
    ],
)
def test_ratios_days_bounds_and_answers_in_other_tongues(text: str, answer: str) -> None:
    assert extract_answer(text) == answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("12 + 40 = 52 eggs.\n\nSo, Ann will use 52 eggs in 4 weeks.", "52"),
        ("So 170 * 3 = 510. Tom scored 510 points in the second 20 minutes.", "510"),
        ("3 g / 3 g = 1 gram. You can eat 1 gram of it if your target is 2000 and you have had 1800.", "1"),
        ("42 / 2 = 21. Therefore, a 42 kg sack will last 21 weeks for the 5 who eat 0.2 kg.", "21"),
        ("$45.00 x 5 = $225.00. She spends $225.00 on dry cleaning over 5 weeks.", "225.00"),
        (r"\[18 - 4 = 14\text{ pens}\] So \(14\) of the \(18\) pens are left.", "14"),
        ("1,200 * 3 = 3,600. The final answer is that he walks 3600 miles in 6 months.", "3600"),
        ("So 6 * 4 = 24 legs in 2 days.", "24"),
    ],
)
def test_the_result_that_the_last_sentence_restates_goes_before_its_circumstances(
    text: str, answer: str
) -> None:
    assert extract_answer(text) == answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("60 / 30 = 2. So she drives 60 miles in 2 hours.", "2"),
        ("2 * 2 = 4. So a width of 4 gives an area of 16.", "16"),
        ("2 * 2 = 4. For 4 people the cost is 60.", "60"),
        ("8 - 3 = 5. Ann has 5, Tom has 7.", "7"),
        ("Ann uses 52 eggs in 4 weeks.", "4"),  # no result says which
    ],
)
def test_without_such_a_result_the_last_number_counts(text: str, answer: str) -> None:
    assert extract_answer(text) == answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("It is $\\boxed{22}$.\n\nQuestion:\nFind $x$.\n\nSo \\boxed{3}", "22"),
        ("The answer is 8.\n\n**Question 2:** How many?\nThe answer is 9.", "8"),
        ("#### 7\n\nProblem: Ann has 4 pens.\n#### 4", "7"),
        ("Question: what is the answer?\n\nProblem: find it. The answer is 5.", "5"),
        ("\\boxed{2}? The problem: it is even. So \\boxed{3}", "3"),
    ],
)
def test_a_further_question_is_not_answered(text: str, answer: str) -> None:
    assert extract_answer(text) == answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("In total it takes 3 hours and 20 minutes.", "3 hours and 20 minutes"),
        ("So it costs 5 dollars, 20 cents.", "5 dollars, 20 cents"),
        ("He has 5 boxes and 20 pens.", "20"),
        ("The area is 25 cm\u00b2.", "25"),
        ("The gas is CO\u2082.", None),
        ("The answer is CO\u2082.", "CO_{2}"),
        ("The answer is either 3 or 4.", "3, 4"),
        ("The answer is 5! = 120.", "120"),
        ("The answer is 5! I checked it 2 times.", "5"),
        ("The answer is 0.333...", "0.333..."),
        ("The answer is 0.333... and so on.", "0.333..."),
        (r"The answer is 0.\overline{3}.", r"0.\overline{3}"),
        ("The answer is 5...", "5"),
    ],
)
def test_scripts_of_units_quantities_and_endless_decimals_are_whole(text: str, answer: str | None) -> None:
    assert extract_answer(text) == answer


def test_nothing_is_guessed_from_a_truncated_text() -> None:
    assert extract_answer("16 - 3 is 13, and 13", is_truncated=True) is None
    assert extract_answer("The answer is 4", is_truncated=True) is None  # perhaps 42
    assert extract_answer("The answer is 42. To check", is_truncated=True) == "42"
    assert extract_answer(r"\boxed{7} since 3", is_truncated=True) == "7"


@pytest.mark.parametrize(
    "text",
    ["", "   ", "I do not know.", r"The answer is within \boxed{}.", "AZYUK2A", r"\boxed{", "</think>"],
)
def test_a_text_without_an_answer_has_none(text: str) -> None:
    assert extract_answer(text) is None


@pytest.mark.parametrize(
    "piece", ["$", "\\[", "{", "\\", r"\boxed{", "answer is ", "1,", r"\boxed{1}, ", "<think>", "= 1 a "]
)
def test_hostile_texts_end_in_good_time(piece: str) -> None:
    text = piece * (100_000 // len(piece))
    assert len(extract_answer(text) or "") <= len(text)


def test_ten_thousand_boxes_are_one_long_list() -> None:
    boxes = "".join(rf"\boxed{{{number}}}" for number in range(10_000))
    assert extract_answer(boxes) == ", ".join(map(str, range(10_000)))
