"""The committed weights: they load, they are small, and they still reach the figures of their card."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer, Qwen2ForSequenceClassification

import pocket
from pocket import tokenizer as tok
from pocket.labels import Labelled
from pocket.probes import MAX_TOKENS, Problems
from pocket.process_reward_model import ProcessRewardModel
from pocket.reward_models import on_policy_traces, padded
from pocket.sampling import sample

FOLDER = Path(pocket.__file__).parent
FIGURES = json.loads((FOLDER / "figures.json").read_text())
WRITERS = ("reasoner", "weak", "draft")


@pytest.mark.parametrize("name", [*WRITERS, "prm", "orm"])
def test_each_folder_is_complete(name: str) -> None:
    folder = FOLDER / name
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert tokenizer.get_vocab() == tok.VOCABULARY and tokenizer.chat_template == tok.CHAT_TEMPLATE
    assert "limits" in (folder / "README.md").read_text().lower()


def test_all_are_small() -> None:
    files = [path for path in FOLDER.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert sum(path.stat().st_size for path in files) < 25e6


@pytest.mark.parametrize("name", WRITERS)
def test_writers_load(name: str) -> None:
    model = AutoModelForCausalLM.from_pretrained(FOLDER / name)
    assert model.config.architectures == ["Qwen2ForCausalLM"] and model.dtype == torch.float32
    assert model.generation_config.eos_token_id == tok.EOS_ID


@pytest.mark.parametrize("name", ["reasoner", "weak"])
def test_greedy_still_reaches_the_card(name: str) -> None:
    torch.set_num_threads(1)
    model = AutoModelForCausalLM.from_pretrained(FOLDER / name).eval()
    problems = Problems.draw(100, FIGURES["split"], FIGURES["task_seed"])
    solved = []
    for size in sorted({len(factors) for factors in problems.factors}):
        group = problems.at([i for i, factors in enumerate(problems.factors) if len(factors) == size])
        written = sample(
            model, group.prompts, temperature=0, max_tokens=MAX_TOKENS, generator=torch.Generator()
        )
        solved += group.solved_by(written)
    mean, low, high = FIGURES["greedy" if name == "reasoner" else "weak greedy"]["all"]
    spread = (500 / 100) ** 0.5  # an interval of 100 problems is that much wider
    assert mean - spread * (mean - low) <= sum(solved) / len(solved) <= mean + spread * (high - mean)


@pytest.fixture(scope="module")
def written() -> list[Labelled]:
    """Traces of the reasoner on test problems of every length."""
    torch.set_num_threads(1)
    reasoner = AutoModelForCausalLM.from_pretrained(FOLDER / "reasoner").eval()
    return on_policy_traces(reasoner, 330, seed=1, split="test")


def auc(right: torch.Tensor, wrong: torch.Tensor) -> float:
    return float((right[:, None] > wrong[None]).float().mean())


def test_the_prm_still_tells_wrong_steps(written: list[Labelled]) -> None:
    prm = ProcessRewardModel()
    prm.load_state_dict(load_file(FOLDER / "prm" / "model.safetensors"))
    ids, labels = padded(written)
    with torch.inference_mode():
        scores = prm.eval()(ids).softmax(dim=-1)[..., 1]
    ends = ids == tok.SEP
    found = auc(scores[ends & (labels == 1)], scores[ends & (labels == 0)])
    assert found > FIGURES["step AUC within problems"][1] - 0.05  # other problems, pooled, and hotter


def test_the_orm_still_tells_wrong_answers(written: list[Labelled]) -> None:
    orm = Qwen2ForSequenceClassification.from_pretrained(FOLDER / "orm").eval()
    ids, _ = padded(written)
    with torch.inference_mode():
        scores = orm(input_ids=ids).logits[:, 0]
    is_correct = torch.tensor([trace.is_correct for trace in written])
    assert auc(scores[is_correct], scores[~is_correct]) > 0.75
