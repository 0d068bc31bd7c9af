"""However a run ends, no process of its engine stays behind, and what was finished is resumed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.conftest import ROOT
from tts_eval.engines.protocol import Engine
from tts_eval.engines.vllm.settings import VllmEngine
from tts_eval.llm.call import Served
from tts_eval.llm.metered_model import MeteredModel
from tts_eval.llm.scripted import mathematics
from tts_eval.llm.tokenizer import Codec
from tts_eval.measuring.meter import Meter
from tts_eval.model import Model
from tts_eval.records import Finish, Problem, Sampling
from tts_eval.requests import EngineDied, Request

pytestmark = pytest.mark.slow

GREEDY = Request(tuple(range(20, 60)), Sampling(), max_tokens=40)
NUM_PROBLEMS = 60


def children() -> set[psutil.Process]:
    """Return the processes below this one; multiprocessing's resource tracker stays as long as we do."""
    found = set()
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # it has just ended
            if "resource_tracker" not in " ".join(child.cmdline()):
                found.add(child)
    return found


def start_run(model: Model, folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start the program in a process group of its own, with `folder` as the current directory."""
    folder.mkdir(exist_ok=True)
    log = (folder / "log.txt").open("a")
    return subprocess.Popen(
        [sys.executable, "-m", "tts_eval", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=log,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def new_run(model: Model, folder: Path) -> subprocess.Popen[str]:
    return start_run(
        model,
        folder,
        f"model.path={model.path}",
        "model.temperature=1.0",
        "strategy.temperature=1.0",
        "strategy.max_tokens=400",
        f"task.limit={NUM_PROBLEMS}",
        "load.k=4",
        "tracking=none",
        "hydra.run.dir=run",
    )


def wait_for_problems(run: subprocess.Popen[str], folder: Path, *, num_problems: int) -> None:
    """Wait until `num_problems` are finished while the run still has most of them before it."""
    deadline_s = time.monotonic() + 300
    lines = folder / "run" / "problems.jsonl"
    while not lines.is_file() or lines.read_bytes().count(b"\n") < num_problems:
        assert run.poll() is None, (folder / "log.txt").read_text()
        assert time.monotonic() < deadline_s, (folder / "log.txt").read_text()
        time.sleep(0.05)


def left_behind(session_id: int, *, within_s: float = 20.0) -> list[str]:
    """Return the command lines of a session's processes that are still there after `within_s` seconds."""
    deadline_s = time.monotonic() + within_s
    while True:
        found = [process for process in psutil.process_iter() if _session(process.pid) == session_id]
        if not found or time.monotonic() > deadline_s:
            return [" ".join(process.cmdline()) for process in found]
        time.sleep(0.1)


def _session(pid: int) -> int | None:
    try:
        return None if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE else os.getsid(pid)
    except (ProcessLookupError, psutil.NoSuchProcess):
        return None


def finished(folder: Path) -> list[dict[str, Any]]:
    """Return the whole lines of problems.jsonl; only what follows the last line break may be torn."""
    *whole, _ = (folder / "run" / "problems.jsonl").read_bytes().split(b"\n")
    return [json.loads(line) for line in whole]


def check_resumed(model: Model, folder: Path) -> None:
    """Go on with a run that was cut off, and find each problem once, in the lines and in the summary."""
    before = finished(folder)
    run = start_run(model, folder, "resume=run")
    assert run.wait(timeout=300) == 0, (folder / "log.txt").read_text()
    assert left_behind(run.pid) == []
    after = finished(folder)
    summary = json.loads((folder / "run" / "summary.json").read_text())
    manifest = json.loads((folder / "run" / "manifest.json").read_text())

    assert after[: len(before)] == before
    assert set(Counter(line["problem_id"] for line in after).values()) == {1}
    assert len(after) == summary["num_problems"] == NUM_PROBLEMS
    assert {line["session"] for line in after} == {0, 1}
    assert len(manifest["sessions"]) == 2
    assert summary["num_failed"] == 0
    assert summary["tokens"]["generated"] == sum(line["spend"]["num_generated_tokens"] for line in after)


async def test_an_engine_that_is_killed_is_told_as_such_and_leaves_no_process(tiny: Model) -> None:
    before = children()
    with pytest.raises(EngineDied, match="the vLLM engine died"):
        async with VllmEngine().start(tiny) as engine:
            cores = children() - before
            others = asyncio.create_task(engine.generate(replace(GREEDY, max_tokens=900)))
            served = Served(tiny, Codec(tiny), engine)
            meter = Meter("p", time.monotonic)
            llm = MeteredModel({"policy": served}, meter, mathematics(), run_seed=0)
            async with llm.stream(llm.start(Problem("p", "multiply 3 4 mod 47", "12"))) as growing:
                async for trace in growing:
                    if trace.num_tokens >= 20:  # under load several tokens come at once
                        for core in cores:
                            with suppress(psutil.NoSuchProcess):
                                core.kill()

    with pytest.raises(EngineDied):
        await others
    [call] = meter.calls  # what it had generated is accounted for
    assert call.finish is Finish.ABORT
    assert call.num_generated_tokens >= 20
    gone, alive = psutil.wait_procs(cores, timeout=20)
    assert (len(gone), alive) == (len(cores), [])
    assert children() <= before


def test_sigkill_leaves_whole_lines_and_no_process_and_the_run_goes_on(tiny: Model, tmp_path: Path) -> None:
    run = new_run(tiny, tmp_path)
    wait_for_problems(run, tmp_path, num_problems=8)
    run.kill()
    run.wait()

    assert left_behind(run.pid) == []
    assert 8 <= len(finished(tmp_path)) < NUM_PROBLEMS
    assert not (tmp_path / "run" / "summary.json").exists()
    with (tmp_path / "run" / "problems.jsonl").open("ab") as lines:
        lines.write(b'{"problem_id":"pocket-test-0-')  # as a kill in the middle of a write leaves it
    check_resumed(tiny, tmp_path)


def test_an_interrupt_keeps_what_is_finished(tiny: Model, tmp_path: Path) -> None:
    run = new_run(tiny, tmp_path)
    wait_for_problems(run, tmp_path, num_problems=8)
    os.killpg(run.pid, signal.SIGINT)  # as a terminal sends Ctrl-C: to the whole group

    assert run.wait(timeout=60) == 130
    assert left_behind(run.pid) == []
    assert 8 <= len(finished(tmp_path)) < NUM_PROBLEMS
    log = (tmp_path / "log.txt").read_text()
    assert "Traceback" not in log
    assert log.splitlines()[-1].endswith("is kept. The rest: python -m tts_eval resume=run")


@pytest.mark.asyncio(loop_scope="session")
async def test_two_tensor_parallel_workers_say_what_one_says(engine: Engine, tiny: Model) -> None:
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("needs two cores")
    before = children()
    async with VllmEngine(tensor_parallel_size=2).start(tiny) as pair:
        assert pair.facts.num_gpus == 1  # one machine, however many workers
        assert (await pair.generate(GREEDY)).token_ids == (await engine.generate(GREEDY)).token_ids

    assert children() <= before  # gone when it has stopped: the next engine needs what they held
