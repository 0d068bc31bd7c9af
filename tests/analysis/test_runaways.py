"""Loops, cut thinking and spending far above a level's, as a reader would mark them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd
import pytest

from tests.analysis.by_hand import Solved, frames_of
from tts_eval.analysis.runaways import runaways
from tts_eval.statistics.loops import times_repeated

WAIT = "Wait, let me check that again. "


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("The answer is 7: " + 5 * WAIT, pytest.approx(5, abs=0.05)),
        (5 * WAIT + "Wait, let me", pytest.approx(5 + 12 / 31)),  # the last one is torn
        (WAIT + "So it is 7.", 1),
        ("abcdefghij" * 3, 1),  # 30 characters are too few
        ("", 1),
    ],
)
def test_how_often_the_end_repeats_itself(text: str, times: float) -> None:
    assert times_repeated(text, min_chars=80) == times


def test_counting_is_no_loop() -> None:
    assert times_repeated(" ".join(f"{n} + 1 = {n + 1}" for n in range(200)), min_chars=80) == 1


@dataclass(frozen=True)
class Texts:
    """The two frames that are looked at."""

    problems: pd.DataFrame
    candidates: pd.DataFrame


def test_three_problems_of_forty_ran_away() -> None:
    solved = [Solved(True, tokens=100 + 5 * (n % 8), level=1 + n % 2) for n in range(40)]
    solved[6] = Solved(False, tokens=5000, level=1)
    frames = frames_of({"c": solved})
    traces: list[dict[str, Any]] = [
        {"run": "c/0", "problem": f"p{n}", "text": f"7 and {n}", "answer": "7", "finish": "end"}
        for n in range(40)
    ]
    traces[3] |= {"text": "Hm. " + 9 * WAIT, "finish": "length", "answer": None}
    traces[5] |= {"text": "and then", "finish": "length", "answer": None}
    found: Any = runaways(Texts(frames.problems, pd.DataFrame(traces))).set_index("problem")  # type: ignore[arg-type]
    assert found.index.tolist() == ["p3", "p5", "p6"]
    assert found["num_loops"].tolist() == [1, 0, 0]
    assert found["num_truncated"].tolist() == [1, 1, 0]
    assert found["is_spend_outlier"].tolist() == [False, False, True]
    assert found.loc["p6", "times_median"] > 40
