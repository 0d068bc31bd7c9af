"""What the machine's drivers tell while a run goes on: GPUs through NVML, memory and load of the host.

What a driver does not tell is None, as is everything about GPUs where there is none. An AMD GPU tells
nothing here.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import psutil

NUM_IDLE_READINGS = 5
IDLE_INTERVAL_S = 0.2


@dataclass(frozen=True, slots=True)
class MachineReading:
    """The machine at one moment; memory, power and energy are summed over the GPUs held.

    `gpu_joules` counts from when the driver was loaded. Utilisations are shares of the time since the reading
    before this one (of a GPU: as its driver averages it).
    """

    host_memory_bytes: int | None = None
    host_utilization: float | None = None
    gpu_memory_bytes: int | None = None
    gpu_utilization: float | None = None
    gpu_power_w: float | None = None
    gpu_joules: float | None = None


class Machine:
    """The host, and those GPUs of it that a run holds."""

    def __init__(self, nvml: Any, gpus: Sequence[Any]) -> None:
        self._nvml = nvml
        self._gpus = gpus
        psutil.cpu_percent()  # the first answer is about no time at all

    def read(self) -> MachineReading:
        """Return what the drivers tell now."""
        nvml = self._nvml
        memory = self._of_each(lambda gpu: nvml.nvmlDeviceGetMemoryInfo(gpu).used)
        busy_percents = self._of_each(lambda gpu: nvml.nvmlDeviceGetUtilizationRates(gpu).gpu)
        milliwatts = self._of_each(nvml.nvmlDeviceGetPowerUsage) if self._gpus else None
        millijoules = self._of_each(nvml.nvmlDeviceGetTotalEnergyConsumption) if self._gpus else None
        return MachineReading(
            host_memory_bytes=psutil.virtual_memory().used,
            host_utilization=psutil.cpu_percent() / 100,
            gpu_memory_bytes=None if memory is None else sum(memory),
            gpu_utilization=None if busy_percents is None else fmean(busy_percents) / 100,
            gpu_power_w=None if milliwatts is None else sum(milliwatts) / 1000,
            gpu_joules=None if millijoules is None else sum(millijoules) / 1000,
        )

    async def idle_power_w(self) -> float | None:
        """Return the mean power over the next second, in which nothing must run; None where none is read."""
        if self.read().gpu_power_w is None:
            return None
        powers_w = []
        for _ in range(NUM_IDLE_READINGS):
            await asyncio.sleep(IDLE_INTERVAL_S)
            powers_w.append(self.read().gpu_power_w)
        return None if None in powers_w else fmean(power_w for power_w in powers_w if power_w is not None)

    def _of_each(self, ask: Callable[[Any], int]) -> list[int] | None:
        """Return an answer a GPU; None without GPUs, and where one of them has no answer."""
        if not self._gpus:
            return None
        try:
            return [int(ask(gpu)) for gpu in self._gpus]
        except self._nvml.NVMLError:
            return None


@contextmanager
def open_machine(num_gpus: int) -> Iterator[Machine]:
    """Open the drivers for the first `num_gpus` GPUs that CUDA would use, and close them again."""
    nvml = _nvml()
    if nvml is None:
        yield Machine(None, ())
        return
    try:
        yield Machine(nvml, _visible(nvml)[:num_gpus])
    finally:
        nvml.nvmlShutdown()


def _nvml() -> Any | None:
    """Return NVML, initialized; None where neither GPU nor binding is there."""
    try:
        import pynvml
    except ImportError:
        return None
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return None
    return pynvml


def _visible(nvml: Any) -> list[Any]:
    """Return the handles of the GPUs that CUDA_VISIBLE_DEVICES leaves, by number or by name (GPU-...)."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return [nvml.nvmlDeviceGetHandleByIndex(number) for number in range(nvml.nvmlDeviceGetCount())]
    names = [name.strip() for name in visible.split(",") if name.strip() not in ("", "-1")]
    return [
        nvml.nvmlDeviceGetHandleByIndex(int(name)) if name.isdigit() else nvml.nvmlDeviceGetHandleByUUID(name)
        for name in names
    ]
