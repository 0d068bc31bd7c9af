"""The architectures that vLLM does not know by itself, by name; importing this costs nothing.

vLLM loads it in every process (the entry point `vllm.general_plugins`), on other nodes too.
"""

from __future__ import annotations

OURS = {"Qwen2ForPrmModel": "tts_eval.engines.vllm.models:Qwen2ForPrmModel"}


def register_our_models() -> None:
    """Register them with vLLM; each is imported only when a checkpoint names it."""
    from vllm import ModelRegistry

    for architecture, where in OURS.items():
        ModelRegistry.register_model(architecture, where)
