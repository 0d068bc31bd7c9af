"""Random reward models of every architecture and token layout, and how to read each with plain transformers.

The references are written from the authors' own descriptions, not from our verifiers: they lay the text out
again and run one forward pass over all of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from tokenizers import AddedToken
from tokenizers.pre_tokenizers import ByteLevel
from torch import Tensor, nn
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    Qwen2Config,
    Qwen2ForSequenceClassification,
    Qwen2Model,
    Qwen2Tokenizer,
)

from tts_eval.model import Model
from tts_eval.protocols import Verifier
from verifiers.math_shepherd import MathShepherd
from verifiers.outcome_reward import OutcomeReward
from verifiers.rlhflow_prm import RlhflowPrm
from verifiers.separator_prm import SeparatorPrm
from verifiers.skywork_prm import SkyworkPrm
from verifiers.yes_no import YesNo

MAX_LEN = 8192  # 500 steps of Math-Shepherd's, a token a byte
SPECIAL = (
    *("<pad>", "<s>", "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<extra_0>"),
    *("<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"),
)
CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
OPENING = "<s><|start_header_id|>system<|end_header_id|>\n\nToday Date: 26 Jul 2024\n\n<|eot_id|>"

Reference = Callable[[str, Sequence[str]], list[float]]
TraceReference = Callable[[str, str], float]


def tokenizer() -> Qwen2Tokenizer:
    """A token a byte, and the marks that the layouts need."""
    words = [*SPECIAL, *sorted(ByteLevel.alphabet())]
    made = Qwen2Tokenizer(
        vocab={word: i for i, word in enumerate(words)},
        merges=[],
        pad_token="<pad>",
        eos_token="<|im_end|>",
        unk_token="<pad>",
        chat_template=CHAT_TEMPLATE,
    )
    made.add_tokens([AddedToken("ки", normalized=False), *(AddedToken(s, special=True) for s in SPECIAL)])
    return made


TOKENIZER = tokenizer()
SIZES: dict[str, Any] = {
    "vocab_size": len(TOKENIZER),
    "hidden_size": 128,
    "intermediate_size": 256,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": MAX_LEN,
    "tie_word_embeddings": False,
    "initializer_range": 0.2,
}


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint in a folder, the engine arguments it is read with, and its reference by verifier."""

    model: Model
    engine: dict[str, Any]
    references: list[tuple[Verifier, Reference]]
    traces: list[tuple[Verifier, TraceReference]] = field(default_factory=list)


def model_in(folder: Path, **settings: Any) -> Model:
    TOKENIZER.save_pretrained(folder)
    return Model(name=folder.name, path=str(folder), dtype="float32", **settings)


def ids_of(text: str) -> list[int]:
    return list(TOKENIZER.encode(text, add_special_tokens=False))


def language_model(folder: Path) -> Checkpoint:
    """Math-Shepherd's and RLHFlow's: a causal language model of which + and - are read."""
    torch.manual_seed(1)
    lm = LlamaForCausalLM(LlamaConfig(**SIZES, bos_token_id=1, eos_token_id=4, pad_token_id=0)).eval()
    lm.save_pretrained(folder)
    plus_minus = ids_of("+") + ids_of("-")

    def plus(ids: list[int], positions: Sequence[int]) -> list[float]:
        with torch.no_grad():
            logits = lm(torch.tensor([ids])).logits[0, list(positions)][:, plus_minus]
        return list(logits.softmax(-1)[:, 0].tolist())

    def math_shepherd(question: str, steps: Sequence[str]) -> list[float]:
        lines = [f"Step {i + 1}: {step.strip().replace(chr(10), ' ')} ки" for i, step in enumerate(steps)]
        ids = [TOKENIZER.convert_tokens_to_ids("<s>"), *ids_of(f"{question} " + "\n".join(lines))]
        tag = TOKENIZER.convert_tokens_to_ids("ки")
        return plus(ids, [i for i, token_id in enumerate(ids) if token_id == tag])

    def rlhflow(question: str, steps: Sequence[str]) -> list[float]:
        """Token by token as the template writes it; the answer's predecessor stands 3 before a turn's end."""
        text, positions = OPENING, []
        for number, step in enumerate(steps):
            said = f"{question} {step.strip()}" if number == 0 else step.strip()
            text += f"<|start_header_id|>user<|end_header_id|>\n\n{said}<|eot_id|>"
            text += "<|start_header_id|>assistant<|end_header_id|>\n\n+<|eot_id|>"
            positions.append(len(ids_of(text)) - 3)
        return plus(ids_of(text), positions)

    def yes_no(question: str, text: str) -> float:
        asked = f"{question} Solved: {text} Right?"
        prompt = f"<|im_start|>user\n{asked}<|im_end|>\n<|im_start|>assistant\n"
        return plus(ids_of(prompt), [-1])[0]

    engine = {"label_tokens": ["+", "-"]}
    both: list[tuple[Verifier, Reference]] = [
        (MathShepherd(), math_shepherd),
        (RlhflowPrm(opening=OPENING), rlhflow),
    ]
    asking = YesNo(question="{problem} Solved: {trace} Right?")
    return Checkpoint(model_in(folder), engine, both, [(asking, yes_no)])


def save_headed(folder: Path, layers: Qwen2Model, head: dict[str, Tensor], architecture: str) -> None:
    folder.mkdir(exist_ok=True)
    weights = {f"model.{name}": weight for name, weight in layers.state_dict().items()} | head
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    layers.config.architectures = [architecture]
    layers.config.save_pretrained(folder)


def qwen_prm(folder: Path) -> Checkpoint:
    """Qwen2.5-Math-PRM's: two labels at <extra_0>."""
    torch.manual_seed(2)
    layers = Qwen2Model(Qwen2Config(**SIZES)).eval()
    head = nn.Sequential(nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 2))
    save_headed(
        folder, layers, {f"score.{k}": v for k, v in head.state_dict().items()}, "Qwen2ForProcessRewardModel"
    )
    system = "Please reason step by step."

    def reference(question: str, steps: Sequence[str]) -> list[float]:
        messages = [
            {"role": "system", "content": system},
            {"role": "user", "content": question},
            {"role": "assistant", "content": "<extra_0>".join(s.strip("\n") for s in steps) + "<extra_0>"},
        ]
        text = TOKENIZER.apply_chat_template(messages, tokenize=False, add_generation_prompt=False)
        ids = torch.tensor([ids_of(str(text))])
        with torch.no_grad():
            probabilities = head(layers(ids).last_hidden_state)[0].softmax(-1)
        return list(probabilities[ids[0] == ids_of("<extra_0>")[0], 1].tolist())

    verifier = SeparatorPrm(separator="<extra_0>")
    return Checkpoint(model_in(folder, system_prompt=system), {}, [(verifier, reference)])


def skywork(folder: Path) -> Checkpoint:
    """Skywork-o1-Open-PRM's: a value head at the newline that ends a step; nobody reads the lm_head."""
    torch.manual_seed(3)
    layers, head = Qwen2Model(Qwen2Config(**SIZES)).eval(), nn.Linear(128, 1)
    extra = {f"v_head.summary.{k}": v for k, v in head.state_dict().items()}
    extra["lm_head.weight"] = torch.zeros(len(TOKENIZER), 128)
    save_headed(folder, layers, extra, "Qwen2ForPrmModel")

    def reference(question: str, steps: Sequence[str]) -> list[float]:
        ids = ids_of(f"<|endoftext|>{question}\n")
        flags = [False] * len(ids)
        for step in steps:
            step_ids = [*ids_of(step.strip("\n").replace("\n", " ")), ids_of("\n")[-1]]
            ids += step_ids
            flags += [False] * (len(step_ids) - 1) + [True]
        with torch.no_grad():
            values = head(layers(torch.tensor([ids])).last_hidden_state)[0, :, 0]
        return list(values[torch.tensor(flags)].sigmoid().tolist())

    return Checkpoint(model_in(folder), {}, [(SkyworkPrm(bos="<|endoftext|>"), reference)])


def outcome(folder: Path) -> Checkpoint:
    """A sequence classifier with one label, read at the last token."""
    torch.manual_seed(4)
    orm = Qwen2ForSequenceClassification(Qwen2Config(**SIZES, num_labels=1, pad_token_id=0)).eval()
    orm.save_pretrained(folder)

    def scored(chat: str) -> float:
        with torch.no_grad():
            return float(orm(torch.tensor([ids_of(chat)])).logits[0, 0].sigmoid())

    def at_mark(question: str, text: str) -> float:
        prompt = f"<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n"
        return scored(f"{prompt}{text}<|im_end|>")

    def at_end_of_chat(question: str, text: str) -> float:
        turns = [{"role": "user", "content": question}, {"role": "assistant", "content": text}]
        return scored(str(TOKENIZER.apply_chat_template(turns, tokenize=False)))

    both: list[tuple[Verifier, TraceReference]] = [
        (OutcomeReward(ending="<|im_end|>"), at_mark),
        (OutcomeReward(), at_end_of_chat),
    ]
    return Checkpoint(model_in(folder), {}, [], both)


KINDS: dict[str, Callable[[Path], Checkpoint]] = {
    "language model": language_model,
    "Qwen PRM": qwen_prm,
    "Skywork": skywork,
    "outcome": outcome,
}
