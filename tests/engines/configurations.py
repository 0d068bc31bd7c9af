"""Checkpoints that are nothing but a configuration: what is rejected before loading needs no weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tts_eval.model import Model

LLAMA = {
    "model_type": "llama",
    "architectures": ["LlamaForCausalLM"],
    "hidden_size": 96,
    "num_attention_heads": 12,
    "num_key_value_heads": 4,
    "num_hidden_layers": 3,
    "vocab_size": 64,
    "max_position_embeddings": 1024,
}
MIXTURE = {
    **LLAMA,
    "model_type": "qwen3_moe",
    "architectures": ["Qwen3MoeForCausalLM"],
    "num_experts": 4,
    "num_experts_per_tok": 2,
}


def checkpoint(folder: Path, name: str, fields: dict[str, Any], **changed: Any) -> Model:
    """Return a model called `name` whose folder holds a configuration with these fields."""
    path = folder / name
    path.mkdir()
    (path / "config.json").write_text(json.dumps({**fields, **changed}))
    return Model(name=name, path=str(path))
