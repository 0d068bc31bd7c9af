"""Costs come from stated prices: the machine is recognised, the user's own price goes before ours."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest
from hydra.utils import instantiate
from omegaconf import OmegaConf

from tests.devices.recorded import Card, RecordedNvml, instance
from tts_eval.hardware import Hardware, recognised
from tts_eval.options import option_names, options

OPTIONS = options("hardware", option_names("hardware"))


def configured(option: str, **overrides: Any) -> Hardware:
    hardware = instantiate(OmegaConf.merge(OPTIONS[option], overrides))
    assert isinstance(hardware, Hardware)
    return hardware


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return what puts a driver with the given cards on the machine, where there is none."""
    monkeypatch.setitem(sys.modules, "pynvml", None)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    recognised.cache_clear()

    def install(*cards: Card) -> None:
        monkeypatch.setitem(sys.modules, "pynvml", RecordedNvml(cards))

    return install


def test_a_known_gpu_is_recognised(driver: Callable[..., None]) -> None:
    driver(Card("GPU-0"), Card("GPU-1"))

    assert configured("auto") == configured("h100")


def test_the_users_own_price_goes_before_the_list_price(driver: Callable[..., None]) -> None:
    driver(Card("GPU-0", "NVIDIA H200"))

    for hardware in (configured("auto", usd_per_gpu_hour=1.25), configured("h200", usd_per_gpu_hour=1.25)):
        assert hardware.name == "NVIDIA H200 SXM"
        assert hardware.usd_per_gpu_hour == 1.25
        assert (hardware.usd_per_gpu_hour_low, hardware.usd_per_gpu_hour_high) == (1.25, 1.25)
        assert (hardware.price_source, hardware.price_as_of) == ("given by the user", None)


def test_an_unknown_gpu_has_no_price_until_one_is_given(
    driver: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    driver(Card("GPU-0", "NVIDIA Novelty", total=2 * 10**9))

    hardware = configured("auto")

    assert hardware.name == "NVIDIA Novelty"
    assert hardware.memory_gb == pytest.approx(2.0)
    assert hardware.usd_per_gpu_hour is None
    assert "no price known for NVIDIA Novelty" in capsys.readouterr().err
    assert configured("auto", usd_per_gpu_hour=2).usd_per_gpu_hour == 2
    assert capsys.readouterr().err == ""


def test_an_instance_of_a_split_gpu_has_not_the_price_of_the_whole(driver: Callable[..., None]) -> None:
    driver(Card("GPU-0", "NVIDIA A100-SXM4-80GB", instances=[instance("MIG-0")]))
    hardware = configured("auto")

    assert (hardware.name, hardware.usd_per_gpu_hour) == ("NVIDIA A100-SXM4-80GB MIG 3g.40gb", None)
    assert hardware.bandwidth_gb_per_s is None


def test_a_known_gpu_without_a_list_price_says_so(
    driver: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    driver(Card("GPU-0", "Tesla T4"))

    assert configured("auto") == configured("t4")
    assert "no price known for NVIDIA T4" in capsys.readouterr().err


def test_gpus_that_differ_are_mentioned(
    driver: Callable[..., None], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    driver(Card("GPU-0"), Card("GPU-1", "NVIDIA L4"))

    assert configured("auto") == configured("h100")
    assert "GPUs differ (NVIDIA H100 80GB HBM3, NVIDIA L4)" in capsys.readouterr().err
    recognised.cache_clear()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert configured("auto") == configured("l4")


def test_a_gpu_that_shares_the_hosts_memory_has_none_of_its_own(driver: Callable[..., None]) -> None:
    driver(Card("GPU-0", "NVIDIA GB10", total=None))

    assert configured("auto", usd_per_gpu_hour=1) == Hardware("NVIDIA GB10", usd_per_gpu_hour=1)


def test_a_machine_without_gpus_counts_as_a_priced_one(driver: Callable[..., None]) -> None:
    assert configured("auto") == configured("cpu")
    assert configured("cpu").usd_per_gpu_hour == 0.0832


def test_hidden_gpus_do_not_count(driver: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    driver(Card("GPU-0", "NVIDIA H200"))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")

    assert configured("auto").name == "CPU"


@pytest.mark.parametrize("option", [option for option in OPTIONS if option != "auto"])
def test_every_price_has_a_source_a_date_and_a_band_around_it(option: str) -> None:
    hardware = configured(option)

    if hardware.usd_per_gpu_hour is None:
        assert (hardware.price_source, hardware.usd_per_gpu_hour_low, hardware.usd_per_gpu_hour_high) == (
            None,
        ) * 3
        return
    assert hardware.price_source
    assert hardware.price_as_of
    assert hardware.usd_per_gpu_hour is not None
    assert hardware.usd_per_gpu_hour_low is not None
    assert hardware.usd_per_gpu_hour_high is not None
    assert hardware.usd_per_gpu_hour_low <= hardware.usd_per_gpu_hour <= hardware.usd_per_gpu_hour_high


def test_no_two_files_claim_the_same_gpu() -> None:
    names = [name for option in OPTIONS if option != "auto" for name in configured(option).device_names]

    assert len(names) == len(set(names)) == 25


@pytest.mark.parametrize("value", [-1, "cheap", float("nan")])
def test_a_price_must_be_a_number(value: object) -> None:
    with pytest.raises(ValueError, match=r"hardware\.usd_per_gpu_hour must be a number from 0 or more, not "):
        Hardware("x", usd_per_gpu_hour=value)  # type: ignore[arg-type]
