"""Training: a fast run lets the loss fall, and a run that was cut off ends as one that was not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pocket.architecture import config_of
from pocket.fitting import Schedule, fit
from pocket.train import train_all

NAMES = ("reasoner", "weak", "draft", "prm", "orm")


@pytest.mark.slow
def test_fast_training_lets_every_loss_fall(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    losses = train_all(tmp_path, seed=0, fast=True, resume=False)
    assert set(losses) == set(NAMES)
    for name in ("reasoner", "weak", "draft", "prm"):
        assert losses[name][-1] < 0.9 * losses[name][0], name
    assert all((tmp_path / name / "model.safetensors").exists() for name in NAMES)
    assert not train_all(tmp_path, seed=0, fast=True, resume=True)  # nothing is left to do


def test_the_rate_warms_up_and_decays_to_nothing() -> None:
    schedule = Schedule(tokens=4_000_000, learning_rate=1.0, decay_share=0.5)
    rates = [schedule.rate_at(seen) for seen in (0, 1_000_000, 2_000_000, 3_000_000, 3_999_999)]
    assert rates == pytest.approx([0.01, 1.0, 1.0, 0.5, 0.0], abs=1e-3)


def test_polishing_is_a_second_lower_rise_and_decay() -> None:
    schedule = Schedule(1_000_000, learning_rate=1.0, polish_tokens=1_000_000, polish_share=0.5)
    assert schedule.all_tokens == 2_000_000
    rates = [schedule.rate_at(seen) for seen in (999_999, 1_500_000, 2_000_000)]
    assert rates == pytest.approx([0.0, 0.25, 0.0], abs=1e-3)


class _Regression(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.line = nn.Linear(4, 1)


class _CutOff(Exception):
    pass


def _train(folder: Path, *, stop_at: float, resume: bool) -> tuple[nn.Module, list[float]]:
    model = _Regression()

    def loss_of(rng: np.random.Generator, progress: float) -> tuple[Tensor, int]:
        if progress >= stop_at:
            raise _CutOff
        inputs = torch.from_numpy(rng.normal(size=(8, 4)).astype(np.float32))
        return ((model.line(inputs) - inputs.sum(1, keepdim=True)) ** 2).mean(), 100

    return model, fit(model, loss_of, Schedule(120_000, 1e-2), folder, seed=1, resume=resume)


def test_a_run_that_was_cut_off_goes_on_to_the_same_end(tmp_path: Path) -> None:
    whole, losses = _train(tmp_path / "whole", stop_at=2.0, resume=False)
    with pytest.raises(_CutOff):
        _train(tmp_path / "cut", stop_at=0.7, resume=False)
    assert (tmp_path / "cut" / "checkpoint.pt").exists()
    resumed, again = _train(tmp_path / "cut", stop_at=2.0, resume=True)
    assert again == losses
    for one, other in zip(whole.parameters(), resumed.parameters(), strict=True):
        assert torch.equal(one, other)
    assert not (tmp_path / "cut" / "checkpoint.pt").exists()


def test_sizes_keep_their_promises() -> None:
    from transformers import Qwen2ForCausalLM

    size = {name: Qwen2ForCausalLM(config_of(name)).num_parameters() for name in NAMES}
    assert 500_000 <= size["reasoner"] <= 3_000_000
    assert size["reasoner"] >= 5 * size["draft"] and size["weak"] < size["reasoner"] / 2
    assert all(config_of(name).hidden_size // config_of(name).num_attention_heads == 32 for name in NAMES)
