"""What the check's table shows of runs, and what it holds to be wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.summary.made import spread, summary_of
from tts_eval.checking.part import Fault
from tts_eval.checking.readings import energy, of_runs, preempted
from tts_eval.rundir.directory import RunDirectory
from tts_eval.summary.summary import SUMMARY


def write_run(folder: Path, **figures: object) -> None:
    known = {"name": folder.name, "generated_tokens_per_s": 100.0, "ttft_s": spread(p50=0.5)}
    folder.mkdir(parents=True)
    RunDirectory(folder).write(SUMMARY, summary_of(**known | figures))


def write_gauges(folder: Path, *, watts: float | None, counted: float | None) -> None:
    folder.mkdir(parents=True)
    lines = [
        {"at_s": t, "gpu_power_w": watts, "gpu_joules": None if counted is None else 7.0 + counted * t}
        for t in (0.0, 1.0, 3.0)
    ]
    (folder / "gauges.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def test_runs_are_read_by_name(tmp_path: Path) -> None:
    write_run(tmp_path / "a", name="+experiment/check=k1,model.name=r1")
    write_run(tmp_path / "b", name="+experiment/check=k64,model.name=r1", generated_tokens_per_s=3000.0)

    assert of_runs("tokens_per_s", "mfu")(tmp_path) == {
        "k1 tokens_per_s": 100.0,
        "k1 mfu": None,
        "k64 tokens_per_s": 3000.0,
        "k64 mfu": None,
    }


def test_a_failed_problem_and_no_run_are_faults(tmp_path: Path) -> None:
    with pytest.raises(Fault, match="no run has a summary"):
        of_runs("tokens_per_s")(tmp_path)
    write_run(tmp_path / "run", num_failed=3)
    with pytest.raises(Fault, match="3 problems failed") as fault:
        of_runs("ttft_p50_s")(tmp_path)
    assert fault.value.figures == {"ttft_p50_s": 0.5}


def test_a_cache_that_preempts_nothing_was_not_small(tmp_path: Path) -> None:
    write_run(tmp_path / "run")
    with pytest.raises(Fault, match="preempted nothing"):
        preempted(tmp_path)


def test_the_energy_counter_is_held_against_the_power(tmp_path: Path) -> None:
    write_gauges(tmp_path / "right", watts=300.0, counted=295.0)
    found = energy(tmp_path / "right")
    assert found["counter_joules"] == pytest.approx(885.0)
    assert found["integral_over_counter"] == pytest.approx(300 / 295)

    write_gauges(tmp_path / "wrong", watts=300.0, counted=200.0)
    with pytest.raises(Fault, match=r"differ by \+50%"):
        energy(tmp_path / "wrong")
    write_gauges(tmp_path / "uncounted", watts=300.0, counted=None)
    with pytest.raises(Fault, match="counts no energy"):
        energy(tmp_path / "uncounted")
    write_gauges(tmp_path / "mute", watts=None, counted=None)
    with pytest.raises(Fault, match="no power was read"):
        energy(tmp_path / "mute")
