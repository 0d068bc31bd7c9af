"""The FLOPs of problems on the frontier's axis are those of the summary, whatever computed them."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.running.cells import Calculator, sums_cell
from tts_eval.analysis.flops import flops_by_problem
from tts_eval.analysis.frames import load
from tts_eval.engines.protocol import Drafter, RecordedDrafting
from tts_eval.grading.grader import Grader
from tts_eval.grading.pool import GradingPool
from tts_eval.llm.scripted import WordCodec
from tts_eval.requests import Completion, Request
from tts_eval.running.loop import run_cell

CONFIG = {
    "model_type": "llama",
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "vocab_size": 100,
}
DRAFT = RecordedDrafting(Drafter.MODEL, 3, {**CONFIG, "num_hidden_layers": 1})


@dataclass
class Drafting(Calculator):
    """Drafts three tokens three times, and accepts one of the nine."""

    async def generate(self, request: Request) -> Completion:
        completion = await super().generate(request)
        return replace(completion, num_drafts=3, num_draft_tokens=9, num_accepted_tokens=1)


async def drafting_run(folder: Path) -> Path:
    checked, engine = sums_cell(folder, engine=Drafting({}, codec=WordCodec()))
    checked = replace(checked, architecture=CONFIG, drafting=DRAFT)
    await run_cell(checked, engine, Grader(GradingPool()))
    return folder


async def test_what_drafts_inside_the_engine_is_on_the_axis(tmp_path: Path) -> None:
    run = await drafting_run(tmp_path)
    summary = json.loads((run / "summary.json").read_text())["flops_per_problem"]
    shares = flops_by_problem(load(run))

    assert summary["draft"] > 0
    assert shares.sum() == pytest.approx(3 * summary["total"])
    assert set(shares) == {summary["total"]}  # three problems alike


async def test_a_summary_that_says_otherwise_is_not_drawn(tmp_path: Path) -> None:
    run = await drafting_run(tmp_path)
    summary = json.loads((run / "summary.json").read_text())
    summary["flops_per_problem"]["total"] *= 1.01
    (run / "summary.json").write_text(json.dumps(summary))

    with pytest.raises(ValueError, match=r"add up to .*, its summary has .*tts_eval\.audit"):
        flops_by_problem(load(run))
