"""The machine while a run goes on: GPUs through NVML, memory and load of the host.

What a driver does not report is None, as is everything about GPUs where there is none. AMD GPUs report
nothing here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import psutil

from tts_eval.devices.driver import Driver, open_driver

NUM_IDLE_READINGS = 5
IDLE_INTERVAL_S = 0.2
MAX_IDLE_WINDOWS = 10
STEADY = 0.98  # of the window before: a GPU takes seconds to leave its clocks under load


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

    def __init__(self, driver: Driver | None, gpus: Sequence[Any]) -> None:
        self._driver = driver
        self._gpus = gpus
        self._busy_s, self._all_s = _processor_seconds()

    def read(self) -> MachineReading:
        """Return what the drivers report now, which takes milliseconds: event loops leave it to a thread."""
        memory = busy_percents = milliwatts = millijoules = None
        if self._driver is not None:
            nvml = self._driver.nvml
            memory = self._of_each(lambda gpu: nvml.nvmlDeviceGetMemoryInfo(gpu).used)
            busy_percents = self._of_each(lambda gpu: nvml.nvmlDeviceGetUtilizationRates(gpu).gpu)
            milliwatts = self._of_each(nvml.nvmlDeviceGetPowerUsage)
            millijoules = self._of_each(nvml.nvmlDeviceGetTotalEnergyConsumption)
        return MachineReading(
            host_memory_bytes=psutil.virtual_memory().used,
            host_utilization=self._host_utilization(),
            gpu_memory_bytes=None if memory is None else sum(memory),
            gpu_utilization=None if busy_percents is None else fmean(busy_percents) / 100,
            gpu_power_w=None if milliwatts is None else sum(milliwatts) / 1000,
            gpu_joules=None if millijoules is None else sum(millijoules) / 1000,
        )

    async def idle_power_w(self) -> float | None:
        """Return the power without work, once it falls no further; None where none is read.

        Nothing must run meanwhile: two seconds, and after a load up to ten.
        """
        before_w = await self._mean_power_w()
        for _ in range(MAX_IDLE_WINDOWS - 1):
            power_w = await self._mean_power_w()
            if before_w is None or power_w is None:
                return None
            if power_w >= STEADY * before_w:
                return power_w
            before_w = power_w
        return before_w

    async def _mean_power_w(self) -> float | None:
        """Return the mean power over the next second."""
        if not self._gpus:
            return None
        powers_w = []
        for _ in range(NUM_IDLE_READINGS):
            await asyncio.sleep(IDLE_INTERVAL_S)
            powers_w.append((await asyncio.to_thread(self.read)).gpu_power_w)
        known_w = [power_w for power_w in powers_w if power_w is not None]
        return fmean(known_w) if len(known_w) == len(powers_w) else None

    def _host_utilization(self) -> float:
        """Return the share since the last call; psutil's own answer is a thread's."""
        busy_s, all_s = _processor_seconds()
        share = (busy_s - self._busy_s) / (all_s - self._all_s) if all_s > self._all_s else 0.0
        self._busy_s, self._all_s = busy_s, all_s
        return min(1.0, max(0.0, share))

    def _of_each(self, ask: Callable[[Any], int]) -> list[int] | None:
        """Return an answer a GPU; None without GPUs, and where one of them has no answer."""
        if self._driver is None or not self._gpus:
            return None
        answers = [self._driver.answer(ask, gpu) for gpu in self._gpus]
        known = [int(answer) for answer in answers if answer is not None]
        return known if len(known) == len(answers) else None


@contextmanager
def open_machine(num_gpus: int) -> Iterator[Machine]:
    """Open the drivers for the first `num_gpus` GPUs that CUDA would use, and close them again.

    A run that holds more GPUs than are here has others on further nodes: nothing is read of any.
    """
    with open_driver() as driver:
        gpus = [] if driver is None else driver.gpus()[:num_gpus]
        yield Machine(driver, gpus if len(gpus) == num_gpus else ())


def _processor_seconds() -> tuple[float, float]:
    """Return the seconds in which the processors were busy, and all of their seconds."""
    times = psutil.cpu_times()
    all_s = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)  # in user and nice
    return all_s - times.idle - getattr(times, "iowait", 0.0), all_s
