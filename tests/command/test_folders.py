"""A run's folder tells the truth, whatever is started in it: the program as its users start it."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.command.test_program import tts_eval
from tests.conftest import ROOT
from tts_eval.analysis.frames import load
from tts_eval.audit import main as audit
from tts_eval.rundir.lock import locked

CHEAP = (f"hydra.searchpath=[file://{ROOT}/tests/command/conf]", "engine=parrot", "tracking=none")

pytestmark = pytest.mark.slow  # a start of the whole program takes seconds, and most tests need three


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tts_eval", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def until(is_so: Callable[[], object]) -> None:
    for _ in range(3000):
        if is_so():
            return
        time.sleep(0.1)
    raise AssertionError("it never came to be")


def test_another_run_is_refused_and_the_same_one_finished(tmp_path: Path) -> None:
    run = ("hydra.run.dir=run", "task.limit=3", *CHEAP)
    assert tts_eval(tmp_path, *run).returncode == 0
    before = contents(tmp_path)

    other = tts_eval(tmp_path, *run, "strategy=majority_vote", "strategy.n=8", "seed=7")
    assert other.returncode == 1
    [line] = other.stderr.splitlines()
    assert "run holds another run: strategy=cot there and majority_vote here; seed=0 there and 7 here" in line
    wrong = tts_eval(tmp_path, *run, "strategy.max_tokens=0")
    assert (wrong.returncode, len(wrong.stderr.splitlines())) == (1, 1)
    assert contents(tmp_path) == before

    (tmp_path / "run" / ".hydra" / "config.yaml").write_text("")
    for again in (run, ("resume=run",)):
        done = tts_eval(tmp_path, *again)
        assert done.returncode == 0
        assert "finished before" in done.stderr
        assert "starting" not in done.stderr
        assert "0.000" in done.stdout
    after = contents(tmp_path)
    assert after == {**before, "run/.hydra/config.yaml": b""}


def test_starts_of_one_second_have_folders_of_their_own(tmp_path: Path) -> None:
    name = "hydra.run.dir=out/${now:%Y}"  # all of a year, so that no machine is too slow
    starts = [start(tmp_path, name, f"seed={seed}", "task.limit=2", *CHEAP) for seed in range(2)]
    assert [each.communicate(timeout=300) and each.returncode for each in starts] == [0, 0]

    folders = sorted((tmp_path / "out").iterdir())
    assert len(folders) == 2
    seeds = {json.loads((folder / "manifest.json").read_text())["seed"] for folder in folders}
    assert seeds == {0, 1}


def test_one_folder_is_one_process_s_and_free_when_that_is_killed(tmp_path: Path) -> None:
    run = ("hydra.run.dir=run", "task.limit=3", "engine.delay_s=3600", *CHEAP)
    first, lock = start(tmp_path, *run), tmp_path / "run" / ".lock"
    try:
        until((tmp_path / "run" / "manifest.json").exists)
        for second in (run, ("resume=run",)):
            done = tts_eval(tmp_path, *second)
            assert done.returncode == 1
            [line] = done.stderr.splitlines()
            assert line.endswith(f"run is in use by process {first.pid}")
        first.send_signal(signal.SIGINT)
        _, shown = first.communicate(timeout=120)
        assert first.returncode == 130
        assert "python -m tts_eval resume=run" in shown
    finally:
        first.kill()
    killed = start(tmp_path, "resume=run")
    try:
        until(lambda: lock.read_text().strip() == str(killed.pid))
    finally:
        killed.kill()
        killed.communicate()
    with locked(tmp_path / "run"):
        assert lock.read_text().strip() == str(os.getpid())


def test_cells_whose_names_come_to_the_same_have_folders_of_their_own(tmp_path: Path) -> None:
    done = tts_eval(
        tmp_path, "-m", "hydra.sweep.dir=sweep", "engine.echo=a b,a_b,a b", "task.limit=1,2", *CHEAP
    )
    assert done.returncode == 0, done.stderr

    folders = [file.parent for file in (tmp_path / "sweep").rglob("summary.json")]
    assert len(folders) == 4
    assert not any(set(folder.name) & set("=, '") for folder in folders)
    echoes = [
        json.loads((folder / "manifest.json").read_text())["config"]["engine"]["echo"] for folder in folders
    ]
    assert sorted(echoes) == ["a b", "a b", "a_b", "a_b"]
    assert "is asked for 2 times and run once" in done.stderr


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    try:
        mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no file system can be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_disk_that_is_full_for_a_moment_ends_the_run_and_costs_nothing(small_disk: Path) -> None:
    run = ("hydra.run.dir=disk/run", "task.limit=60", "engine.delay_s=0.2", "load.k=2", *CHEAP)
    process = start(small_disk.parent, *run)
    problems, filler = small_disk / "run" / "problems.jsonl", small_disk / "filler"
    try:
        until(lambda: problems.exists() and problems.read_text().count("\n") >= 5)
        with pytest.raises(OSError, match="No space left"), filler.open("wb", buffering=0) as raw:
            while raw.write(b"x" * 4096):
                pass
        _, shown = process.communicate(timeout=120)
    finally:
        process.kill()
    assert process.returncode == 1
    assert "could not be written: No space left on device" in shown
    assert "Traceback" not in shown
    num_kept = len(problems.read_text().splitlines())
    assert 5 <= num_kept < 60
    for file in (small_disk / "run").glob("*.jsonl"):
        assert [json.loads(line) for line in file.read_text().splitlines()]

    filler.unlink()
    done = tts_eval(small_disk.parent, "resume=disk/run")
    assert done.returncode == 0, done.stderr
    assert len(problems.read_text().splitlines()) == 60


def test_problems_that_fail_are_seen(tmp_path: Path) -> None:
    done = tts_eval(tmp_path, "hydra.run.dir=run", "task.limit=3", "strategy=failing", *CHEAP)

    assert done.returncode == 1
    said = done.stderr.splitlines()[-1]
    assert "3 of 3 problems failed: IndexError at " in said
    assert "tests/command/cheap.py:" in said
    assert said.endswith("(traceback: run/errors.txt)")
    assert "3 of 3" in done.stdout
    assert "0.000" not in done.stdout
    assert (tmp_path / "run" / "errors.txt").read_text().count("IndexError: list index out of range") == 3


@pytest.mark.parametrize("closing", ["2>&1 | head -1", "2>&-", ">&- 2>&-", ">/dev/full 2>/dev/full"])
def test_a_lost_terminal_costs_no_summary(tmp_path: Path, closing: str) -> None:
    arguments = shlex.join(("hydra.run.dir=run", "task.limit=3", *CHEAP))
    subprocess.run(
        ["bash", "-c", f"set -o pipefail; {sys.executable} -m tts_eval {arguments} {closing}"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        check=True,
        timeout=300,
    )
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["num_problems"] == 3
    for file in (tmp_path / "run").glob("*.jsonl"):
        assert [json.loads(line) for line in file.read_text().splitlines()]


def num_lines(file: Path) -> int:
    return file.read_text().count("\n") if file.exists() else 0


def killed_after(num_problems: int, folder: Path, *arguments: str) -> list[str]:
    """Kill a run as soon as so many of its problems are answered; return which, in `folder`/run."""
    process, problems = start(folder, "hydra.run.dir=run", *arguments), folder / "run" / "problems.jsonl"
    try:
        until(lambda: process.poll() is not None or num_lines(problems) >= num_problems)
        assert process.poll() is None, process.communicate()
    finally:
        process.kill()
        process.communicate()
    return [json.loads(line)["problem_id"] for line in problems.read_text().splitlines()]


def test_a_run_that_is_resumed_at_another_price_pays_each_session_its_own(tmp_path: Path) -> None:
    price = "hardware.usd_per_gpu_hour"
    load_of_two = ("task.limit=12", "engine.delay_s=0.3", "load=concurrent", "load.k=2")
    before = killed_after(4, tmp_path, f"{price}=36", *load_of_two, *CHEAP)
    assert 4 <= len(before) < 12
    done = tts_eval(tmp_path, "hydra.run.dir=run", f"{price}=3.6", *load_of_two, *CHEAP)
    assert done.returncode == 0, done.stderr

    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    first, second = summary["sessions"]
    assert (first["num_problems"], second["num_problems"]) == (len(before), 12 - len(before))
    assert (first["usd_per_gpu_hour"], second["usd_per_gpu_hour"]) == (36, 3.6)
    dear, cheap = first["held_s"] * 0.01, second["held_s"] * 0.001
    assert summary["usd_total"] == pytest.approx(dear + cheap)
    assert summary["usd_by_role"] == {"policy": pytest.approx(dear + cheap)}
    assert summary["price_band"]["usd_per_problem"] == [pytest.approx((dear + cheap) / 12)] * 2
    assert summary["usd_per_gpu_hour"] is None
    assert summary["held_s"] == pytest.approx(first["held_s"] + second["held_s"])
    problems = load(tmp_path).problems
    assert problems.groupby("session")["usd"].sum().tolist() == [pytest.approx(dear), pytest.approx(cheap)]
    own = [json.loads(line)["problem_id"] for line in (tmp_path / "run" / "fill.jsonl").open()]
    assert len(own) == len(set(own))
    assert audit([str(tmp_path / "run")]) == 0


def test_a_killed_run_of_a_real_engine_is_finished_with_every_problem_once(tmp_path: Path) -> None:
    engine = ("model=pocket", "task=pocket", "task.limit=24", "load.k=2", "tracking=none")
    before = killed_after(3, tmp_path, *engine, "strategy.max_tokens=256")
    assert 3 <= len(before) < 24
    resumed = start(tmp_path, "resume=run")
    try:
        _, shown = resumed.communicate(timeout=400)
    finally:
        resumed.kill()
    assert resumed.returncode == 0, shown

    ids = [json.loads(line)["problem_id"] for line in (tmp_path / "run" / "problems.jsonl").open()]
    assert ids[: len(before)] == before
    assert len(ids) == len(set(ids)) == 24
    assert audit([str(tmp_path / "run")]) == 0
