"""Options of conf/ are composed alone, also while Hydra composes something else."""

from __future__ import annotations

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra

from tts_eval.options import CONF, option


def test_a_running_hydra_composes_on_after_an_option_was_read() -> None:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        assert option("hardware", "h100").name.startswith("NVIDIA H100")
        config = compose("config", ["model=pocket"], return_hydra_config=True)

    assert config.model.name == "pocket"
    assert not GlobalHydra.instance().is_initialized()


def test_an_option_that_builds_on_another_has_both() -> None:
    assert option("model", "qwen3_14b").thinking_end == "</think>"
