"""`python -m tts_eval.plan` from arguments to files, and its refusals in one line."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from tests.planning.runs import facts, played
from tests.planning.test_calibration import sweep, written
from tests.rundir.manifests import start
from tts_eval.plan import main
from tts_eval.planning.workload import Workload

Program = Callable[..., int]


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """Return what runs the program in an empty folder, its files going to `out`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")

    def run(*arguments: str) -> int:
        monkeypatch.setattr("sys.argv", ["tts_eval.plan", "hydra.run.dir=out", *arguments])
        return main()

    return run


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(newline="") as lines:
        return list(csv.DictReader(lines))


def test_plans_are_printed_and_kept(
    program: Program, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workload = ("plan.workload.num_problems=40", "plan.workload.reasoning_tokens=8000")
    assert program("model=r1_distill_llama_70b", "hardware=h200", *workload) == 0

    printed = capsys.readouterr().out
    assert "r1_distill_llama_70b on 8 x NVIDIA H200 SXM" in printed
    assert "refused DP8: does not fit" in printed
    plans = rows(tmp_path / "out" / "plans.csv")
    assert len(plans) == 9
    assert {row["provenance"] for row in plans} == {"modelled"}
    document = json.loads((tmp_path / "out" / "plan.json").read_text())
    assert document["provenance"] == "modelled"
    assert document["is_calibrated"] is False
    assert document["timings"]["matrix_floor_us"] == 3.17
    assert document["settings"]["workload"]["reasoning_tokens"] == 8000
    assert document["refused"][0]["plan"] == "DP8"


def test_a_constant_is_given_on_the_command_line(program: Program, tmp_path: Path) -> None:
    quick = ("plan.simulate=false", "plan.num_gpus=2")
    assert program(*quick, "hardware.timings.all_reduce_graph_us.2=99", "+hardware.timings.misc_us=1") == 0

    timings = json.loads((tmp_path / "out" / "plan.json").read_text())["timings"]
    assert (timings["all_reduce_graph_us"]["2"], timings["misc_us"]) == (99, 1)


def test_constants_are_fitted_to_runs_and_a_frontier_is_planned(
    program: Program, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for run in sweep()[:3] + sweep()[4:7]:
        written(tmp_path / "runs", run)
    for name, samples, num_correct in (("one", 1, 5), ("four", 4, 9)):
        jobs = Workload(num_problems=10, prompt_tokens=10, reasoning_tokens=50, samples=samples).jobs()
        written(tmp_path / "cells", played(name, jobs, in_flight=4, num_correct=num_correct))
    here = ("model=pocket", "hardware=cpu", "plan.num_gpus=1", "plan.kv_cache_memory_bytes=8000000")
    small = ("plan.workload.num_problems=4", "plan.workload.reasoning_tokens=100")

    assert program(*here, *small, "plan.calibrate=runs", "plan.accuracy_from=cells") == 0

    printed = capsys.readouterr().out
    assert "single stream, held out" in printed
    assert "accuracy measured, all else modelled; 1 x CPU" in printed
    assert len(rows(tmp_path / "out" / "calibration.csv")) == 6
    assert [row["cell"] for row in rows(tmp_path / "out" / "planned_frontier.csv")] == ["four", "one"]
    document = json.loads((tmp_path / "out" / "plan.json").read_text())
    assert document["is_calibrated"] is True
    assert document["timings"]["host_step_us"] == pytest.approx(2500, rel=0.1)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["model=nope"], "'model/nope' does not exist; allowed: deepseek_r1, "),
        (["plan.num_gpu=8"], "plan has no setting 'num_gpu'; allowed: num_gpus, "),
        (["plan.num_gpus=0"], "plan.num_gpus must be a whole number from 1, not 0"),
        (["plan.weights=int3"], "plan.weights must be one of float32, bf16, fp8, int4, mxfp4, not 'int3'"),
        (["plan.rank_by=speed"], "plan.rank_by must be one of generated_tokens_per_s, tta_p50_s, "),
        (
            ["plan.rank_by=tta_p50_s", "plan.simulate=false"],
            "plan.rank_by=tta_p50_s needs plan.simulate=true",
        ),
        (["plan.calibrate=nowhere"], "plan.calibrate=nowhere is no folder"),
        (["plan.speculation.acceptance_length=3"], "acceptance_length must be a number from 1 to 1, not 3"),
        (["hardware=cpu", "model=pocket"], "the memory of CPU is not known: give plan.kv_cache_memory_bytes"),
        (
            ["hardware=cpu", "model=pocket", "plan.kv_cache_memory_bytes=1000000"],
            "the speeds of CPU are not known (bandwidth_gb_per_s, bf16_tflops)",
        ),
    ],
)
def test_a_mistake_is_told_in_one_line_and_leaves_nothing(
    program: Program,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    complaint: str,
) -> None:
    assert program(*arguments) == 1

    [line] = capsys.readouterr().err.splitlines()
    assert complaint in line
    assert list(tmp_path.iterdir()) == []


def test_runs_of_another_model_or_machine_are_refused(
    program: Program, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written(tmp_path / "runs", sweep()[0])
    quick = ("plan.simulate=false", "plan.num_gpus=1", "model=qwen3_8b")

    assert program(*quick, "plan.calibrate=runs") == 1
    assert "single-100 was measured on CPU, not on NVIDIA H200 SXM" in capsys.readouterr().err
    assert program(*quick, "plan.accuracy_from=runs") == 1
    assert "single-100 is a run of pocket, not of qwen3_8b" in capsys.readouterr().err


def test_runs_with_drafts_are_not_fitted_to(
    program: Program, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = sweep()[0]
    settings = {**run.manifest.sessions[0].engine.settings, "speculation": "ngram"}
    drafting = msgspec.structs.replace(run.manifest, sessions=[start(engine=facts(settings))])
    written(tmp_path / "runs", replace(run, manifest=drafting))

    assert program("model=pocket", "hardware=cpu", "plan.calibrate=runs") == 1
    assert "single-100 drafts tokens; give runs with speculation=none" in capsys.readouterr().err
