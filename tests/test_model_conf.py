"""The configured models say what their authors say: markers, instruction, recommended sampling."""

from __future__ import annotations

from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from omegaconf import OmegaConf

import tts_eval.command.launch  # noqa: F401  (registers the resolvers that conf/config.yaml uses)
from tts_eval.model import Model
from tts_eval.options import CONF, option, option_names, options

MODELS = options("model", option_names("model"))
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
    model = instantiate(MODELS[option], _convert_="all")
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
        settings = OmegaConf.to_container(MODELS[option])
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
    without_path = [option for option, model in MODELS.items() if OmegaConf.is_missing(model, "path")]

    assert without_path == ["local"]


@pytest.mark.parametrize("program", ["config", "plan"])
def test_a_family_is_no_option(program: str) -> None:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        template = compose(program, return_hydra_config=True).hydra.help.template
    listed = dict(line.split(": ", 1) for line in template.splitlines() if ": " in line)

    assert listed["model"].split(", ") == list(MODELS)
    assert "experiment/catalogue" in listed and "model/family" not in listed


def test_a_model_of_a_known_family_is_its_name_its_path_and_its_sizes() -> None:
    """The rest is the family's, wherever the model is put: as the policy, or in another role."""
    own: Any = OmegaConf.load(CONF / "model" / "qwen3_4b.yaml")
    family = option("model/family", "qwen3")

    assert set(own) == {"defaults", "name", "path", "draft_path", "config_json"}
    assert MODELS["qwen3_4b"] == OmegaConf.merge(family, {key: own[key] for key in own if key != "defaults"})
