"""Plans over lengths, degrees and models, and their figures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.planning.nodes import SETTINGS, hardware_named, node_of
from tests.planning.runs import TRUTH
from tests.planning.test_calibration import sweep
from tts_eval.planning.calibration import calibrate
from tts_eval.planning.calibration_table import calibration_rows
from tts_eval.planning.plan_settings import PlanSettings
from tts_eval.planning.sweeps import known_models, over_degrees, over_lengths, over_models
from tts_eval.planning.workload import Workload

QUICK = replace(SETTINGS, simulate=False, workload=Workload(num_problems=4000, reasoning_tokens=4000))


def test_past_the_cliff_throughput_of_every_plan_falls_with_length() -> None:
    rows = over_lengths(QUICK, node_of("r1_distill_qwen_32b"), hardware_named("h200"))

    plans = {row["plan"] for row in rows}
    assert len(plans) == 5
    for plan in plans:
        own = [row for row in rows if row["plan"] == plan]
        lengths = [row["reasoning_tokens"] for row in own]
        assert lengths == sorted(lengths) == [500, 1000, 2000, 4000, 8000, 16000, 32000]
        rates = [
            row["generated_tokens_per_s"] for row in own if row["reasoning_tokens"] > row["cliff_tokens"]
        ]
        assert len(rates) >= 3
        assert rates == sorted(rates, reverse=True)


def test_eager_launches_gain_less_from_more_gpus() -> None:
    rows = over_degrees(node_of("r1_distill_qwen_14b"), context=1000)

    speed_ups = {(row["launches"], row["tensor_parallel_size"]): row["speed_up"] for row in rows}
    assert speed_ups["CUDA graphs", 1] == speed_ups["eager", 1] == 1
    assert speed_ups["CUDA graphs", 8] > speed_ups["CUDA graphs", 4] > speed_ups["eager", 4] > 1


def test_a_model_too_large_for_one_gpu_is_compared_to_its_smallest_plan() -> None:
    rows = over_degrees(node_of("r1_distill_llama_70b"), context=1000)

    assert {row["baseline"] for row in rows} == {2}


def test_the_best_plan_leaves_data_parallel_as_models_grow() -> None:
    rows = over_models(QUICK, hardware_named("h200"), node_of("qwen3_8b").timings)
    best = {row["model"]: row["plan"] for row in rows if row["num_gpus"] == 8}

    assert len(best) == len(known_models())
    assert best["qwen3_0_6b"] == "DP8"
    assert best["llama_3_1_405b"] == "TP8"
    assert {row["model"] for row in rows if row["num_gpus"] == 1}.isdisjoint({"deepseek_r1"})


def test_figures_are_drawn_beside_their_data(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    from tts_eval.planning import figures

    settings: PlanSettings = replace(QUICK, num_gpus=2)
    node, hardware = node_of("r1_distill_llama_8b"), hardware_named("h200")
    figures.draw_lengths(tmp_path, over_lengths(settings, node, hardware), title="modelled: a")
    figures.draw_degrees(tmp_path, over_degrees(node, context=1000), title="modelled: b")
    models = over_models(settings, hardware, node.timings)
    figures.draw_crossover(tmp_path, models, num_gpus=2, title="modelled: c")
    figures.draw_capacity(tmp_path, models, title="modelled: d")
    figures.draw_capacity(tmp_path / "nowhere", [], title="nothing to draw")
    figures.draw_calibration(tmp_path, calibration_rows(calibrate(sweep(), TRUTH)))

    names = {f"{name}.{suffix}" for name in FIGURES for suffix in ("csv", "png", "pdf")}
    assert {file.name for file in tmp_path.iterdir()} == names
    assert (tmp_path / "cliff.csv").read_text().startswith("provenance,plan,reasoning_tokens")


FIGURES = ("cliff", "tensor_parallel", "crossover", "capacity", "calibration")
