"""What must hold of any answer text: nothing raises, normal forms stay, one sample's vote is that sample.

TTS_EVAL_NUM_RANDOM=30000 tries so many texts instead of a few hundred.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator

import pytest

from tts_eval.grading import exact
from tts_eval.grading.answers import extract_answer
from tts_eval.grading.grade import Verdict
from tts_eval.grading.grader import Grader
from tts_eval.grading.normal_form import normalize
from tts_eval.grading.pool import GradingPool

pytest.importorskip("hypothesis")
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

TEXTS_AN_EXAMPLE = 3
NUM_EXAMPLES = int(os.environ.get("TTS_EVAL_NUM_RANDOM", 300)) // TEXTS_AN_EXAMPLE
PIECES = r"""
    0 1 2 5 7 12 98 100 1,200 3.5 .5 x y R r i e n A B C D
    + - * / = < > ^ _ ( ) [ ] { } , ; : . ! ? % $ | ' \ & ~ #
    \frac \frac{1}{2} \sqrt \sqrt{3} \pi \text{ \mathbf{ \boxed{ \left( \right) \% \$ \, \cdot \times \circ
    \infty \pm \{ \} \begin{pmatrix} \end{pmatrix} \\ ^{2} ^\circ _5 \overline{3} \log \sin \ln
    cm kg hours and or if more less than square per dollars Option answer is negative true apples odd
    √ ⅓ ² ° π ≤ £ “ 🎉 é 中
"""
PIECES_OF_TEXT = [*PIECES.split(), "\u2212", "\u200b", "\n", " ", " "]
answers = st.lists(st.sampled_from(PIECES_OF_TEXT), min_size=1, max_size=9).map("".join) | st.text(
    max_size=12
)
runner = asyncio.Runner()


@pytest.fixture(scope="module")
def grading() -> Iterator[Grader]:
    """Give a grader on a loop of its own: hypothesis runs no coroutines."""
    with runner:
        grader = Grader(GradingPool(num_workers=2, deadline_s=4, step_timeout_s=1))
        runner.run(grader.__aenter__())
        yield grader
        runner.run(grader.__aexit__(None, None, None))


@settings(max_examples=NUM_EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.lists(answers, min_size=TEXTS_AN_EXAMPLE, max_size=TEXTS_AN_EXAMPLE))
def test_any_answers_are_graded_and_grouped(grading: Grader, texts: list[str]) -> None:
    async def check() -> None:
        stated = [index for index, text in enumerate(texts) if normalize(text)]
        for index, text in enumerate(texts):
            extract_answer(text)
            assert normalize(normalize(text)) == normalize(text)
            itself = await grading.grade(text, text)
            assert itself.verdict is (Verdict.EQUAL if index in stated else Verdict.UNEQUAL)
            assert await grading.group([text]) == ([[0]] if index in stated else [])
        one, other = (normalize(text) for text in texts[:2])
        await grading.grade(one, other)
        assert exact.compare(one, other) == exact.compare(other, one)
        groups = await grading.group(texts)
        assert sorted(index for group in groups for index in group) == stated
        for group in groups:
            same = {normalize(texts[index]) for index in group}
            assert all(index in group for index in stated if normalize(texts[index]) in same)

    runner.run(check())
