"""vLLM's own servers on loopback: the commands of docs/servers.md, and runs held against their counters."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shlex
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from benchmarks.vllm_server import PRM, REASONER, VllmServer
from benchmarks.vllm_server import serving as serving_vllm
from tests.engines.server.stub import FaultProxy, serving
from tts_eval.auditing.run_audit import audit

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "servers.md").read_text(encoding="utf-8")
GREEDY = ("strategy=cot", "strategy.temperature=0", "load=all_at_once")
SECRET = "planted-0815"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif("TTS_EVAL_SERVERS" not in os.environ, reason="TTS_EVAL_SERVERS=1 starts two servers"),
]


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[VllmServer]]:
    """A server of the pocket model, and one of its reward model."""
    logs = tmp_path_factory.mktemp("servers")
    with serving_vllm(REASONER, PRM, logs=logs) as started:
        yield started


def command(*overrides: str, folder: Path) -> list[str]:
    """Return the command of a small run into `folder`."""
    return [sys.executable, "-m", "tts_eval", *overrides, "tracking=none", f"hydra.run.dir={folder}"]


def run(*overrides: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run it to its end."""
    return subprocess.run(
        command(*overrides, folder=folder),
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
        capture_output=True,
        text=True,
    )


def lines(folder: Path, name: str) -> list[dict[str, Any]]:
    """Return the records of one file of a run."""
    return [json.loads(line) for line in (folder / name).read_text(encoding="utf-8").splitlines()]


def drawn(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the candidates of each problem of a run."""
    return {line["problem_id"]: line["attempt"]["candidates"] for line in lines(folder, "problems.jsonl")}


def documented(start: str) -> list[str]:
    """Return the page's commands that begin with `start`, each as one line."""
    blocks = re.findall(r"```\n(.*?)```", PAGE, flags=re.DOTALL)
    joined = "\n".join(blocks).replace("\\\n", " ")
    return [line for line in joined.splitlines() if line.startswith(start)]


@contextmanager
def spoiling(target: str, *, share: float) -> Iterator[tuple[str, FaultProxy]]:
    """Put a proxy that spoils answers before a server, on an event loop of its own."""
    proxy, loop = FaultProxy(target, share=share, stall_s=12.0), asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    context = serving(proxy)
    url = asyncio.run_coroutine_threadsafe(context.__aenter__(), loop).result(30)
    try:
        yield url, proxy
    finally:
        asyncio.run_coroutine_threadsafe(context.__aexit__(None, None, None), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)


def test_the_commands_of_the_page_run_and_their_figures_add_up(
    servers: list[VllmServer], tmp_path: Path
) -> None:
    policy, prm = servers
    started = documented("python -m vllm.entrypoints.openai.api_server")
    assert [shlex.split(line)[3:5] for line in started] == [list(REASONER[:2]), list(PRM[:2])]
    assert all(shlex.quote(argument) in started[0] for argument in REASONER)
    assert all(shlex.quote(argument) in started[1] for argument in PRM)

    runs = [line for line in documented("python -m tts_eval") if "127.0.0.1" in line]
    assert len(runs) == 2
    for number, line in enumerate(runs):
        line = line.replace("http://127.0.0.1:8000", policy.root).replace("http://127.0.0.1:8001", prm.root)
        folder = tmp_path / str(number)
        done = run(*shlex.split(line)[3:], "task.limit=6", "load=all_at_once", folder=folder)
        assert done.returncode == 0, done.stderr
        faults, _ = audit(folder)
        assert faults == []
    scores = [{one["score"] for one in candidates} for candidates in drawn(tmp_path / "1").values()]
    assert None not in set.union(*scores)
    assert max(map(len, scores)) > 1  # not the same for all


def test_a_greedy_response_is_the_same_served_and_in_process(
    servers: list[VllmServer], tmp_path: Path
) -> None:
    policy = servers[0]
    before = policy.counter("generation_tokens_total")
    served = run(
        *GREEDY, "task.limit=12", "engine=server", f"engine.urls=[{policy.url}]", folder=tmp_path / "served"
    )
    assert served.returncode == 0, served.stderr
    counted = policy.counter("generation_tokens_total") - before
    inside = run(*GREEDY, "task.limit=12", folder=tmp_path / "inside")
    assert inside.returncode == 0, inside.stderr

    served_texts, own_texts = (
        {
            problem: [one["text"] for one in candidates]
            for problem, candidates in drawn(tmp_path / name).items()
        }
        for name in ("served", "inside")
    )
    assert len(served_texts) == 12
    assert served_texts == own_texts
    booked = sum(call["num_generated_tokens"] for call in lines(tmp_path / "served", "calls.jsonl"))
    assert booked <= counted


def test_no_fault_on_the_way_loses_or_doubles_a_problem(servers: list[VllmServer], tmp_path: Path) -> None:
    policy = servers[0]
    before = policy.counter("generation_tokens_total")
    with spoiling(policy.url, share=0.05) as (url, proxy):
        done = run(
            *("strategy=majority_vote", "strategy.n=4", "load=all_at_once", "task.limit=10", "engine=server"),
            *(
                f"engine.urls=[{url}]",
                "engine.stall_s=8",
                "engine.retry_for_s=600",
                "engine.api_key_env=PLANTED",
            ),
            folder=tmp_path / "run",
            PLANTED=SECRET,
        )
    counted = policy.counter("generation_tokens_total") - before

    assert done.returncode == 0, done.stderr
    solved = [line["problem_id"] for line in lines(tmp_path / "run", "problems.jsonl")]
    assert len(solved) == len(set(solved)) == 10
    calls = lines(tmp_path / "run", "calls.jsonl")
    assert len(calls) == 40
    failed = [attempt for call in calls for attempt in call.get("failed", ())]
    assert len(failed) == sum(proxy.faults.values()) > 0
    booked = sum(call["num_generated_tokens"] for call in calls)
    lost = sum(attempt["num_tokens"] for attempt in failed)
    torn = proxy.faults["reset"] + proxy.faults["truncated"] + proxy.faults["garbage"]
    assert booked + lost <= counted <= booked + torn * 1024
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not [path for path in written if SECRET.encode() in path.read_bytes()]
    assert SECRET not in done.stdout + done.stderr
