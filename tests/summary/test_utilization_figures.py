"""Shares of a GPU's speeds, worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.summary.outcomes import call
from tests.summary.test_flops import TARGET
from tts_eval.hardware import Hardware
from tts_eval.requests import EngineFacts
from tts_eval.rundir.schema import plain
from tts_eval.spend import Call
from tts_eval.summary.sessions import Held, Session
from tts_eval.summary.utilization import utilization_figures

CALL = call("a", "policy", 0.0, 2.0, prompt=10, generated=21)
ENGINE = EngineFacts(
    "vllm",
    "1",
    "cuda",
    num_gpus=2,
    max_model_len=64,
    startup_s=0.0,
    settings={"dtype": "bfloat16", "kv_cache_dtype": "auto"},
)
GPU = Hardware("paper", bf16_tflops=100, fp8_tflops=200, bandwidth_gb_per_s=1000)


def session(own: Call = CALL, **changed: Any) -> Session:
    given: dict[str, Any] = {
        "number": 0,
        "outcomes": (),
        "held_s": 2.0,
        "holdings": [Held(["policy"], 2)],
        "num_steps": 21,
        "engine": ENGINE,
        "hardware": GPU,
        "api_prices": {},
    }
    return Session(calls=[own], **given | changed)


def figures(*, config: Any = TARGET, **changed: Any) -> Any:
    return plain(utilization_figures([session(**changed)], 4e12, config=config))


def test_flops_over_those_of_the_gpus() -> None:
    """4 TFLOP in 2 s, of 2 GPUs x 100 TFLOP/s."""
    found = figures()

    assert found["achieved_flops_per_s"] == 2e12
    assert found["mfu"] == pytest.approx(0.01)


def test_bytes_over_those_of_the_gpus() -> None:
    """Each of 21 steps reads the weights, each of 20 passes a cache of 20 tokens on average."""
    attention, ffn, head = 4 * 8 * 8, 3 * 8 * 16, 8 * 32
    weights = 2 * (2 * (attention + ffn) + head)
    cache = 20 * (2 * 2 * 8) * 2  # tokens x (layers x key and value x width) x bytes
    found = figures()

    assert found["achieved_bytes_per_s"] == pytest.approx((21 * weights + 20 * cache) / 2)
    assert found["bandwidth_utilization"] == pytest.approx((21 * weights + 20 * cache) / 2 / 2e12)


def test_an_accepted_draft_token_reads_no_cache_of_its_own() -> None:
    drafted = call(
        "a", "policy", 0.0, 2.0, prompt=10, generated=21, num_draft_tokens=9, num_accepted_tokens=5
    )
    one, other = (
        plain(utilization_figures([session(each, held_s=1.0)], None, config=TARGET))["achieved_bytes_per_s"]
        for each in (CALL, drafted)
    )

    assert one - other == 5 * 20 * (2 * 2 * 8) * 2


def test_sessions_are_held_against_the_peaks_of_their_own_machines() -> None:
    """2 s of 2 GPUs of 100 TFLOP/s and 1 TB/s, then 6 s of 1 GPU of 400 TFLOP/s and 3 TB/s."""
    other = Hardware("paper", bf16_tflops=400, bandwidth_gb_per_s=3000)
    one = [Held(["policy"], 1)]
    later = session(number=1, held_s=6.0, holdings=one, hardware=other, engine=replace(ENGINE, num_gpus=1))
    found = plain(utilization_figures([session(), later], 28e12, config=TARGET))
    num_bytes = 2 * figures()["achieved_bytes_per_s"]  # of each

    assert found["achieved_flops_per_s"] == pytest.approx(28e12 / 8)
    assert found["mfu"] == pytest.approx(28 / (2 * 2 * 100 + 6 * 400))
    assert found["achieved_bytes_per_s"] == pytest.approx(2 * num_bytes / 8)
    assert found["bandwidth_utilization"] == pytest.approx(2 * num_bytes / (2 * 2e12 + 6 * 3e12))
    unknown = replace(later, hardware=Hardware("paper"))
    found = plain(utilization_figures([session(), unknown], 28e12, config=TARGET))
    assert found["mfu"] is found["bandwidth_utilization"] is None


@pytest.mark.parametrize(
    ("changed", "known"),
    [
        (
            {"hardware": Hardware("paper")},
            {"achieved_flops_per_s", "achieved_bytes_per_s"},
        ),  # an unknown CPU
        (
            {"engine": replace(ENGINE, settings={"dtype": "float32"})},
            {"achieved_flops_per_s", "achieved_bytes_per_s", "bandwidth_utilization"},
        ),
        ({"config": None}, {"achieved_flops_per_s", "mfu"}),
        ({"num_steps": 0}, {"achieved_flops_per_s", "mfu"}),
    ],
)
def test_what_is_not_known_is_not_told(changed: dict[str, Any], known: set[str]) -> None:
    assert {name for name, value in figures(**changed).items() if value is not None} == known


FP8 = {"quant_method": "fp8", "activation_scheme": "dynamic"}
INT4 = {"quant_method": "gptq", "bits": 4, "group_size": 128}
BNB = {"quant_method": "bitsandbytes", "load_in_4bit": True}
W4A16 = {
    "quant_method": "compressed-tensors",
    "config_groups": {"group_0": {"weights": {"num_bits": 4, "type": "int", "group_size": 128}}},
}
W8A8 = {
    "quant_method": "compressed-tensors",
    "config_groups": {
        "group_0": {
            "weights": {"num_bits": 8, "type": "float"},
            "input_activations": {"num_bits": 8, "type": "float"},
        }
    },
}
UNHEARD = {"quant_method": "unheard of"}


@pytest.mark.parametrize(
    ("quantised", "layer_bytes", "tflops"),
    [
        (FP8, 1, 200),
        (INT4, 0.5 + 2.5 / 128, 100),
        (BNB, 0.5 + 4 / 64, 100),
        (W4A16, 0.5 + 2.5 / 128, 100),
        (W8A8, 1, 200),
        (UNHEARD, None, None),
    ],
)
def test_quantised_weights_take_the_bytes_and_the_peak_of_their_format(
    quantised: dict[str, Any], layer_bytes: float | None, tflops: float | None
) -> None:
    """Layers are quantised, lm_head and the KV cache stay at two bytes."""
    layers, head, cache = 2 * (4 * 8 * 8 + 3 * 8 * 16), 8 * 32, 20 * (2 * 2 * 8) * 2
    found = figures(config={**TARGET, "quantization_config": quantised})

    if layer_bytes is None or tflops is None:
        assert (found["mfu"], found["bandwidth_utilization"]) == (None, None)
        return
    read = 21 * (layers * layer_bytes + head * 2) + 20 * cache
    assert found["achieved_bytes_per_s"] == pytest.approx(read / 2)
    assert found["mfu"] == pytest.approx(2e12 / (2 * tflops * 1e12))


def test_weights_quantised_while_loading_are_those_of_the_engine() -> None:
    engine = replace(ENGINE, settings={**ENGINE.settings, "quantization": "fp8"})
    assert figures(engine=engine)["mfu"] == pytest.approx(0.005)
