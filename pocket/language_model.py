"""Training of the models that write: the reasoner, the weaker reasoner and the draft, all on the same traces.

The mix of traces: plain ones, some checked again after `Wait`, some cut short.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from transformers import GenerationConfig, Qwen2ForCausalLM

from pocket import tokenizer as tok
from pocket.architecture import config_of, start_copying
from pocket.fitting import Schedule, fit
from pocket.gap import gap_table
from pocket.traces import Batch, Table, cut_traces, drills, plain_traces, rechecked_traces, twin_traces

BATCH_TOKENS, DRILL_TOKENS = 1200, 2500  # copying wants many small steps, the table large batches
DRILL_SIZE = 8
POLISHED = 3  # the shortest problems while polishing
LONGEST = 12
TEMPERATURE = 0.6  # recommended for sampling: the best single sample on the dev split
CUT_SHARE, RECHECKED_SHARE, TWIN_SHARE = 0.10, 0.20, 0.30
WEAK_LARGEST_KNOWN = 40  # the weaker reasoner cannot even multiply by all factors of the problems


def trace_length(size: int) -> int:
    """Tokens of a plain trace with its prompt."""
    return 2 + size + 4 + 7 * (size - 1) + size * (size - 1) // 2 + 5


def drill_share(progress: float) -> float:
    """Share of batches that drill the table: none until lists are copied, then half until it is known."""
    return 0.0 if progress < 0.2 else 0.5 if progress < 0.6 else 0.1


def draw_batch(rng: np.random.Generator, gap: Table, progress: float) -> Batch:
    """Draw drills, or traces of one random length."""
    if rng.random() < drill_share(progress):
        return drills(rng, DRILL_TOKENS // (6 * DRILL_SIZE), DRILL_SIZE, gap)
    size = int(rng.integers(2 if progress < 1 else POLISHED, LONGEST + 1))
    kind = rng.random()
    rows = max(2, BATCH_TOKENS // trace_length(size))
    if kind < CUT_SHARE:
        return cut_traces(rng, rows, size, gap)
    if kind < CUT_SHARE + RECHECKED_SHARE:
        return rechecked_traces(rng, max(2, rows // 2), size, gap)
    if kind < CUT_SHARE + RECHECKED_SHARE + TWIN_SHARE:
        return twin_traces(rng, rows, size, gap)
    return plain_traces(rng, rows, size, gap)


def language_loss(logits: Tensor, batch: Batch) -> Tensor:
    """Weighted mean cross-entropy of the next tokens; a free choice costs its mean over all that is right."""
    logs = functional.log_softmax(logits[:, :-1], dim=-1)
    targets, scale = (torch.from_numpy(a[:, 1:]).to(logits.device) for a in (batch.ids, batch.weights))
    total = -(logs.gather(2, targets[..., None])[..., 0] * scale).sum()
    for column, options in batch.choices.items():
        right = torch.from_numpy(options).to(logits.device)
        total = total - logs[:, column - 1].gather(1, right).mean(dim=1).sum()
    return total / (scale.sum() + len(batch.ids) * len(batch.choices))


def train_language_model(
    name: str, schedule: Schedule, folder: Path, *, seed: int, resume: bool, fast: bool, device: torch.device
) -> list[float]:
    """Train one of `reasoner`, `weak` and `draft` from scratch and save it; return the logged losses."""
    torch.manual_seed(seed)
    gap = gap_table(WEAK_LARGEST_KNOWN) if name == "weak" else gap_table()
    model = Qwen2ForCausalLM(config_of(name, fast=fast))
    start_copying(model.model)
    model.to(device)

    def loss_of(rng: np.random.Generator, progress: float) -> tuple[Tensor, int]:
        batch = draw_batch(rng, gap, 0.0 if name == "draft" else progress)  # a draft needs no table
        ids = torch.from_numpy(batch.ids).to(device)
        logits = model(input_ids=ids, use_cache=False).logits
        return language_loss(logits, batch), ids.numel()

    losses = fit(model, loss_of, schedule, folder, seed=seed, resume=resume)
    model.generation_config = GenerationConfig(
        do_sample=True, temperature=TEMPERATURE, top_p=1.0, eos_token_id=tok.EOS_ID, pad_token_id=tok.PAD_ID
    )
    model.save_pretrained(folder)
    tok.save_tokenizer(folder)
    return losses
