"""Checkpoints without weights: a real model's sizes, drawn at random by vLLM (`load_format=dummy`).

The tokenizer is the pocket models', filled up to the vocabulary of the shape, so that whatever such a model
says is text.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from tts_eval.model import PROJECT_ROOT
from tts_eval.rundir.manifest import Config

TOKENIZER_FROM = PROJECT_ROOT / "pocket" / "reasoner"
SMALL = {  # for a machine without a GPU
    "model_type": "qwen2",
    "num_hidden_layers": 4,
    "hidden_size": 256,
    "intermediate_size": 768,
    "num_attention_heads": 8,
    "num_key_value_heads": 4,
    "head_dim": 32,
    "vocab_size": 2048,
    "tie_word_embeddings": False,
}
EXPERTS = {  # a mixture that two to eight GPUs share out
    "model_type": "qwen3_moe",
    "num_hidden_layers": 8,
    "hidden_size": 1024,
    "intermediate_size": 3072,
    "moe_intermediate_size": 768,
    "num_experts": 32,
    "num_experts_per_tok": 4,
    "norm_topk_prob": True,
    "num_attention_heads": 16,
    "num_key_value_heads": 8,
    "head_dim": 64,
    "vocab_size": 32000,
    "tie_word_embeddings": False,
}
ARCHITECTURES = {"qwen2": "Qwen2ForCausalLM", "qwen3_moe": "Qwen3MoeForCausalLM"}


def sizes_of(option: str) -> Config:
    """Return the sizes that `conf/model/`option`.yaml` repeats from the checkpoint."""
    sizes: Any = OmegaConf.load(PROJECT_ROOT / "conf" / "model" / f"{option}.yaml").config_json
    return dict(sizes)


def write_shape(sizes: Config, folder: Path, *, dtype: str, max_position_embeddings: int = 4096) -> Path:
    """Write the checkpoint's folder, without weights, and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("tokenizer_config.json", "chat_template.jinja", "generation_config.json"):
        shutil.copy(TOKENIZER_FROM / name, folder)
    tokenizer = json.loads((TOKENIZER_FROM / "tokenizer.json").read_text(encoding="utf-8"))
    vocabulary: dict[str, int] = tokenizer["model"]["vocab"]
    vocabulary |= {f"w{number}": number for number in range(len(vocabulary), sizes["vocab_size"])}
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer), encoding="utf-8")
    config = {
        "architectures": [ARCHITECTURES[sizes["model_type"]]],
        "max_position_embeddings": max_position_embeddings,
        "rms_norm_eps": 1e-6,
        "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0},
        "hidden_act": "silu",
        "eos_token_id": 1,
        "pad_token_id": 0,
        "bos_token_id": None,
        "dtype": dtype,
        **sizes,
    }
    (folder / "config.json").write_text(json.dumps(config, indent=2), encoding="utf-8")
    return folder
