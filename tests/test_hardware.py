"""Costs come from stated prices: the machine is recognised, the user's own price goes before ours."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hydra.utils import instantiate
from omegaconf import OmegaConf

from tts_eval.hardware import Hardware, recognised
from tts_eval.options import option_names, options

OPTIONS = options("hardware", option_names("hardware"))


def configured(option: str, **overrides: Any) -> Hardware:
    hardware = instantiate(OmegaConf.merge(OPTIONS[option], overrides))
    assert isinstance(hardware, Hardware)
    return hardware


@pytest.fixture
def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return what puts an nvidia-smi with the given answer on the path, where there is no other."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    recognised.cache_clear()

    def install(gpus: str) -> None:
        script = tmp_path / "nvidia-smi"
        script.write_text(f"#!/bin/sh\necho \"$@\" > {tmp_path}/asked\nprintf '{gpus}'\n")
        script.chmod(0o755)

    return install


def test_a_known_gpu_is_recognised(driver: Callable[[str], None]) -> None:
    driver("NVIDIA H100 80GB HBM3, 81559\\nNVIDIA H100 80GB HBM3, 81559\\n")

    assert configured("auto") == configured("h100")


def test_the_users_own_price_goes_before_the_list_price(driver: Callable[[str], None]) -> None:
    driver("NVIDIA H200, 143771\\n")

    for hardware in (configured("auto", usd_per_gpu_hour=1.25), configured("h200", usd_per_gpu_hour=1.25)):
        assert hardware.name == "NVIDIA H200 SXM"
        assert hardware.usd_per_gpu_hour == 1.25
        assert (hardware.usd_per_gpu_hour_low, hardware.usd_per_gpu_hour_high) == (1.25, 1.25)
        assert (hardware.price_source, hardware.price_as_of) == ("given by the user", None)


def test_an_unknown_gpu_has_no_price_until_one_is_given(
    driver: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    driver("NVIDIA Novelty, 1000\\n")

    hardware = configured("auto")

    assert hardware.name == "NVIDIA Novelty"
    assert hardware.memory_gb == pytest.approx(1.048576)
    assert hardware.usd_per_gpu_hour is None
    assert "no price known for NVIDIA Novelty" in capsys.readouterr().err
    assert configured("auto", usd_per_gpu_hour=2).usd_per_gpu_hour == 2
    assert capsys.readouterr().err == ""


def test_a_gpu_that_shares_the_hosts_memory_has_none_of_its_own(driver: Callable[[str], None]) -> None:
    driver("NVIDIA GB10, [N/A]\\n")

    assert configured("auto", usd_per_gpu_hour=1) == Hardware("NVIDIA GB10", usd_per_gpu_hour=1)


def test_a_machine_without_gpus_counts_as_a_priced_one(driver: Callable[[str], None]) -> None:
    assert configured("auto") == configured("cpu")
    assert configured("cpu").usd_per_gpu_hour == 0.0832


def test_hidden_gpus_do_not_count(driver: Callable[[str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    driver("NVIDIA H200, 143771\\n")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")

    assert configured("auto").name == "CPU"


def test_the_first_visible_gpu_is_asked_for(
    driver: Callable[[str], None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    driver("NVIDIA H200, 143771\\n")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,1")

    configured("auto")

    assert (tmp_path / "asked").read_text().strip().endswith("-i 3")


@pytest.mark.parametrize("option", [option for option in OPTIONS if option != "auto"])
def test_every_price_has_a_source_a_date_and_a_band_around_it(option: str) -> None:
    hardware = configured(option)

    assert hardware.price_source
    assert hardware.price_as_of
    assert hardware.usd_per_gpu_hour is not None
    assert hardware.usd_per_gpu_hour_low is not None
    assert hardware.usd_per_gpu_hour_high is not None
    assert hardware.usd_per_gpu_hour_low <= hardware.usd_per_gpu_hour <= hardware.usd_per_gpu_hour_high


def test_no_two_files_claim_the_same_gpu() -> None:
    names = [name for option in OPTIONS if option != "auto" for name in configured(option).device_names]

    assert len(names) == len(set(names)) == 9


@pytest.mark.parametrize("value", [-1, "cheap", float("nan")])
def test_a_price_must_be_a_number(value: object) -> None:
    with pytest.raises(ValueError, match=r"hardware\.usd_per_gpu_hour must be a number from 0 or more, not "):
        Hardware("x", usd_per_gpu_hour=value)  # type: ignore[arg-type]
