"""The pocket models behind the real engine: settings of vLLM for models this small, and ways to call it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from pocket import tokenizer as tok

if TYPE_CHECKING:
    from vllm import LLM

Ids = list[int]


def engine(folder: Path, **overrides: Any) -> LLM:
    """Start vLLM on a checkpoint, on CPU with one thread; close it with `shut_down`."""
    for name, value in (
        ("OMP_NUM_THREADS", "1"),
        ("TORCHDYNAMO_DISABLE", "1"),
        ("VLLM_LOGGING_LEVEL", "ERROR"),
    ):
        os.environ.setdefault(name, value)
    os.environ.update(HF_HUB_OFFLINE="1", VLLM_NO_USAGE_STATS="1")
    os.environ.pop("VLLM_CPU_KVCACHE_SPACE", None)
    from vllm import LLM

    settings: dict[str, Any] = {
        "model": str(folder),
        "dtype": "float32",
        "max_model_len": 1024,
        "max_num_seqs": 256,
        "max_num_batched_tokens": 8192,
        "enforce_eager": True,
        "disable_log_stats": False,
        "seed": 0,
    }
    if not torch.cuda.is_available():
        settings |= {
            "kv_cache_memory_bytes": 512 << 20,
            "block_size": 32,
            "distributed_executor_backend": "vllm.v1.executor.uniproc_executor.UniProcExecutor",
        }
    return LLM(**(settings | overrides))


def prm_engine(folder: Path) -> LLM:
    """Start vLLM on the process reward model, which is read at the ends of steps."""
    from vllm.config import PoolerConfig

    return engine(
        folder, runner="pooling", pooler_config=PoolerConfig(tok_pooling_type="STEP", step_tag_id=tok.SEP)
    )


def shut_down(llm: LLM) -> None:
    """End the engine's process."""
    llm.llm_engine.engine_core.shutdown()


def generate(llm: LLM, prompts: Sequence[Ids], *, n: int = 1, **sampling: Any) -> list[list[Ids]]:
    """Return `n` continuations per prompt; end and stop tokens are kept."""
    from vllm import SamplingParams

    params = SamplingParams(n=n, detokenize=False, **sampling)
    outputs = llm.generate([{"prompt_token_ids": ids} for ids in prompts], params, use_tqdm=False)
    return [[list(sample.token_ids) for sample in output.outputs] for output in outputs]


def step_scores(prm: LLM, traces: Sequence[Ids]) -> list[list[float]]:
    """Return the probability that each trace is right up to the end of each piece, the answer included.

    A last piece that no blank line ends is closed by one, for the PRM is read there.
    """
    closed = [ids if ids[-1] == tok.SEP else [*ids, tok.SEP] for ids in traces]
    outputs = prm.encode(
        [{"prompt_token_ids": ids} for ids in closed], pooling_task="token_classify", use_tqdm=False
    )
    return [output.outputs.data[:, 1].tolist() for output in outputs]


def outcome_scores(orm: LLM, traces: Sequence[Ids]) -> list[float]:
    """Return the probability that each trace ends in the right answer."""
    outputs = orm.classify([{"prompt_token_ids": ids} for ids in traces], use_tqdm=False)
    return [output.outputs.probs[0] for output in outputs]


def mean_acceptance_length(llm: LLM) -> float:
    """Return the mean number of tokens that a verification step of speculative decoding yields."""
    counts = {metric.name: getattr(metric, "value", 0) for metric in llm.get_metrics()}
    accepted, drafts = counts["vllm:spec_decode_num_accepted_tokens"], counts["vllm:spec_decode_num_drafts"]
    return 1 + float(accepted) / float(drafts)
