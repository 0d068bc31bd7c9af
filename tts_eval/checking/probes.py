"""What no ordinary run shows of a machine: `python -m tts_eval.checking.probes NAME FOLDER [ARGUMENT ...]`.

Each probe writes its figures to FOLDER/found.json; an exit code of 1 says that one of them is wrong.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import torch
from torch import multiprocessing

from tts_eval.checking.part import Figure
from tts_eval.devices import memory
from tts_eval.devices.driver import visible_gpus
from tts_eval.engines.vllm.settings import VllmEngine
from tts_eval.hardware import recognised
from tts_eval.model import Model
from tts_eval.records import Sampling
from tts_eval.requests import Request

Found = dict[str, Figure]
PROMPT = (3, 15, 16, 17, 10, 18, 4, 5)
NUM_TRIES = 5
MAX_SHARE = 1.05  # of a data sheet's figure
GONE_S = 15.0  # for the processes of a killed program


def machine() -> Found:
    """Driver, GPUs and versions, and the file in conf/hardware that the machine is taken for."""
    from importlib.metadata import version

    from tts_eval.engines.vllm.platform import installed

    gpus, hardware, (name, vllm) = visible_gpus(), recognised(), installed()
    found: Found = {
        "gpus": ", ".join(gpu.name for gpu in gpus) or None,
        "driver": gpus[0].driver if gpus else None,
        "power_limit_w": gpus[0].power_limit_w if gpus else None,
        "hardware": hardware.name,
        "usd_per_gpu_hour": hardware.usd_per_gpu_hour,
        "cores": len(os.sched_getaffinity(0)),
        name: vllm,
        "torch": version("torch"),
        "cuda": torch.version.cuda,
        "torch_gpus": torch.cuda.device_count(),
    }
    if torch.cuda.device_count() != len(gpus):
        found["wrong"] = f"torch sees {torch.cuda.device_count()} GPUs, the driver shows {len(gpus)}"
    return found


def speeds() -> Found:
    """Memory bandwidth (a copy reads and writes) and matrix rate, against the hardware's file."""
    on_gpu = torch.cuda.device_count() > 0
    device, hardware = "cuda" if on_gpu else "cpu", recognised()
    num_bytes, size = (4 << 30, 8192) if on_gpu else (128 << 20, 1024)
    dtype = torch.bfloat16 if on_gpu else torch.float32
    source = torch.zeros(num_bytes, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    copied = 2 * num_bytes / _best_s(lambda: target.copy_(source))
    left, right = (torch.randn(size, size, dtype=dtype, device=device) for _ in range(2))
    multiplied = 2 * size**3 / _best_s(lambda: left @ right)
    found: Found = {
        "gb_per_s": copied / 1e9,
        "tflops": multiplied / 1e12,
        "dtype": str(dtype).removeprefix("torch."),
    }
    stated = {
        "share_of_bandwidth": (copied / 1e9, hardware.bandwidth_gb_per_s),
        "share_of_bf16": (multiplied / 1e12, hardware.bf16_tflops),
    }
    shares = {name: measured / peak for name, (measured, peak) in stated.items() if peak}
    if any(share > MAX_SHARE for share in shares.values()):
        found["wrong"] = "faster than conf/hardware says: that file is of another GPU"
    found |= shares
    return found


def _best_s(run: Callable[[], object]) -> float:
    """Return the shortest of some tries; what the GPU does is waited for."""
    seconds = []
    for _ in range(NUM_TRIES + 1):
        began_s = time.perf_counter()
        run()
        if torch.cuda.is_initialized():
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - began_s)
    return min(seconds[1:])


async def overhead(model_folder: str, num_tokens: str, *in_flight: str) -> Found:
    """Tokens a second through our handle, with seeds and without, against the same engine asked directly."""
    from vllm import SamplingParams
    from vllm.sampling_params import RequestOutputKind

    found: Found = {}
    settings = VllmEngine.configure(load_format="dummy", gpu_memory_utilization=0.85, max_model_len=2048)
    async with settings.start(_model(model_folder)) as engine:
        llm: Any = vars(engine)["_llm"]  # the bare engine is what we compare with
        request = Request(PROMPT, Sampling(temperature=1.0), max_tokens=int(num_tokens))

        async def bare(number: int) -> int:
            params = SamplingParams(
                temperature=1.0,
                max_tokens=request.max_tokens,
                seed=number,
                ignore_eos=True,
                output_kind=RequestOutputKind.FINAL_ONLY,
            )
            prompt = {"prompt_token_ids": list(PROMPT)}
            [output] = [o async for o in llm.generate(prompt, params, f"bare-{time.monotonic_ns()}-{number}")]
            return len(output.outputs[0].token_ids)

        async def ours(number: int | None) -> int:
            return len((await engine.generate(replace(request, seed=number))).token_ids)

        for num in map(int, in_flight):
            rates = {}
            for name, draw in (("bare", bare), ("seeded", ours), ("unseeded", lambda _: ours(None))):
                rates[name] = max([await _tokens_per_s(draw, num) for _ in range(2)])
            found |= {f"{num} {name} tokens_per_s": rate for name, rate in rates.items()}
            found[f"{num} overhead"] = rates["bare"] / rates["seeded"] - 1
    return found


async def _tokens_per_s(draw: Callable[[int], Awaitable[int]], num: int) -> float:
    began_s = time.perf_counter()
    num_tokens = sum(await asyncio.gather(*map(draw, range(num))))
    return num_tokens / (time.perf_counter() - began_s)


async def restart(model_folder: str) -> Found:
    """Whether the memory of an engine is back when it has stopped, and the next one starts at once."""
    settings, before = (
        VllmEngine.configure(load_format="dummy", enforce_eager=True, max_model_len=2048),
        memory.used_bytes(),
    )
    found: Found = {}
    for number in (1, 2):
        began_s = time.monotonic()
        async with settings.start(_model(model_folder)) as engine:
            found[f"start {number}_s"] = engine.facts.startup_s
            stopping_s = time.monotonic()
        found[f"stop {number}_s"] = time.monotonic() - stopping_s
        left = memory.used_bytes()
        found["left_gib"] = None if left is None or before is None else (left - before) / 2**30
        found[f"whole {number}_s"] = time.monotonic() - began_s
    return found


async def sleep(model_folder: str) -> Found:
    """Whether vLLM's sleep frees the weights' memory and the engine wakes to the same greedy sample."""
    settings = VllmEngine.configure(
        load_format="dummy", enforce_eager=True, enable_sleep_mode=True, max_model_len=2048
    )
    greedy = Request(PROMPT, Sampling(), max_tokens=16)
    async with settings.start(_model(model_folder)) as engine:
        llm: Any = vars(engine)["_llm"]
        awake, before = memory.used_bytes(), await engine.generate(greedy)
        await llm.sleep(level=1)
        asleep, began_s = memory.used_bytes(), time.monotonic()
        await llm.wake_up()
        found: Found = {"wake_s": time.monotonic() - began_s}
        if awake is not None and asleep is not None:
            found["freed_gib"] = (awake - asleep) / 2**30
        if (await engine.generate(greedy)).token_ids != before.token_ids:
            found["wrong"] = "the greedy sample after sleep is another one"
    return found


async def orphans() -> Found:
    """Whether a run that is killed leaves no process and no memory behind."""
    before, folder = memory.used_bytes(), FOLDER / "killed"
    arguments = "strategy=majority_vote strategy.n=16 load.k=4 tracking=none +engine.enforce_eager=true"
    if torch.cuda.device_count():
        arguments += " engine.gpu_memory_utilization=0.3"
    command = [sys.executable, "-m", "tts_eval", *arguments.replace("+engine.e", "engine.e").split()]
    run = subprocess.Popen([*command, f"hydra.run.dir={folder}"])
    while not (folder / "problems.jsonl").is_file() or not (folder / "problems.jsonl").stat().st_size:
        await asyncio.sleep(0.2)
        if run.poll() is not None:
            return {"wrong": f"the run ended by itself with code {run.returncode}"}
    below = psutil.Process(run.pid).children(recursive=True)
    run.send_signal(signal.SIGKILL)
    run.wait()
    began_s = time.monotonic()
    _, alive = psutil.wait_procs(below, timeout=GONE_S)
    is_back = memory.await_back(before, timeout_s=GONE_S)
    found: Found = {"num_processes": len(below), "gone_s": time.monotonic() - began_s, "left": len(alive)}
    if alive or not is_back:
        found["wrong"] = "memory is not back" if not alive else f"left behind: {alive[0].name()}"
    return found


def reduce(num_workers: str) -> Found:
    """Seconds of one all-reduce over `num_workers` devices, of 16 KiB (latency) and 64 MiB (bandwidth)."""
    world = int(num_workers)
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29577"}
    multiprocessing.start_processes(  # type: ignore[no-untyped-call, attr-defined, unused-ignore]
        _reduce_on, args=(world, str(FOLDER)), nprocs=world, start_method="spawn"
    )
    found: Found = json.loads((FOLDER / "reduced.json").read_text(encoding="utf-8"))
    return found


def _reduce_on(rank: int, world: int, folder: str) -> None:
    import torch.distributed as dist

    on_gpu = torch.cuda.device_count() >= world
    device = torch.device("cuda", rank) if on_gpu else torch.device("cpu")
    if on_gpu:
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if on_gpu else "gloo", rank=rank, world_size=world)
    seconds = {}
    for num_bytes in (16 << 10, 64 << 20):
        tensor = torch.zeros(num_bytes // 2, dtype=torch.bfloat16, device=device)

        def reduce_once(tensor: torch.Tensor = tensor) -> None:
            dist.all_reduce(tensor)

        seconds[num_bytes] = _best_s(reduce_once)
    if rank == 0:
        found = {
            "backend": dist.get_backend(),
            "all_reduce_us": 1e6 * seconds[16 << 10],
            "all_reduce_gb_per_s": (64 << 20) / seconds[64 << 20] / 1e9,
        }
        Path(folder, "reduced.json").write_text(json.dumps(found), encoding="utf-8")
    dist.destroy_process_group()


def _model(folder: str) -> Model:
    dtype = json.loads(Path(folder, "config.json").read_text(encoding="utf-8"))["dtype"]
    return Model(name=Path(folder).name, path=folder, dtype=dtype, max_model_len=2048)


PROBES: dict[str, Callable[..., Any]] = {
    probe.__name__: probe for probe in (machine, speeds, overhead, restart, sleep, orphans, reduce)
}

if __name__ == "__main__":
    name, where, *arguments = sys.argv[1:]
    FOLDER = Path(where)
    answer = PROBES[name](*arguments)
    figures = asyncio.run(answer) if asyncio.iscoroutine(answer) else answer
    (FOLDER / "found.json").write_text(json.dumps(figures), encoding="utf-8")
    if "wrong" in figures:
        sys.exit(f"{name}: {figures['wrong']}")
