"""NVIDIA's management library (NVML, the package nvidia-ml-py), asked without ever touching CUDA.

A GPU that is split (MIG) is met as its instances, as CUDA meets it. AMD GPUs are not visible here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from tts_eval.devices import visible

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class GpuFacts:
    """What is fixed about one GPU; None is not reported. `name` is the driver's, as nvidia-smi prints it."""

    name: str
    memory_bytes: int | None
    power_limit_w: float | None
    driver: str | None


class Driver:
    """An open NVML."""

    def __init__(self, nvml: Any) -> None:
        self.nvml = nvml

    def answer(self, question: Callable[..., Answer], *arguments: Any) -> Answer | None:
        """Return the driver's answer, None where it has none."""
        try:
            return question(*arguments)
        except self.nvml.NVMLError:
            return None

    def gpus(self) -> list[Any]:
        """Return the handles of the GPUs that CUDA would use, in CUDA's order."""
        names = visible.entries()
        handles = self._all()
        if names is None:
            return [instance for handle in handles for instance in self._instances(handle)[:1] or [handle]]
        found = []
        for name in names:
            handle = self._named(name, handles)
            if handle is None:
                break  # CUDA reads no further
            found.append(handle)
        return found

    def facts(self, gpu: Any) -> GpuFacts:
        """Return what is fixed about `gpu`."""
        nvml = self.nvml
        name = self.answer(nvml.nvmlDeviceGetName, gpu) or "unknown GPU"
        memory = self.answer(nvml.nvmlDeviceGetMemoryInfo, gpu)  # a GPU that shares the host's has no answer
        milliwatts = self.answer(nvml.nvmlDeviceGetEnforcedPowerLimit, gpu)
        return GpuFacts(
            name=_text(name),
            memory_bytes=None if memory is None else int(memory.total),
            power_limit_w=None if milliwatts is None else milliwatts / 1000,
            driver=_text(self.answer(nvml.nvmlSystemGetDriverVersion) or "") or None,
        )

    def _all(self) -> list[Any]:
        nvml = self.nvml
        return [nvml.nvmlDeviceGetHandleByIndex(number) for number in range(nvml.nvmlDeviceGetCount())]

    def _instances(self, gpu: Any) -> list[Any]:
        """Return the MIG instances of a split GPU; none of a whole one."""
        nvml = self.nvml
        is_split, _ = self.answer(nvml.nvmlDeviceGetMigMode, gpu) or (0, 0)
        if not is_split:
            return []
        most = self.answer(nvml.nvmlDeviceGetMaxMigDeviceCount, gpu) or 0
        handles = (self.answer(nvml.nvmlDeviceGetMigDeviceHandleByIndex, gpu, i) for i in range(most))
        return [handle for handle in handles if handle is not None]

    def _named(self, name: str, handles: list[Any]) -> Any | None:
        """Return the GPU or instance that an entry of CUDA_VISIBLE_DEVICES names; UUIDs may be shortened."""
        if name.isdigit():
            if int(name) >= len(handles):
                return None
            handle = handles[int(name)]
            return next(iter(self._instances(handle)), handle)
        candidates = [
            each for gpu in handles for each in (self._instances(gpu) if name.startswith("MIG-") else [gpu])
        ]
        uuids = (_text(self.answer(self.nvml.nvmlDeviceGetUUID, each) or "") for each in candidates)
        matches = [each for each, uuid in zip(candidates, uuids, strict=True) if uuid.startswith(name)]
        return matches[0] if len(matches) == 1 else None


def _text(value: str | bytes) -> str:
    """NVML answered bytes once."""
    return value.decode() if isinstance(value, bytes) else value


@contextmanager
def open_driver() -> Iterator[Driver | None]:
    """Open NVML and close it again; None where the binding, the library or the driver is missing."""
    try:
        import pynvml
    except ImportError:
        yield None
        return
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        yield None
        return
    try:
        yield Driver(pynvml)
    finally:
        pynvml.nvmlShutdown()


def visible_gpus() -> list[GpuFacts]:
    """Return the facts of the GPUs that CUDA would use; none where there is no driver."""
    with open_driver() as driver:
        return [] if driver is None else [driver.facts(gpu) for gpu in driver.gpus()]
