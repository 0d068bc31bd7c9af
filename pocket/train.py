"""Train all five pocket models from nothing: `python -m pocket.train [--seed 0] [--out DIR] [...]`.

The order and the token counts are here; how each model learns is in its own module.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import torch
from safetensors.torch import load_file
from transformers import Qwen2ForCausalLM

from pocket.fitting import Schedule
from pocket.language_model import train_language_model
from pocket.process_reward_model import ProcessRewardModel
from pocket.reward_models import train_orm, train_prm, training_traces

SCHEDULES = {
    "reasoner": Schedule(tokens=3_500_000, learning_rate=2e-3, decay_share=0.4, polish_tokens=1_300_000),
    "weak": Schedule(tokens=2_500_000, learning_rate=2.5e-3, decay_share=0.4),
    "draft": Schedule(tokens=3_000_000, learning_rate=3e-3),
    "prm": Schedule(tokens=2_000_000, learning_rate=1.5e-3),
    "orm": Schedule(tokens=60_000, learning_rate=2e-3),
}
NUM_TRACES, NUM_SYNTHETIC = 5000, 20_000  # of the reasoner, and made ones
FAST_TOKENS, FAST_TRACES = 150_000, 140


def train_all(out: Path, *, seed: int, fast: bool, resume: bool) -> dict[str, list[float]]:
    """Train the five models into `out/NAME`; return the logged losses of each that was not there already."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    losses: dict[str, list[float]] = {}

    def schedule_of(name: str) -> Schedule | None:
        """Return the schedule, or None when the model is finished."""
        if (
            resume
            and (out / name / "model.safetensors").exists()
            and not (out / name / "checkpoint.pt").exists()
        ):
            return None
        schedule = SCHEDULES[name]
        return Schedule(FAST_TOKENS, schedule.learning_rate) if fast else schedule

    for name in ("reasoner", "weak", "draft"):
        if schedule := schedule_of(name):
            losses[name] = train_language_model(
                name, schedule, out / name, seed=seed, resume=resume, fast=fast, device=device
            )
    prm_schedule, orm_schedule = schedule_of("prm"), schedule_of("orm")
    if prm_schedule or orm_schedule:
        reasoner = Qwen2ForCausalLM.from_pretrained(out / "reasoner").eval()
        num_traces = (FAST_TRACES, FAST_TRACES) if fast else (NUM_TRACES, NUM_SYNTHETIC)
        traces = training_traces(reasoner, *num_traces, seed=seed)
        if prm_schedule:
            losses["prm"] = train_prm(
                reasoner,
                traces,
                prm_schedule,
                out / "prm",
                seed=seed,
                resume=resume,
                fast=fast,
                device=device,
            )
        if orm_schedule:
            prm = ProcessRewardModel(fast=fast)
            prm.load_state_dict(load_file(out / "prm" / "model.safetensors"))
            losses["orm"] = train_orm(
                prm, traces, orm_schedule, out / "orm", seed=seed, resume=resume, fast=fast, device=device
            )
    return losses


def main() -> None:
    """Parse the command line and train."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    parser.add_argument("--fast", action="store_true", help="a small model for less than a minute, for tests")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoints in --out")
    options = parser.parse_args()
    began = time.perf_counter()
    losses = train_all(options.out, seed=options.seed, fast=options.fast, resume=options.resume)
    for name, values in losses.items():
        print(f"{name}: loss {values[0]:.3f} -> {values[-1]:.3f}")
    print(f"{time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
