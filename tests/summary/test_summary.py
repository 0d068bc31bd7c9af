"""The summary's figures that need more than counting."""

from dataclasses import replace
from pathlib import Path

from tests.running.cells import sums_cell
from tts_eval.grading.grader import Grader
from tts_eval.grading.pool import GradingPool
from tts_eval.measuring.architecture_reader import read_architecture
from tts_eval.rundir.schema import plain
from tts_eval.running.loop import run_cell
from tts_eval.summary.flops_formulas import call_flops

KEYS = [
    "schema_version",
    "model",
    "task",
    "strategy",
    "load",
    "num_problems",
    "num_correct",
    "num_undecided",
    "num_failed",
    "accuracy",
    "accuracy_ci95",
    "tokens",
    "ttft_s",
    "ttfat_s",
    "tta_s",
    "tpot_excl_first_s",
    "queue_s",
    "problems_per_s",
    "generated_tokens_per_s",
    "flops_per_problem",
    "usd_per_generated_token",
    "usd_per_problem",
    "usd_per_correct",
    "usd_per_gpu_hour",
    "num_gpus",
    "kv_cache_usage_peak",
    "num_preemptions",
    "prefix_cache_hit_rate",
    "mean_acceptance_length",
    "startup_s",
    "wall_s",
]
LLAMA = {
    "model_type": "llama",
    "hidden_size": 8,
    "intermediate_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "vocab_size": 32,
}


async def test_every_promised_key_is_there(tmp_path: Path) -> None:
    checked, engine = sums_cell(tmp_path)
    summary = plain(await run_cell(checked, engine, Grader(GradingPool())))
    assert [key for key in KEYS if key not in summary] == []
    assert set(summary["tokens"]) == {
        "prompt",
        "cached",
        "generated",
        "thinking",
        "verifier",
        "draft",
        "by_role",
    }
    percentiles = {"p50", "p90", "p95", "p99", "p50_ci95", "p99_ci95"}
    assert set(summary["tta_s"]) == {"n", "num_censored", "mean", "std", *percentiles}


async def test_flops_are_those_of_the_calls_where_the_architecture_is_known(tmp_path: Path) -> None:
    """Each sum is one call: four tokens of prompt, five generated."""
    checked, engine = sums_cell(tmp_path / "known")
    known = plain(await run_cell(replace(checked, architecture=LLAMA), engine, Grader(GradingPool())))
    tokens = {"num_prompt_tokens": 4, "num_cached_tokens": 0, "num_generated_tokens": 5}
    expected = call_flops(read_architecture(LLAMA), **tokens)
    assert known["flops_per_problem"] == {"policy": expected, "verifier": 0, "draft": 0, "total": expected}

    checked, engine = sums_cell(tmp_path / "unknown")
    unknown = plain(await run_cell(checked, engine, Grader(GradingPool())))
    assert unknown["flops_per_problem"]["total"] is None
