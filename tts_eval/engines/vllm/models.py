"""Model architectures that vLLM does not know by itself; `tts_eval.engines.vllm.plugin` registers them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from vllm.model_executor.layers.linear import ReplicatedLinear
from vllm.model_executor.models.qwen2_rm import Qwen2ForRewardModel
from vllm.model_executor.models.utils import AutoWeightsLoader, WeightsMapper


class Qwen2ForPrmModel(Qwen2ForRewardModel):  # type: ignore[misc]  # vLLM is not followed by mypy
    """vLLM's one-label Qwen2 reward model with one linear layer for a head, as the checkpoint has it."""

    def __init__(self, *, vllm_config: Any, prefix: str = "") -> None:
        super().__init__(vllm_config=vllm_config, prefix=prefix)
        self.score = ReplicatedLinear(
            self.config.hidden_size, 1, bias=True, params_dtype=self.head_dtype, return_bias=False
        )

    def load_weights(self, weights: Iterable[tuple[str, torch.Tensor]]) -> set[str]:
        """Load the checkpoint under the names it has for the layers and the head."""
        mapper = WeightsMapper(orig_to_new_prefix={"pretrained_model.": "", "v_head.summary.": "score."})
        loader = AutoWeightsLoader(self, ignore_unexpected_prefixes=["lm_head."])
        return set(loader.load_weights(mapper.apply(weights)))
