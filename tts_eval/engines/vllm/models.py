"""Model architectures that vLLM does not know by itself.

Knows no engine. Registered in the program and in every engine core; workers of a core that spawns them
(tensor or pipeline parallel where CUDA was used before) do not get them.
"""

from __future__ import annotations

from vllm import ModelRegistry

OURS = {"Qwen2ForPrmModel": "tts_eval.engines.vllm.value_head:Qwen2ForPrmModel"}


def register_our_models() -> None:
    """Tell vLLM of them; each is imported only when a checkpoint names it."""
    for architecture, where in OURS.items():
        ModelRegistry.register_model(architecture, where)
