"""A split that a model does not allow is rejected with those that it does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.engines.configurations import LLAMA, MIXTURE, checkpoint
from tts_eval.engines.vllm import parallelism

NO_SPLIT: dict[str, Any] = {"tensor": 1, "pipeline": 1, "data": 1, "has_expert_parallel": False}


@pytest.mark.parametrize("split", [{"tensor": 2}, {"tensor": 12}, {"pipeline": 3}, {"data": 9}])
def test_what_divides_the_model_is_allowed(tmp_path: Path, split: dict[str, Any]) -> None:
    parallelism.check(checkpoint(tmp_path, "llama", LLAMA), **NO_SPLIT | split)


@pytest.mark.parametrize(
    ("split", "says"),
    [
        ({"tensor": 5}, "does not divide the model's 12 attention heads; allowed: 1, 2, 3, 4, 6, 12"),
        (
            {"tensor": 3},
            "neither divides the model's 4 key-value heads nor is a multiple of them; allowed: 1, 2, 4, 12",
        ),
        ({"pipeline": 4}, "is more than the model's 3 layers; allowed: 1 to 3"),
        ({"has_expert_parallel": True}, "model 'llama' has no experts; allowed: false"),
    ],
)
def test_what_does_not_is_refused(tmp_path: Path, split: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError) as refusal:
        parallelism.check(checkpoint(tmp_path, "llama", LLAMA), **NO_SPLIT | split)

    assert says in str(refusal.value)


def test_there_are_as_many_experts_as_workers(tmp_path: Path) -> None:
    model = checkpoint(tmp_path, "moe", MIXTURE)
    split: dict[str, Any] = {**NO_SPLIT, "tensor": 2, "has_expert_parallel": True}
    parallelism.check(model, **split | {"data": 2})

    with pytest.raises(ValueError, match="= 6 workers share the model's 4 experts; allowed: at most 4"):
        parallelism.check(model, **split | {"data": 3})
