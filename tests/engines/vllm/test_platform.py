"""What vLLM's CUDA build is given, read back where no GPU is: its environment, its devices, its choices."""

from __future__ import annotations

import os

import pytest
import torch

from tts_eval.devices import memory, visible
from tts_eval.engines.vllm import platform
from tts_eval.engines.vllm.settings import VllmEngine
from tts_eval.model import Model

ONE = {"num_workers": 1, "num_threads": 1, "is_eager": False}


@pytest.fixture
def four_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "installed", lambda: ("vllm", "0.27.1"))
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    monkeypatch.delenv(visible.VARIABLE, raising=False)


def test_gpu_engines_are_spawned_and_numbered_as_nvml_does(four_gpus: None) -> None:
    with platform.environment(**ONE):  # type: ignore[arg-type]
        assert os.environ["VLLM_WORKER_MULTIPROC_METHOD"] == "spawn"
        assert os.environ["VLLM_USE_FLASHINFER_SAMPLER"] == "0"
        assert os.environ["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID"
        assert "OMP_NUM_THREADS" not in platform.ON_GPU
        assert "VLLM_USE_V2_MODEL_RUNNER" not in os.environ
    assert "CUDA_DEVICE_ORDER" not in os.environ


def test_what_the_user_has_set_stays(four_gpus: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VLLM_USE_FLASHINFER_SAMPLER", "1")
    with platform.environment(**ONE):  # type: ignore[arg-type]
        assert os.environ["VLLM_USE_FLASHINFER_SAMPLER"] == "1"
    assert os.environ["VLLM_USE_FLASHINFER_SAMPLER"] == "1"


@pytest.mark.parametrize(("version", "runner"), [("0.26.0", "0"), ("0.27.1", "0"), ("0.28.0", None)])
def test_thinking_is_capped_by_a_runner_that_can(
    four_gpus: None, monkeypatch: pytest.MonkeyPatch, version: str, runner: str | None
) -> None:
    monkeypatch.setattr(platform, "installed", lambda: ("vllm", version))
    with platform.environment(**ONE, ends_thinking=True):  # type: ignore[arg-type]
        assert os.environ.get("VLLM_USE_V2_MODEL_RUNNER") == runner


@pytest.mark.parametrize(("value", "inside"), [(None, "2,3"), ("5,1,GPU-aa,0", "GPU-aa,0")])
def test_an_engine_leaves_the_first_gpus_to_others(
    four_gpus: None, monkeypatch: pytest.MonkeyPatch, value: str | None, inside: str
) -> None:
    if value is not None:
        monkeypatch.setenv(visible.VARIABLE, value)
    with platform.environment(**ONE, first_gpu=2):  # type: ignore[arg-type]
        assert os.environ[visible.VARIABLE] == inside
    assert os.environ.get(visible.VARIABLE) == value


def test_more_workers_than_gpus_are_rejected_here_and_left_to_ray_elsewhere(
    four_gpus: None, tiny: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    VllmEngine(pipeline_parallel_size=2, tensor_parallel_size=2).check(tiny)
    VllmEngine.configure(data_parallel_size=8, nnodes=2).check(tiny)
    with pytest.raises(visible.TooFewGpus, match=r"= 4 workers beside the 1 of other engines, .* at most 3"):
        VllmEngine(data_parallel_size=4, first_gpu=1).check(tiny)
    eight = VllmEngine(data_parallel_size=8, distributed_executor_backend="ray")
    monkeypatch.setattr("tts_eval.engines.vllm.settings.find_spec", lambda name: None)
    with pytest.raises(ValueError, match="needs the package ray"):
        eight.check(tiny)
    monkeypatch.setattr("tts_eval.engines.vllm.settings.find_spec", lambda name: object())
    eight.check(tiny)


def test_label_tokens_and_tensor_parallel_workers_do_not_go_together(four_gpus: None, tiny: Model) -> None:
    with pytest.raises(ValueError, match=r"allowed: engine.tensor_parallel_size=1 \(got 2\)"):
        VllmEngine(label_tokens=("+", "-"), tensor_parallel_size=2).check(tiny)


def test_a_checkpoints_own_code_runs_only_where_the_user_says_so(tiny: Model) -> None:
    from dataclasses import replace

    assert "trust_remote_code" not in VllmEngine().arguments(tiny)
    assert VllmEngine().arguments(replace(tiny, trust_remote_code=True))["trust_remote_code"] is True


def test_memory_is_awaited_until_it_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a driver reports it after an engine's last process has gone."""
    used = iter([70 << 30, 40 << 30, 1 << 30])
    monkeypatch.setattr(memory, "used_bytes", lambda: next(used, 1 << 30))
    monkeypatch.setattr(memory, "POLL_S", 0.0)

    assert memory.await_back(1 << 30, timeout_s=60)
    assert next(used, None) is None
    monkeypatch.setattr(memory, "used_bytes", lambda: 70 << 30)
    assert not memory.await_back(1 << 30, timeout_s=0)
    assert memory.await_back(None, timeout_s=0)  # never read: nothing to wait for


def test_vllm_chooses_for_an_h100_as_its_server_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """VLLM's own engine arguments, on a pretended H100: at k=64, n=8 all 512 samples run at once."""
    from vllm.engine.arg_utils import EngineArgs
    from vllm.platforms import current_platform
    from vllm.usage.usage_lib import UsageContext

    monkeypatch.setattr(current_platform, "is_cpu", lambda: False)
    monkeypatch.setattr(current_platform, "get_device_total_memory", lambda *_: 80 << 30)
    monkeypatch.setattr(current_platform, "get_device_name", lambda *_: "NVIDIA H100 80GB HBM3")
    num_batched_tokens, num_seqs = EngineArgs.get_batch_defaults(1)

    assert (num_seqs[UsageContext.OPENAI_API_SERVER], num_batched_tokens[UsageContext.OPENAI_API_SERVER]) == (
        1024,
        8192,
    )
    assert UsageContext.ENGINE_CONTEXT not in num_seqs  # AsyncLLM's default: 128 and 2,048
