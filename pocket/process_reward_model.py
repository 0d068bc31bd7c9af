"""The process reward model: the reasoner's layers, widened, and two more that compare and remember.

A step is wrong where it has a token that the list before it does not lead to. So the fifth layer starts out
comparing each token with what the layers below it expected one token before; the sixth is free to carry
what was found to the end of the step. Knows nothing of traces or labels.
"""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from transformers import Qwen2ForCausalLM, Qwen2Model
from transformers.models.qwen2.modeling_qwen2 import Qwen2Attention

from pocket import tokenizer as tok
from pocket.architecture import JUDGE_LAYERS, config_of, look_back

MARK = 0.05  # what a token adds to the dimension of its word: little, lest the layers below notice
MARKS_OVER_EXPECTED = 8.0  # so that a mark stands out from what is expected
EXPECTED_AT_LEAST = 1.5  # standard deviations of the expectations, where right and wrong part
GATE_GAIN, SHARPNESS, MEMORY_GAIN = 20.0, 9.0, 8.0


class ProcessRewardModel(nn.Module):
    """A Qwen2 with a two-layer head on every token; `language` serves training only and is not saved."""

    def __init__(self, *, fast: bool = False) -> None:
        super().__init__()
        config = config_of("prm", fast=fast)
        width = config.hidden_size
        self.model = Qwen2Model(config)
        self.score = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 2))
        self.language = nn.Linear(width, config.vocab_size, bias=False)

    def forward(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """Return label logits [rows, length, 2] and next-token logits; rows are padded on the right."""
        out = self.model(input_ids=ids, use_cache=False, output_hidden_states=True)
        below = len(self.model.layers) - JUDGE_LAYERS
        expected = self.language(self.model.layers[below].input_layernorm(out.hidden_states[below]))
        return self.score(out.last_hidden_state), expected

    @torch.no_grad()
    def start_from(self, reasoner: Qwen2ForCausalLM, examples: Tensor) -> None:
        """Take over the reasoner, and set up the comparison on some traces [rows, length]."""
        self._widen(reasoner)
        self._compare(examples)

    def _widen(self, reasoner: Qwen2ForCausalLM) -> None:
        """Copy the layers without changing what they compute: the further dimensions stay empty."""
        old = reasoner.config.hidden_size
        shrink = (old / self.model.config.hidden_size) ** 0.5  # a norm divides by more dimensions now
        wide = self.model.state_dict()
        for name, weight in reasoner.model.state_dict().items():
            if name == "norm.weight":
                name = f"layers.{len(reasoner.model.layers)}.input_layernorm.weight"
            target = wide[name]
            if name.endswith("norm.weight"):
                target[:old] = weight * shrink
                continue
            if any(part in name for part in ("o_proj", "down_proj", "embed")):
                target.zero_()
            target[: len(weight)] = 0
            target[tuple(slice(size) for size in weight.shape)] = weight
        self.language.weight[:, old:] = 0
        self.language.weight[:, :old] = reasoner.lm_head.weight

    def _compare(self, examples: Tensor) -> None:
        """Let the first new layer put the token and what was expected there on top of one another.

        One further dimension a word: the token's own holds `MARK` from the embedding on, and a head that
        looks one token back adds the expectations. A unit a word then reads that of the word that is there.
        """
        first, last = self.model.layers[-JUDGE_LAYERS:]
        for module in (last.self_attn.o_proj, last.mlp.down_proj):
            nn.init.zeros_(module.weight)
        attention, size, vocabulary = first.self_attn, first.self_attn.head_dim, len(tok.VOCABULARY)
        words = slice(self.model.config.hidden_size - vocabulary, None)
        self.model.embed_tokens.weight[:, words] = MARK * torch.eye(vocabulary)
        for head in range(vocabulary // size):  # each carries a part of the expectation one token on
            look_back(
                self.model, attention, key_head=head, query_head=2 * head, offset=1, sharpness=SHARPNESS
            )
        attention.v_proj.weight[:vocabulary] = self.language.weight - self.language.weight.mean(dim=0)
        attention.v_proj.bias[:vocabulary] = 0
        stream = self._stream(examples)
        expected = attention.v_proj(first.input_layernorm(stream))[..., :vocabulary]
        scale = MARK / (MARKS_OVER_EXPECTED * expected.std())
        nn.init.zeros_(attention.o_proj.weight)
        for i in range(vocabulary):
            attention.o_proj.weight[words][i, 2 * (i // size) * size + i % size] = scale

        mlp = first.mlp
        first.post_attention_layernorm.weight[words] = stream.std() / MARK
        nn.init.zeros_(mlp.down_proj.weight)
        ones, eye = torch.ones(vocabulary, vocabulary), torch.eye(vocabulary)
        least = 1 + EXPECTED_AT_LEAST / MARKS_OVER_EXPECTED
        for projection, threshold in ((mlp.gate_proj, 0.5), (mlp.up_proj, least)):  # words sum to the mark
            projection.weight[:vocabulary] = 0
            projection.weight[:vocabulary, words] = eye - threshold * ones
        mlp.gate_proj.weight[:vocabulary] *= GATE_GAIN
        inputs: list[Tensor] = []
        handle = first.mlp.register_forward_pre_hook(lambda _, given: inputs.append(given[0]))
        self._stream(examples)
        handle.remove()
        units = (mlp.act_fn(mlp.gate_proj(inputs[0])) * mlp.up_proj(inputs[0]))[..., :vocabulary]
        direction = nn.functional.normalize(torch.randn(len(mlp.down_proj.weight)), dim=0)
        norm = stream.norm(dim=-1).mean()
        mlp.down_proj.weight[:, :vocabulary] = (direction * norm / units.sum(dim=-1).std())[:, None]
        self._remember(last.self_attn, direction, norm)

    def _remember(self, attention: Qwen2Attention, rightness: Tensor, norm: Tensor) -> None:
        """Let a head of the last layer carry along the least right token so far."""
        size = attention.head_dim
        row = size // 2 - 1  # what the distance does not turn
        for projection in (attention.q_proj, attention.k_proj):
            projection.weight[:size] = 0
        attention.q_proj.bias[row] = 1
        attention.k_proj.weight[row] = -MEMORY_GAIN * rightness
        attention.v_proj.weight[0] = rightness
        write = nn.functional.normalize(torch.randn(len(rightness)), dim=0)
        attention.o_proj.weight[:, 0] = write * norm / MEMORY_GAIN

    def _stream(self, ids: Tensor) -> Tensor:
        out = self.model(input_ids=ids, use_cache=False, output_hidden_states=True)
        stream: Tensor = out.hidden_states[len(self.model.layers) - JUDGE_LAYERS]
        return stream

    def save(self, folder: Path) -> None:
        """Write the checkpoint under the names that vLLM's Qwen2ForProcessRewardModel loads."""
        folder.mkdir(parents=True, exist_ok=True)
        weights = {name: w.detach().cpu().contiguous() for name, w in self.state_dict().items()}
        kept = {name: w for name, w in weights.items() if not name.startswith("language.")}
        save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})
        config = self.model.config
        config.architectures, config.num_labels = ["Qwen2ForProcessRewardModel"], 2
        config.save_pretrained(folder)
        tok.save_tokenizer(folder)
