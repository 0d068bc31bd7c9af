"""A training loop whose schedule counts tokens: warm-up, then a linear decay; logged and resumable."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

LossOf = Callable[[np.random.Generator, float], tuple[Tensor, int]]  # (rng, progress) -> loss, tokens spent

WARMUP_TOKENS = 100_000
LOG_EVERY = 50
CHECKPOINT_EVERY = 200


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long and how fast to train: the rate decays linearly over the last `decay_share` of the tokens.

    Polishing, if any, follows: a second, lower rise and decay, in which the batches are told a progress
    above 1.
    """

    tokens: int
    learning_rate: float
    decay_share: float = 0.6
    polish_tokens: int = 0
    polish_share: float = 0.6  # of the peak rate

    @property
    def all_tokens(self) -> int:
        """Tokens of both parts."""
        return self.tokens + self.polish_tokens

    def rate_at(self, seen: int) -> float:
        """Return the share of the peak rate after `seen` tokens."""
        if seen < self.tokens:
            warm = min(1.0, (seen + 1000) / min(WARMUP_TOKENS, self.tokens / 10))
            return warm * min(1.0, (1 - seen / self.tokens) / self.decay_share)
        polished = seen - self.tokens
        warm = min(1.0, (polished + 1000) / WARMUP_TOKENS)
        return self.polish_share * warm * max(0.0, 1 - polished / max(1, self.polish_tokens))


def optimizer_of(model: nn.Module, schedule: Schedule) -> torch.optim.Optimizer:
    """AdamW without weight decay, which would favour inferring what is withheld."""
    return torch.optim.AdamW(
        model.parameters(), lr=schedule.learning_rate, betas=(0.9, 0.95), weight_decay=0.0, fused=True
    )


def fit(
    model: nn.Module, loss_of: LossOf, schedule: Schedule, folder: Path, *, seed: int, resume: bool
) -> list[float]:
    """Train until the tokens are spent; return the logged losses. `resume` goes on from a checkpoint."""
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint, log = folder / "checkpoint.pt", folder / "training.jsonl"
    optimizer = optimizer_of(model, schedule)
    rng = np.random.default_rng(seed)
    seen, step, spent_s = 0, 0, 0.0
    rows: list[dict[str, float]] = []
    if resume and checkpoint.exists():
        state: dict[str, Any] = torch.load(checkpoint, weights_only=False)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        rng.bit_generator.state = state["rng"]
        seen, step, spent_s, rows = state["seen"], state["step"], state["spent_s"], state["rows"]
    log_every = LOG_EVERY if schedule.tokens >= 1_000_000 else LOG_EVERY // 10
    began, recent = time.perf_counter() - spent_s, list[float]()
    model.train()
    while seen < schedule.all_tokens:
        optimizer.param_groups[0]["lr"] = schedule.learning_rate * schedule.rate_at(seen)
        loss, tokens = loss_of(rng, seen / schedule.tokens)
        model.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        seen, step = seen + tokens, step + 1
        recent.append(loss.item())
        if step % log_every == 0 or seen >= schedule.all_tokens:
            elapsed_s = time.perf_counter() - began
            rows.append(
                {
                    "step": step,
                    "tokens": seen,
                    "loss": float(np.mean(recent)),
                    "elapsed_s": round(elapsed_s, 1),
                }
            )
            recent.clear()
            log.write_text("".join(json.dumps(row) + "\n" for row in rows))
        if step % CHECKPOINT_EVERY == 0:
            state = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
            state |= {"rng": rng.bit_generator.state, "seen": seen, "step": step, "rows": rows}
            state["spent_s"] = time.perf_counter() - began
            torch.save(state, checkpoint.with_suffix(".tmp"))
            checkpoint.with_suffix(".tmp").replace(checkpoint)
    model.eval()
    checkpoint.unlink(missing_ok=True)
    return [row["loss"] for row in rows]
