"""vLLM's own server on loopback: what the tests and figures of served models run against."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx2

READY_S = 600.0
STOP_S = 60.0
SMALL = {"OMP_NUM_THREADS": "1", "VLLM_CPU_KVCACHE_SPACE": "1"}  # several share a machine
EAGER = ("--enforce-eager",)  # ready in half the time
POCKET = ("--dtype", "float32", "--max-model-len", "1024")  # the dtype of model=pocket: samples are the same
REASONER = ("--model", "pocket/reasoner", *POCKET, "--enable-prompt-tokens-details")
PRM = (
    "--model",
    "pocket/prm",
    *POCKET,
    "--runner",
    "pooling",
    "--pooler-config",
    '{"tok_pooling_type": "ALL"}',
)


def free_port() -> int:
    """Return a port of loopback that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class VllmServer:
    """One server process; it can be killed and started again on its port."""

    def __init__(self, arguments: Sequence[str], *, log: Path, environment: Mapping[str, str] = {}) -> None:
        self.port = free_port()
        self._arguments = ("--port", str(self.port), *EAGER, *arguments)
        self._log = log
        self._environment = {**os.environ, **SMALL, **environment}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def root(self) -> str:
        """Its address without a path."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """What `engine.urls` takes."""
        return f"{self.root}/v1"

    def launch(self) -> None:
        """Start the process; `wait` waits until it answers."""
        command = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", *self._arguments]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, env=self._environment, start_new_session=True
            )

    def wait(self) -> None:
        """Wait until it answers; RuntimeError with the end of its log where it ends before."""
        process = self._process
        assert process is not None
        until_s = time.monotonic() + READY_S
        while process.poll() is None and time.monotonic() < until_s:
            try:
                if httpx2.get(f"{self.root}/health", trust_env=False).status_code == 200:
                    return
            except httpx2.HTTPError:
                time.sleep(0.2)
        raise RuntimeError(f"the server did not start:\n{self._log.read_text(encoding='utf-8')[-2000:]}")

    def counter(self, name: str) -> float:
        """Return one of its counters, without the prefix `vllm:`, over all label values."""
        page = httpx2.get(f"{self.root}/metrics", trust_env=False).text
        return sum(float(line.split()[-1]) for line in page.splitlines() if line.startswith(f"vllm:{name}{{"))

    def kill(self) -> None:
        """End it and its engine at once, as a machine that fails does."""
        self._end(9)

    def stop(self) -> None:
        """Let it end by itself, and kill it where it does not."""
        self._end(15)

    def _end(self, signal: int) -> None:
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        os.killpg(process.pid, signal)
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            process.wait()


@contextmanager
def serving(
    *servers: Sequence[str], logs: Path, environment: Mapping[str, str] = {}
) -> Iterator[list[VllmServer]]:
    """Start a server with each of these arguments, all at once, and stop them."""
    started = [
        VllmServer(arguments, log=logs / f"server-{number}.log", environment=environment)
        for number, arguments in enumerate(servers)
    ]
    try:
        for server in started:
            server.launch()
        for server in started:
            server.wait()
        yield started
    finally:
        for server in started:
            server.stop()
