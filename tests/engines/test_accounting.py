"""What a run says it spent is what the engine says it did, and every time lies where it must."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from strategies.majority_vote import MajorityVote
from tests.running.cells import sums_cell
from tts_eval.engines.protocol import Engine
from tts_eval.grading.grader import Grader
from tts_eval.grading.pool import GradingPool
from tts_eval.llm.tokenizer import Codec
from tts_eval.model import Model
from tts_eval.rundir.directory import RunDirectory
from tts_eval.rundir.schema import plain
from tts_eval.running.cell import CheckedCell
from tts_eval.running.loads import Concurrent
from tts_eval.running.loop import run_cell

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_run_agrees_with_the_engines_own_counters(
    engine: Engine, tiny: Model, tmp_path: Path
) -> None:
    """Fill is stopped as the last problem is answered: what the engine had made of that is in no call."""
    sums, _ = sums_cell(tmp_path, strategy=MajorityVote(n=4, max_tokens=60), num_problems=12)
    cell = replace(sums.cell, model=tiny, load=Concurrent(8))
    before = engine.gauges().num_generated_tokens
    async with Grader(GradingPool()) as grader:
        summary = plain(await run_cell(CheckedCell(cell, sums.problems, Codec(tiny)), engine, grader))
    outcomes = RunDirectory(tmp_path).outcomes()
    calls = RunDirectory(tmp_path).calls(outcomes)

    generated = summary["tokens"]["generated"]
    counted = engine.gauges().num_generated_tokens - before
    assert summary["engine_generated_tokens"] == counted
    filled, stopped = summary["fill"]["num_generated_tokens"], summary["fill"]["num_stopped"]
    assert generated + filled <= counted <= generated + filled + stopped * 4 * 60
    assert generated == sum(call.num_generated_tokens for call in calls)
    assert generated == sum(c.num_tokens for o in outcomes if o.attempt for c in o.attempt.candidates)
    assert summary["tokens"]["prompt"] == sum(call.num_prompt_tokens for call in calls)
    assert len(calls) == 12 * 4
    for outcome in outcomes:
        own = [call for call in calls if call.problem_id == outcome.problem_id]
        longest_s = max(call.finished_s - call.submitted_s for call in own)
        assert longest_s <= outcome.spend.tta_s <= summary["wall_s"]
        assert outcome.spend.ttft_s is not None
        assert 0 < outcome.spend.ttft_s <= outcome.spend.tta_s
        for call in own:
            parts_s = (call.queue_s or 0) + (call.prefill_s or 0) + (call.decode_s or 0)
            assert 0 < parts_s <= call.finished_s - call.submitted_s + 0.005  # two clocks
    assert 0 < summary["kv_cache_usage_peak"] <= 1
