"""Labels: they agree with the exact check of the task, and every kind of corruption is one."""

from __future__ import annotations

import numpy as np
import pytest

from pocket import tokenizer as tok
from pocket.figures import step_verdicts
from pocket.gap import gap_table
from pocket.labels import CORRUPTIONS, label_trace, list_after, right_steps, synthetic_trace
from tasks.pocket import check_step, check_trace, question_of

TOKENIZER = tok.build_tokenizer()
FACTORS = (12, 5, 33, 7)
NAMES = {"swapped": "list"}


@pytest.mark.parametrize("kind", CORRUPTIONS)
def test_a_corruption_is_an_error_of_its_kind(kind: str) -> None:
    rng, found = np.random.default_rng(0), 0
    for _ in range(100):
        step = CORRUPTIONS[kind](rng, list(FACTORS), int(rng.integers(3)), gap_table())
        if step is None or step in right_steps(FACTORS):
            continue
        error, _ = check_step(TOKENIZER.decode(step), FACTORS)
        found += error == NAMES.get(kind, kind)
    assert found >= 80


def test_labels_agree_with_the_check() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        trace = synthetic_trace(rng, 7, gap_table())
        factors = tuple(token - tok.NUMBER for token in trace.ids[2 : trace.ids.index(tok.MOD)])
        response = trace.ids[trace.ids.index(tok.THINK) + 1 :]
        thinking = TOKENIZER.decode(response[: response.index(tok.END_THINK)])
        verdicts = check_trace(question_of(factors), thinking)
        labels = [label for token, label in zip(trace.ids, trace.labels, strict=True) if token == tok.SEP]
        assert labels == [int(verdict.right) for verdict in verdicts]
        assert [right for right, _ in step_verdicts(factors, response)] == [v.right for v in verdicts]


def test_a_step_is_wrong_from_its_first_wrong_token_on() -> None:
    response = TOKENIZER.encode(
        " 12 * 5 = 14 : 14 33 7\n\n 14 * 33 = 39 : 39 7\n\n 39 * 7 = 38 : 38\n\n</think>\\boxed{ 38}"
    )
    trace = label_trace(FACTORS, [*response, tok.EOS_ID])
    labels = trace.labels[trace.ids.index(tok.THINK) + 1 :]
    assert labels[:10] == [1, 1, 1, 1, 0, 0, 0, 0, 0, 0]
    assert set(labels[10:27]) == {1} and labels[27:] == [-1] * 5
    assert not trace.is_correct


def test_wait_goes_back_to_the_whole_list() -> None:
    response = TOKENIZER.encode(" 12 * 5 = 13 : 13 33 7\n\nWait 5 * 33 = 24 : 12 24 7\n\n")
    trace = label_trace(FACTORS, response)
    assert [label for label in trace.labels if label != -1] == [1] * 20


def test_an_unreadable_step_leaves_no_list() -> None:
    assert list_after(TOKENIZER.encode(" 12 * 5 = 13\n\n")) is None
    assert list_after(TOKENIZER.encode(" 12 * 5 = 13 : 13 * 7\n\n")) is None
    assert list_after(TOKENIZER.encode(" 12 * 5 = 13 : 13 7\n\n")) == [13, 7]
