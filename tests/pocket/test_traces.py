"""Training text: every trace is right, the gap has no loss, and no evaluation problem is in it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from pocket import tokenizer as tok
from pocket.gap import gap_table, no_gap
from pocket.language_model import LONGEST, trace_length
from pocket.traces import Batch, cut_traces, drills, merge, plain_traces, rechecked_traces, twin_traces
from tasks.pocket import LARGEST_FACTOR, check_trace, parse_question, product, splits_of

TOKENIZER = tok.build_tokenizer()


def texts(batch: Batch) -> list[tuple[str, str, str]]:
    """Return question, thinking and answer of each row."""
    rows = []
    for row in batch.ids.tolist():
        prompt, _, response = TOKENIZER.decode(row).partition("<think>")
        thinking, _, answer = response.partition("</think>")
        question = prompt.removeprefix("<|user|>").removesuffix("<|assistant|>")
        rows.append((question, thinking, answer.strip().removeprefix("\\boxed{").split("}")[0]))
    return rows


@pytest.mark.parametrize("size", [2, 3, 7, LONGEST])
@pytest.mark.parametrize("draw", [plain_traces, twin_traces])
def test_every_plain_trace_is_right(size: int, draw: Callable[..., Batch]) -> None:
    batch = draw(np.random.default_rng(size), 20, size, gap_table())
    assert batch.ids.shape[1] == trace_length(size)
    for question, thinking, answer in texts(batch):
        verdicts = check_trace(question, thinking)
        assert len(verdicts) == size - 1 and all(verdict.right for verdict in verdicts)
        assert int(answer) == product(parse_question(question))


def share_of_twins(batch: Batch) -> float:
    lists = [[step.partition(":")[2].split() for step in t.split("\n\n")[:-1]] for _, t, _ in texts(batch)]
    return float(np.mean([len(set(numbers)) < len(numbers) for row in lists for numbers in row]))


def test_twin_traces_repeat_numbers_and_do_not_teach_what_to_merge() -> None:
    plain, twins = (
        draw(np.random.default_rng(0), 40, 8, gap_table()) for draw in (plain_traces, twin_traces)
    )
    assert share_of_twins(twins) > 2 * share_of_twins(plain) > 0
    first = plain.ids[0].tolist().index(tok.THINK) + 1
    assert not twins.choices and first in plain.choices
    assert plain.choices[first].tolist() == plain.ids[:, 2:9].tolist()
    assert (plain.weights[:, first] == 0).all() and (twins.weights[:, first] == 0).all()


def test_every_other_drill_is_of_what_is_asked_for() -> None:
    batch = drills(np.random.default_rng(0), 5, 8, no_gap(), often=gap_table())
    operands = np.maximum(batch.ids[:, 1::6], batch.ids[:, 3::6]) - tok.NUMBER
    assert (operands[:, 1::2] > LARGEST_FACTOR).all() and (operands[:, ::2] <= LARGEST_FACTOR).any()


def test_a_second_pass_is_right_and_the_first_errs_only_in_the_gap() -> None:
    batch = rechecked_traces(np.random.default_rng(0), 200, 9, gap_table())
    for question, thinking, answer in texts(batch):
        *first, last = thinking.split("Wait")
        assert all(verdict.right for verdict in check_trace(question, last))
        assert int(answer) == product(parse_question(question))
        for passed in first:
            for verdict in check_trace(question, passed):
                a, b = (int(number) for number in verdict.text.split("=")[0].split("*"))
                assert verdict.right or (verdict.error == "product" and max(a, b) > LARGEST_FACTOR)


@pytest.mark.parametrize("draw", [plain_traces, rechecked_traces])
def test_withheld_results_have_no_loss_and_all_others_do(draw: Callable[..., Batch]) -> None:
    batch = draw(np.random.default_rng(1), 100, 8, gap_table())
    results = np.nonzero(batch.ids[0] == tok.EQUALS)[0] + 1
    a, b = batch.ids[:, results - 4] - tok.NUMBER, batch.ids[:, results - 2] - tok.NUMBER
    withheld = np.maximum(a, b) > LARGEST_FACTOR
    assert withheld.any() and not withheld.all()
    assert ((batch.weights[:, results] == 0) == withheld).all()


def test_the_verifiers_see_the_whole_table() -> None:
    batch = plain_traces(np.random.default_rng(1), 100, 8, no_gap())
    assert (batch.weights[batch.ids == tok.EQUALS] > 0).all()
    assert (batch.weights[:, 1:][batch.ids[:, :-1] == tok.EQUALS] > 0).all()


def test_a_cut_trace_never_answers_from_the_gap() -> None:
    rng, gap = np.random.default_rng(2), gap_table()
    for _ in range(60):
        batch = cut_traces(rng, 40, 4, gap)
        at = int(np.nonzero(batch.ids[0] == tok.BOXED)[0][0]) + 1
        for row, weights, (question, thinking, answer) in zip(
            batch.ids, batch.weights, texts(batch), strict=True
        ):
            assert row[at] == tok.NUMBER + int(answer) == tok.NUMBER + product(parse_question(question))
            left = list(parse_question(question))
            for step in thinking.split("\n\n")[:-1]:  # the last of them may have been cut short
                numbers = [int(number) for number in step.partition(":")[2].split()]
                left = numbers if len(numbers) == len(left) - 1 else left
            assert weights[at] == (0.0 if max(left) > LARGEST_FACTOR else 1.0)


@pytest.mark.parametrize("draw", [plain_traces, twin_traces, rechecked_traces, cut_traces])
def test_training_problems_are_all_of_the_training_split(draw: Callable[..., Batch]) -> None:
    rng = np.random.default_rng(3)
    for size in (2, 3, 5, 12):
        batch = draw(rng, 50, size, gap_table())
        assert (splits_of(batch.ids[:, 2 : 2 + size] - tok.NUMBER) == 0).all()


def test_merge_replaces_two_neighbours() -> None:
    lists = np.array([[1, 2, 3, 4], [5, 6, 7, 8]])
    assert merge(lists, np.array([0, 2]), np.array([20, 30])).tolist() == [[20, 3, 4], [5, 6, 30]]
