"""The configured models say what their authors say: markers, instruction, recommended sampling."""

from __future__ import annotations

from pathlib import Path

import pytest
from hydra.utils import instantiate
from omegaconf import OmegaConf

from tts_eval.model import Model

CONF = Path(__file__).resolve().parents[1] / "conf" / "model"
SIZES = {
    "r1_distill_qwen": ("1_5b", "7b", "14b", "32b"),
    "r1_distill_llama": ("8b", "70b"),
    "s1_1": ("1_5b", "7b", "14b", "32b"),
    "qwen3": ("0_6b", "1_7b", "4b", "8b", "14b", "32b"),
}
HUB = {
    "r1_distill_qwen": "deepseek-ai/DeepSeek-R1-Distill-Qwen-",
    "r1_distill_llama": "deepseek-ai/DeepSeek-R1-Distill-Llama-",
    "s1_1": "simplescaling/s1.1-",
    "qwen3": "Qwen/Qwen3-",
}
OPTIONS = [(family, size) for family, sizes in SIZES.items() for size in sizes]


def configured(option: str) -> Model:
    model = instantiate(OmegaConf.load(CONF / f"{option}.yaml"), _convert_="all")
    assert isinstance(model, Model)
    return model


@pytest.mark.parametrize(("family", "size"), OPTIONS)
def test_name_and_hub_id_follow_from_the_option(family: str, size: str) -> None:
    model = configured(f"{family}_{size}")

    assert model.name == f"{family}_{size}"
    assert model.path == HUB[family] + size.replace("_", ".").replace("b", "B")


@pytest.mark.parametrize(("family", "size"), OPTIONS)
def test_sizes_of_a_family_differ_in_nothing_else(family: str, size: str) -> None:
    def shared(option: str) -> dict[object, object]:
        settings = OmegaConf.to_container(OmegaConf.load(CONF / f"{option}.yaml"))
        assert isinstance(settings, dict)
        own = ("name", "path", "draft_path", "eagle3_path", "config_json")
        return {key: value for key, value in settings.items() if key not in own}

    assert shared(f"{family}_{size}") == shared(f"{family}_{SIZES[family][0]}")


@pytest.mark.parametrize(("family", "size"), OPTIONS)
def test_a_forced_answer_ends_the_thinking_and_opens_a_box(family: str, size: str) -> None:
    model = configured(f"{family}_{size}")

    assert model.thinking_end is not None
    thinking, _, answer = model.answer_lead_in.partition(model.thinking_end)
    assert model.thinking_end in model.answer_lead_in
    assert "boxed" not in thinking
    assert answer.endswith("\\boxed{")
    assert model.instruction.endswith("put your final answer within \\boxed{}.")
    assert model.sampling.temperature > 0  # a vote over greedy samples would be a vote of one


def test_only_an_own_checkpoint_is_without_a_path() -> None:
    files = {file.stem: OmegaConf.load(file) for file in CONF.glob("*.yaml")}
    without_path = [option for option, file in files.items() if OmegaConf.is_missing(file, "path")]

    assert without_path == ["local"]
