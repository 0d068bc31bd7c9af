"""A machine's check is bounded, survives what its parts do, and says honestly what it left out."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from tts_eval import check_gpu
from tts_eval.checking.part import Fault, Figures, Part, Result, Status
from tts_eval.checking.planned_parts import Scale, parts
from tts_eval.checking.session import FILE, check, print_results

PROGRAMS = {  # modules of our own, run by name as the real parts are
    "ends": "",
    "fails": "print('first'); raise SystemExit('no kernel image for this GPU')",
    "hangs": "import subprocess, sys, time; subprocess.Popen(['sleep', '600']); time.sleep(600)",
}


@pytest.fixture
def part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Part]:
    """Return what makes a part of one of the programs."""
    for name, text in PROGRAMS.items():
        (tmp_path / f"{name}_part.py").write_text(text)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def make(program: str, **settings: object) -> Part:
        plain = Part(
            name=program, shows="", commands=[(f"{program}_part",)], read=lambda _: {"x": 1.5}, limit_s=60
        )
        return replace(plain, **settings)  # type: ignore[arg-type]

    return make


def run(folder: Path, *each: Part, seconds: float = 300, **settings: object) -> dict[str, Result]:
    chosen: dict[str, object] = {"num_devices": 1, "on_cpu": False, "say": lambda line: None} | settings
    results = check(each, folder, seconds=seconds, **chosen)  # type: ignore[arg-type]
    return {result.name: result for result in results}


def test_a_part_that_fails_hangs_or_finds_a_fault_is_a_result(
    tmp_path: Path, part: Callable[..., Part]
) -> None:
    def faulty(folder: Path) -> Figures:
        raise Fault("too slow", {"tokens_per_s": 3})

    found = run(
        tmp_path / "out",
        part("fails"),
        part("hangs", limit_s=1.5),
        part("ends", name="faulty", read=faulty),
        part("ends"),
        seconds=100,
    )

    assert [result.status for result in found.values()] == ["failed", "cut", "failed", "passed"]
    assert found["fails"].why.startswith("exit code 1: ")
    assert "no kernel image for this GPU" in found["fails"].why
    assert found["hangs"].why.startswith("killed after ")
    assert (found["faulty"].why, found["faulty"].figures) == ("too slow", {"tokens_per_s": 3})
    assert found["ends"].figures == {"x": 1.5}


def test_what_is_left_out_says_why(tmp_path: Path, part: Callable[..., Part]) -> None:
    found = run(
        tmp_path / "out",
        part("fails"),
        part("ends", name="after", after="fails"),
        part("ends", name="two", num_gpus=2),
        part("ends", name="cuda", not_on_cpu="CUDA alone has it"),
        part("ends", name="unwanted"),
        on_cpu=True,
        skip=["unwanted"],
    )

    assert {name: result.why for name, result in found.items() if result.status is Status.SKIPPED} == {
        "after": "reads what fails leaves",
        "two": "needs 2 cores, there are 1",
        "cuda": "CUDA alone has it",
        "unwanted": "left out",
    }
    assert run(tmp_path / "late", part("ends"), seconds=0)["ends"].why == "no time left"
    assert run(tmp_path / "one", part("ends"), only=["fails"])["ends"].why == "left out"


def test_what_was_done_survives_a_cut(tmp_path: Path, part: Callable[..., Part]) -> None:
    def interrupted(folder: Path) -> Figures:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, part("ends"), part("ends", name="second", read=interrupted))

    document = json.loads((tmp_path / FILE).read_text())
    assert [(each["name"], each["status"]) for each in document["parts"]] == [("ends", "passed")]


def test_the_table_has_a_row_a_part(capsys: pytest.CaptureFixture[str]) -> None:
    results = [
        Result(name="speeds", status=Status.PASSED, seconds=3.2, figures={"gb_per_s": 3021.7, "mfu": None}),
        Result(name="tp2", status=Status.SKIPPED, why="needs 2 GPUs, there are 1"),
    ]
    print_results(results, console=Console(file=sys.stdout, width=160))
    shown = capsys.readouterr().out

    assert "gb_per_s 3,022, mfu -" in shown
    assert "needs 2 GPUs, there are 1" in shown


@pytest.mark.parametrize("on_gpu", [True, False])
def test_every_part_composes(tmp_path: Path, on_gpu: bool) -> None:
    """The overrides of each part that is a run are those of a cell: a typo is found without a GPU."""
    from hydra import compose, initialize_config_dir

    from tts_eval.options import CONF

    planned = list(parts(tmp_path, Scale.of(tmp_path / "models", on_gpu=on_gpu)))
    commands = [command for each in planned for command in each.commands if command[0] == "tts_eval"]

    assert len({each.name for each in planned}) == len(planned) >= 20
    assert len(commands) >= 9
    with initialize_config_dir(str(CONF), version_base="1.3"):
        for command in commands:
            overrides = [
                text.split(",")[0] for text in command[1:] if text != "-m" and not text.startswith("hydra.")
            ]
            assert compose("config", overrides).engine._target_.endswith("VllmEngine.configure")


def test_a_part_that_is_not_known_and_a_machine_without_a_gpu_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check_gpu.main(["--cpu", "--only", "warp", "--out", str(tmp_path)]) == 1
    assert "no part 'warp'; allowed: machine, speeds, throughput," in capsys.readouterr().err
    assert check_gpu.main(["--cpu", "--list", "--out", str(tmp_path)]) == 0
    assert "preemption" in capsys.readouterr().out
