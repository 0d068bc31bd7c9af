"""Labelled solutions in every layout, by hand and on public files where these are at hand."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchmarks.worked_steps import load, math_shepherd, prm800k, processbench

HERE = [parent / "shared" / "data" for parent in Path(__file__).resolve().parents]
FOLDERS = [Path(os.environ["TTS_EVAL_DATA"])] if "TTS_EVAL_DATA" in os.environ else HERE


def test_processbench_rows() -> None:
    row = {"problem": "1+1?", "steps": ["one", "two"], "label": 1}

    assert (processbench(row).steps, processbench(row).first_wrong) == (("one", "two"), 1)


def test_math_shepherd_marks_stand_at_the_ends_of_lines() -> None:
    row = {
        "input": "1+1? Step 1: It is 2. ки\nStep 2: So 3. The answer is: 3 ки",
        "label": "1+1? Step 1: It is 2. +\nStep 2: So 3. The answer is: 3 -",
    }
    worked = math_shepherd(row)

    assert worked.question == "1+1?"
    assert worked.steps == ("Step 1: It is 2.", "Step 2: So 3. The answer is: 3")
    assert worked.first_wrong == 1


def test_prm800k_ends_with_the_first_wrong_step() -> None:
    def step(*ratings: int, chosen: int | None = 0) -> dict[str, object]:
        offered = [{"text": f"rated {rating}", "rating": rating} for rating in ratings]
        return {"completions": offered, "chosen_completion": chosen, "human_completion": None}

    def worked(*steps: dict[str, object]) -> tuple[int, int]:
        read = prm800k({"question": {"problem": "1+1?"}, "label": {"steps": list(steps)}})
        return len(read.steps), read.first_wrong

    assert worked(step(1), step(-1, 1, chosen=1), step(1)) == (3, -1)
    assert worked(step(1), step(-1, 1, chosen=None), step(1)) == (2, 1)
    assert worked(step(1), step(chosen=None)) == (1, -1)


@pytest.mark.parametrize(
    ("file", "layout", "num_wrong"),
    [
        ("processbench_gsm8k_first100.json", "processbench", 100),
        ("openr_samples_math-shepherd.jsonl", "math_shepherd", None),
        ("openr_samples_prm800k.jsonl", "prm800k", 1),
    ],
)
def test_public_files_are_read(file: str, layout: str, num_wrong: int | None) -> None:
    found = [folder / file for folder in FOLDERS if (folder / file).is_file()]
    if not found:
        pytest.skip(f"{file} is not here; set TTS_EVAL_DATA to the folder that has it")
    worked = load(found[0], layout)

    assert all(w.question and w.steps and -1 <= w.first_wrong < len(w.steps) for w in worked)
    if num_wrong is not None:
        assert sum(w.first_wrong >= 0 for w in worked) == num_wrong
