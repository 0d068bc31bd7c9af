"""What the driver tells is passed on in plain units; what it does not tell is None.

Only the driver itself is made up here: there is no GPU on most machines that run this.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace

import pytest

from tts_eval.measuring import machine
from tts_eval.measuring.machine import open_machine


class FakeNvml(ModuleType):
    """Three GPUs; each draws 100 W more than the one before it."""

    class NVMLError(Exception):
        pass

    def __init__(self) -> None:
        super().__init__("pynvml")
        self.is_open = False
        self.tells_energy = True

    def nvmlInit(self) -> None:
        self.is_open = True

    def nvmlShutdown(self) -> None:
        self.is_open = False

    def nvmlDeviceGetCount(self) -> int:
        return 3

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:
        return index

    def nvmlDeviceGetHandleByUUID(self, uuid: str) -> int:
        return {"GPU-c": 2}[uuid]

    def nvmlDeviceGetMemoryInfo(self, gpu: int) -> SimpleNamespace:
        return SimpleNamespace(used=(gpu + 1) << 30)

    def nvmlDeviceGetUtilizationRates(self, gpu: int) -> SimpleNamespace:
        return SimpleNamespace(gpu=40 * gpu)

    def nvmlDeviceGetPowerUsage(self, gpu: int) -> int:
        return 100_000 * (gpu + 1)

    def nvmlDeviceGetTotalEnergyConsumption(self, gpu: int) -> int:
        if not self.tells_energy:
            raise self.NVMLError
        return 5000


@pytest.fixture
def nvml(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeNvml]:
    fake = FakeNvml()
    monkeypatch.setitem(sys.modules, "pynvml", fake)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(machine, "IDLE_INTERVAL_S", 0.0)
    yield fake
    assert not fake.is_open


def test_the_gpus_held_are_added_up(nvml: FakeNvml) -> None:
    with open_machine(2) as opened:
        reading = opened.read()

    assert reading.gpu_memory_bytes == 3 << 30
    assert reading.gpu_power_w == 300.0
    assert reading.gpu_joules == 10.0
    assert reading.gpu_utilization == pytest.approx(0.2)


@pytest.mark.parametrize(("visible", "power_w"), [("2", 300.0), ("1,GPU-c", 500.0), ("", None), ("-1", None)])
def test_only_visible_gpus_are_read(
    nvml: FakeNvml, monkeypatch: pytest.MonkeyPatch, visible: str, power_w: float | None
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    with open_machine(2) as opened:
        assert opened.read().gpu_power_w == power_w


def test_what_one_question_fails_on_leaves_the_other_answers(nvml: FakeNvml) -> None:
    nvml.tells_energy = False
    with open_machine(1) as opened:
        reading = opened.read()

    assert (reading.gpu_joules, reading.gpu_power_w) == (None, 100.0)


async def test_the_idle_power_is_a_mean_of_readings(nvml: FakeNvml) -> None:
    with open_machine(1) as opened:
        assert await opened.idle_power_w() == 100.0


async def test_a_machine_without_gpus_tells_of_itself_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)  # importing it fails
    with open_machine(0) as opened:
        reading = opened.read()
        assert await opened.idle_power_w() is None

    assert reading.host_memory_bytes is not None
    assert reading.host_memory_bytes > 0
    assert reading.host_utilization is not None
    assert 0 <= reading.host_utilization <= 1
    assert reading.gpu_power_w is reading.gpu_memory_bytes is reading.gpu_utilization is None
