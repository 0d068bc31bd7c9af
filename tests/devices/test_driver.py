"""The GPUs that CUDA would use are those that are read, however CUDA_VISIBLE_DEVICES names them."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from tests.devices.recorded import GIB, H100, Card, RecordedNvml, instance
from tts_eval.devices import visible
from tts_eval.devices.driver import open_driver, visible_gpus

SPLIT = Card("GPU-5a11", "NVIDIA A100-SXM4-80GB", instances=[instance("MIG-0f"), instance("MIG-1e")])


@pytest.fixture
def nvml(monkeypatch: pytest.MonkeyPatch) -> Iterator[RecordedNvml]:
    fake = RecordedNvml([Card("GPU-aa01"), Card("GPU-aa02"), Card("GPU-bb03")])
    monkeypatch.setitem(sys.modules, "pynvml", fake)
    monkeypatch.delenv(visible.VARIABLE, raising=False)
    yield fake
    assert fake.num_open == 0


def uuids() -> list[str]:
    with open_driver() as driver:
        assert driver is not None
        return [gpu.uuid for gpu in driver.gpus()]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, ["GPU-aa01", "GPU-aa02", "GPU-bb03"]),
        ("2,0", ["GPU-bb03", "GPU-aa01"]),
        (" 1 , 2 ", ["GPU-aa02", "GPU-bb03"]),
        ("GPU-bb03,GPU-aa01", ["GPU-bb03", "GPU-aa01"]),
        ("GPU-b", ["GPU-bb03"]),  # shortened, as nvidia-smi users do
        ("GPU-aa", []),  # names two
        ("", []),
        ("-1", []),
        ("NoDevFiles", []),
        ("1,-1,2", ["GPU-aa02"]),  # CUDA reads up to the first that is none
        ("0,7,1", ["GPU-aa01"]),
        ("1,1", []),
    ],
)
def test_what_cuda_sees_is_seen(
    nvml: RecordedNvml, monkeypatch: pytest.MonkeyPatch, value: str | None, expected: list[str]
) -> None:
    if value is not None:
        monkeypatch.setenv(visible.VARIABLE, value)

    assert uuids() == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(None, ["MIG-0f"]), ("0", ["MIG-0f"]), ("MIG-1e", ["MIG-1e"]), ("GPU-5a11", ["GPU-5a11"])],
)
def test_a_split_gpu_is_one_instance(
    nvml: RecordedNvml, monkeypatch: pytest.MonkeyPatch, value: str | None, expected: list[str]
) -> None:
    nvml.cards = [SPLIT]
    if value is not None:
        monkeypatch.setenv(visible.VARIABLE, value)

    assert uuids() == expected


def test_facts_come_in_plain_units_and_what_has_no_answer_is_none(nvml: RecordedNvml) -> None:
    nvml.driver = b"580.65.06"
    nvml.cards = [Card("GPU-0"), Card("GPU-1", "NVIDIA GB10", total=None), instance("MIG-0f")]
    whole, unified, slice_ = visible_gpus()

    assert (whole.name, whole.memory_bytes, whole.power_limit_w) == (H100, 80 * GIB, 700.0)
    assert whole.driver == "580.65.06"
    assert (unified.memory_bytes, slice_.power_limit_w) == (None, None)


def test_a_machine_without_a_driver_has_no_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    class NoLibrary(RecordedNvml):
        def nvmlInit(self) -> None:
            raise self.NVMLError("libnvidia-ml.so.1: cannot open shared object file")

    monkeypatch.setitem(sys.modules, "pynvml", NoLibrary([Card("GPU-aa01")]))
    assert visible_gpus() == []
    monkeypatch.setitem(sys.modules, "pynvml", None)  # importing it fails
    assert visible_gpus() == []


@pytest.mark.parametrize(
    ("value", "first", "number", "expected"),
    [
        (None, 1, None, "1,2,3"),
        (None, 2, 2, "2,3"),
        ("6,4,GPU-bb03", 1, 1, "4"),
        ("6,4,GPU-bb03", 0, None, "6,4,GPU-bb03"),
    ],
)
def test_a_subset_keeps_the_names_that_are_there(
    monkeypatch: pytest.MonkeyPatch, value: str | None, first: int, number: int | None, expected: str
) -> None:
    monkeypatch.delenv(visible.VARIABLE, raising=False)
    if value is not None:
        monkeypatch.setenv(visible.VARIABLE, value)

    assert visible.subset(first, number, num_visible=4 if value is None else 3) == expected


def test_more_gpus_than_there_are_cannot_be_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(visible.VARIABLE, "0,1")

    with pytest.raises(visible.TooFewGpus, match="2 GPUs from number 1 on: this process may use 2"):
        visible.subset(1, 2, num_visible=2)
