"""Labels: they agree with the exact check of the task, and every kind of corruption is one."""

from __future__ import annotations

import numpy as np
import pytest

from pocket import tokenizer as tok
from pocket.corruptions import CORRUPTIONS, synthetic_trace
from pocket.figures import step_verdicts
from pocket.gap import gap_table
from pocket.labels import label_trace, list_after, right_steps
from tasks.pocket import check_step, check_trace, question_of

TOKENIZER = tok.build_tokenizer()
FACTORS = (12, 5, 33, 7)
NAMES = {"swapped": {"list"}, "twin": {"added", "list", "dropped"}}


@pytest.mark.parametrize("kind", CORRUPTIONS)
def test_a_corruption_is_an_error_of_its_kind(kind: str) -> None:
    rng, found = np.random.default_rng(0), 0
    numbers = (12, 5, 33, 12, 7) if kind == "twin" else FACTORS
    for _ in range(100):
        step = CORRUPTIONS[kind](rng, list(numbers), int(rng.integers(3)), gap_table())
        if step is None or step in right_steps(numbers):
            continue
        error, _ = check_step(TOKENIZER.decode(step), numbers)
        found += error in NAMES.get(kind, {kind})
    assert found >= (50 if kind == "twin" else 80)


def test_nothing_is_taken_for_another_where_all_numbers_differ() -> None:
    assert CORRUPTIONS["twin"](np.random.default_rng(0), list(FACTORS), 1, gap_table()) is None


def test_labels_agree_with_the_check_up_to_the_first_error() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        trace = synthetic_trace(rng, 7, gap_table())
        factors = tuple(token - tok.NUMBER for token in trace.ids[2 : trace.ids.index(tok.MOD)])
        response = trace.ids[trace.ids.index(tok.THINK) + 1 :]
        thinking = TOKENIZER.decode(response[: response.index(tok.END_THINK)])
        ended = thinking[: thinking.rindex("\n\n") + 2] if "\n\n" in thinking else ""
        verdicts = [verdict.right for verdict in check_trace(question_of(factors), ended)]
        assert [right for right, _ in step_verdicts(factors, response)] == verdicts
        labels = [label for token, label in zip(trace.ids, trace.labels, strict=True) if token == tok.SEP]
        assert labels[:-1] == [int(all(verdicts[: i + 1])) for i in range(len(verdicts))]
        assert labels[-1] <= int(trace.is_correct)


def test_what_may_follow_has_every_right_token_and_no_first_wrong_one() -> None:
    rng, errors = np.random.default_rng(0), 0
    for _ in range(200):
        trace = synthetic_trace(rng, 7, gap_table())
        end = trace.labels.index(0) if 0 in trace.labels else len(trace.ids)
        known = [place for place in range(end) if trace.labels[place] == 1 and trace.options[place]]
        assert all(trace.ids[place] in trace.options[place] for place in known)
        errors += end < len(trace.ids)
        assert end == len(trace.ids) or trace.ids[end] not in trace.options[end]
    assert errors > 50


def labels_of(text: str, factors: tuple[int, ...] = FACTORS) -> list[int]:
    trace = label_trace(factors, TOKENIZER.encode(text))
    assert trace.ids[-1] == tok.SEP
    return trace.labels[trace.ids.index(tok.THINK) + 1 :]


def test_a_trace_is_wrong_from_its_first_wrong_token_on() -> None:
    text = (
        " 12 * 5 = 14 : 14 33 7\n\n 14 * 33 = 39 : 39 7\n\n 39 * 7 = 38 : 38\n\n</think>\\boxed{ 38}<|end|>"
    )
    assert labels_of(text) == [1] * 4 + [0] * 29


THINKING = " 12 * 5 = 13 : 13 33\n\n 13 * 33 = 6 : 6\n\n</think>\\boxed{"


@pytest.mark.parametrize(
    ("end", "labels"),
    [
        (" 6}<|end|>", [1, 1, 1, 1]),
        (" 6}", [1, 1, 1]),
        (" 7}", [0, 0, 0]),
        ("", [0]),  # no answer
        (" 6", [1, 1]),
    ],
)
def test_the_answer_has_a_label_of_its_own(end: str, labels: list[int]) -> None:
    assert labels_of(THINKING + end, (12, 5, 33)) == [1] * 19 + labels


def test_an_early_answer_is_right_when_the_product_is() -> None:
    early = " 12 * 5 = 13 : 13 33\n\n</think>\\boxed{"
    assert labels_of(early + " 6}", (12, 5, 33))[-1] == 1
    assert labels_of(early + " 13}", (12, 5, 33))[-1] == 0


def test_wait_goes_back_to_the_whole_list() -> None:
    response = TOKENIZER.encode(" 12 * 5 = 13 : 13 33 7\n\nWait 5 * 33 = 24 : 12 24 7\n\n")
    trace = label_trace(FACTORS, response)
    assert [label for label in trace.labels if label != -1] == [1] * 21
    first_wrong = " 12 * 5 = 14 : 14 33 7\n\nWait 5 * 33 = 24 : 12 24 7\n\n"
    assert labels_of(first_wrong) == [1] * 4 + [0] * 6 + [1] * 11


def test_an_unreadable_step_leaves_no_list() -> None:
    assert list_after(TOKENIZER.encode(" 12 * 5 = 13\n\n")) is None
    assert list_after(TOKENIZER.encode(" 12 * 5 = 13 : 13 * 7\n\n")) is None
    assert list_after(TOKENIZER.encode(" 12 * 5 = 13 : 13 7\n\n")) == [13, 7]
