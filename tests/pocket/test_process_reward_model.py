"""The PRM's start: it knows at once what the reasoner knows, and already compares."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from transformers import Qwen2ForCausalLM

from pocket import tokenizer as tok
from pocket.architecture import JUDGE_LAYERS, config_of, start_copying
from pocket.gap import gap_table, no_gap
from pocket.labels import IGNORED, synthetic_trace
from pocket.process_reward_model import ProcessRewardModel
from pocket.reward_models import LATER_WEIGHT, STEP_WEIGHT, label_loss, padded
from pocket.traces import plain_traces


@pytest.fixture(scope="module")
def reasoner() -> Qwen2ForCausalLM:
    torch.manual_seed(0)
    model = Qwen2ForCausalLM(config_of("reasoner", fast=True)).eval()
    start_copying(model.model)
    return model


@pytest.fixture(scope="module")
def traces() -> torch.Tensor:
    return torch.from_numpy(plain_traces(np.random.default_rng(0), 16, 5, no_gap()).ids)


@pytest.fixture(scope="module")
def prm(reasoner: Qwen2ForCausalLM, traces: torch.Tensor) -> ProcessRewardModel:
    model = ProcessRewardModel(fast=True).eval()
    rng = np.random.default_rng(0)
    model.start_from(reasoner, *padded([synthetic_trace(rng, 4, gap_table()) for _ in range(60)]))
    return model


@torch.inference_mode()
def test_the_prm_starts_with_what_the_reasoner_expects(
    reasoner: Qwen2ForCausalLM, prm: ProcessRewardModel, traces: torch.Tensor
) -> None:
    expected = reasoner(input_ids=traces).logits
    centred = expected - expected.mean(dim=-1, keepdim=True)
    assert torch.cosine_similarity(prm(traces)[1], centred, dim=-1).min() > 0.9


@torch.inference_mode()
def test_what_was_expected_lies_over_what_is_there_one_token_later(
    prm: ProcessRewardModel, traces: torch.Tensor
) -> None:
    seen: list[torch.Tensor] = []
    comparing = prm.model.layers[-JUDGE_LAYERS]
    handle = comparing.self_attn.register_forward_hook(lambda *arguments: seen.append(arguments[-1][0]))
    expected = prm(traces)[1]
    handle.remove()
    carried = seen[0][:, 1:, -len(tok.VOCABULARY) :]
    centred = expected - expected.mean(dim=-1, keepdim=True)
    assert torch.cosine_similarity(carried, centred[:, :-1], dim=-1).min() > 0.95


@torch.inference_mode()
def test_each_token_reads_its_own_word(prm: ProcessRewardModel, traces: torch.Tensor) -> None:
    seen: list[torch.Tensor] = []
    comparing = prm.model.layers[-JUDGE_LAYERS].mlp
    handle = comparing.gate_proj.register_forward_hook(lambda *arguments: seen.append(arguments[-1]))
    prm(traces)
    handle.remove()
    words = seen[0][..., : len(tok.VOCABULARY)]
    assert (words.argmax(dim=-1) == traces).float().mean() > 0.99


def test_ends_of_steps_weigh_more_and_what_follows_an_error_less() -> None:
    ids = torch.tensor([[20, 21, tok.SEP, 22, 23, tok.SEP, 24, tok.SEP]])
    labels = torch.tensor([[IGNORED, 1, 1, 0, 0, 0, 0, 0]])
    logits = torch.zeros(1, 8, 2, requires_grad=True)
    label_loss(logits, ids, labels).backward()
    assert logits.grad is not None
    weights = logits.grad.abs().sum(dim=-1)[0]
    expected = [0, 1, STEP_WEIGHT, 1, LATER_WEIGHT, STEP_WEIGHT, LATER_WEIGHT, LATER_WEIGHT * STEP_WEIGHT]
    assert (weights / weights[1]).tolist() == pytest.approx(expected)
