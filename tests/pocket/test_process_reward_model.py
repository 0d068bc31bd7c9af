"""The PRM as it is built: it finds at each token what was said of it, and remembers the least."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from transformers import Qwen2ForCausalLM

from pocket import tokenizer as tok
from pocket.architecture import JUDGE_LAYERS, config_of, start_copying
from pocket.gap import no_gap
from pocket.process_reward_model import FOUND, NUM_WORDS, ProcessRewardModel
from pocket.reward_models import ERROR_WEIGHT, option_loss
from pocket.traces import plain_traces


@pytest.fixture(scope="module")
def knowing() -> Qwen2ForCausalLM:
    torch.manual_seed(0)
    model = Qwen2ForCausalLM(config_of("reasoner", fast=True)).eval()
    start_copying(model.model)
    return model


@pytest.fixture(scope="module")
def traces() -> torch.Tensor:
    return torch.from_numpy(plain_traces(np.random.default_rng(0), 16, 5, no_gap()).ids)


@pytest.fixture(scope="module")
def prm(knowing: Qwen2ForCausalLM, traces: torch.Tensor) -> ProcessRewardModel:
    model = ProcessRewardModel(fast=True).eval()
    model.start_from(knowing, traces)
    return model


@torch.inference_mode()
def doubts(prm: ProcessRewardModel, traces: torch.Tensor) -> torch.Tensor:
    """What the layers below said of each token of the response, less what is doubtful [rows, length]."""
    below = prm.model(input_ids=traces, output_hidden_states=True).hidden_states[-JUDGE_LAYERS - 1]
    comparing = prm.model.layers[-JUDGE_LAYERS]
    said = comparing.self_attn.v_proj(comparing.input_layernorm(below))[:, :-1, :NUM_WORDS]
    kept: torch.Tensor = said.gather(2, traces[:, 1:, None])[:, traces[0].tolist().index(tok.THINK) :, 0]
    return kept


@torch.inference_mode()
def found(prm: ProcessRewardModel, traces: torch.Tensor) -> torch.Tensor:
    """What the comparing layer writes down for each token of the response."""
    hidden = prm.model(input_ids=traces, output_hidden_states=True).hidden_states[-JUDGE_LAYERS]
    start = traces[0].tolist().index(tok.THINK) + 1
    kept: torch.Tensor = hidden[:, start:, prm.model.config.hidden_size - NUM_WORDS + FOUND]
    return kept


def test_each_token_finds_what_was_said_of_it_one_token_before(
    prm: ProcessRewardModel, traces: torch.Tensor
) -> None:
    doubt, kept = doubts(prm, traces), found(prm, traces)
    scale = kept / doubt  # the same all along a trace
    assert (scale / scale.median(dim=1, keepdim=True).values - 1).abs().max() < 0.1


@torch.inference_mode()
def test_a_verdict_never_rises(prm: ProcessRewardModel, traces: torch.Tensor) -> None:
    start = traces[0].tolist().index(tok.THINK) + 1
    scores = prm(traces).softmax(dim=-1)[:, start:, 1]
    assert (scores.diff(dim=1) < 0.02).all()


def test_the_prompt_is_not_judged(prm: ProcessRewardModel, traces: torch.Tensor) -> None:
    start = traces[0].tolist().index(tok.THINK)
    with torch.inference_mode():
        hidden = prm.model(input_ids=traces, output_hidden_states=True).hidden_states[-JUDGE_LAYERS]
    kept = hidden[:, :, prm.model.config.hidden_size - NUM_WORDS + FOUND]
    assert kept[:, :start].abs().max() < 0.01 * kept[:, start + 1 :].abs().max()


def test_a_place_where_the_trace_went_wrong_weighs_more_and_an_unknown_one_nothing() -> None:
    ids = torch.tensor([[20, 21, 22, 23]])
    options = torch.zeros(1, 4, NUM_WORDS, dtype=torch.bool)
    options[0, 1, 21] = options[0, 2, 30] = (
        True  # 21 may follow 20; 22 may not follow 21; of 23 nothing is known
    )
    logits = torch.zeros(1, 4, NUM_WORDS, requires_grad=True)
    option_loss(logits, ids, options).backward()
    assert logits.grad is not None
    weights = logits.grad.abs().sum(dim=-1)[0]
    assert (weights / weights[0]).tolist() == pytest.approx([1, ERROR_WEIGHT, 0, 0])
