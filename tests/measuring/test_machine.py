"""What the driver reports is passed on in plain units; what it does not report is None.

Only the driver itself is made up here: there is no GPU on most machines that run this.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator

import pytest

from tests.devices.recorded import GIB, Card, RecordedNvml, instance
from tts_eval.measuring import machine
from tts_eval.measuring.machine import open_machine


@pytest.fixture
def nvml(monkeypatch: pytest.MonkeyPatch) -> Iterator[RecordedNvml]:
    """Three GPUs; each draws 100 W more than the one before it."""
    cards = [
        Card(f"GPU-{i}", used=(i + 1) * GIB, busy_percent=40 * i, milliwatts=100_000 * (i + 1))
        for i in range(3)
    ]
    fake = RecordedNvml(cards)
    monkeypatch.setitem(sys.modules, "pynvml", fake)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(machine, "IDLE_INTERVAL_S", 0.0)
    yield fake
    assert fake.num_open == 0


def test_the_gpus_held_are_added_up(nvml: RecordedNvml) -> None:
    with open_machine(2) as opened:
        reading = opened.read()

    assert reading.gpu_memory_bytes == 3 << 30
    assert reading.gpu_power_w == 300.0
    assert reading.gpu_joules == 10.0
    assert reading.gpu_utilization == pytest.approx(0.2)


@pytest.mark.parametrize(("visible", "power_w"), [("2", 300.0), ("1,GPU-2", 200.0), ("", None), ("-1", None)])
def test_only_visible_gpus_are_read(
    nvml: RecordedNvml, monkeypatch: pytest.MonkeyPatch, visible: str, power_w: float | None
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    with open_machine(1) as opened:
        assert opened.read().gpu_power_w == power_w


def test_gpus_of_further_nodes_leave_nothing_to_add_up(nvml: RecordedNvml) -> None:
    """Two nodes of three GPUs: this node's share is not the run's energy."""
    with open_machine(6) as opened:
        reading = opened.read()

    assert reading.gpu_power_w is reading.gpu_joules is reading.gpu_memory_bytes is None


def test_what_one_question_fails_on_leaves_the_other_answers(nvml: RecordedNvml) -> None:
    nvml.cards[0].millijoules = None
    with open_machine(1) as opened:
        reading = opened.read()

    assert (reading.gpu_joules, reading.gpu_power_w) == (None, 100.0)


def test_one_instance_of_a_split_gpu_has_memory_and_no_power(nvml: RecordedNvml) -> None:
    nvml.cards = [Card("GPU-0", "NVIDIA A100-SXM4-80GB", instances=[instance("MIG-0")])]
    with open_machine(1) as opened:
        reading = opened.read()

    assert reading.gpu_memory_bytes == GIB
    assert reading.gpu_power_w is reading.gpu_joules is reading.gpu_utilization is None


async def test_the_idle_power_is_read_once_it_falls_no_further(nvml: RecordedNvml) -> None:
    falling_mw = iter([400_000] * 5 + [200_000] * 5 + [100_000] * 5 + [99_500] * 5)
    nvml.nvmlDeviceGetPowerUsage = lambda card: next(falling_mw)  # type: ignore[method-assign]
    with open_machine(1) as opened:
        assert await opened.idle_power_w() == pytest.approx(99.5)


async def test_the_host_is_busy_for_the_share_of_its_time_since_the_last_reading(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whichever threads the readings are made in."""
    seconds = iter([(10.0, 100.0), (13.0, 104.0), (14.0, 108.0)])
    monkeypatch.setattr(machine, "_processor_seconds", lambda: next(seconds))
    with open_machine(0) as opened:
        shares = [(await asyncio.to_thread(opened.read)).host_utilization for _ in range(2)]

    assert shares == [pytest.approx(0.75), pytest.approx(0.25)]


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
