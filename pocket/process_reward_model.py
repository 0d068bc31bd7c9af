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

from pocket import tokenizer as tok
from pocket.architecture import JUDGE_LAYERS, config_of, look_back

TOKEN_GAIN = 6.0  # of the comparing units on the token that stands there
ABSENT = -0.6  # what these units are to read for all other tokens
RIDGE = 1e-2


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
        """Let the first new layer multiply what stands at a token with what was expected there."""
        first, last = self.model.layers[-JUDGE_LAYERS:]
        nn.init.zeros_(last.self_attn.o_proj.weight)
        nn.init.zeros_(last.mlp.down_proj.weight)
        attention, size, vocabulary = first.self_attn, first.self_attn.head_dim, len(tok.VOCABULARY)
        old = self.model.config.hidden_size - vocabulary
        for head in range(vocabulary // size):  # each carries a part of the expectation one token on
            look_back(self.model, attention, key_head=head, query_head=2 * head, offset=1)
        attention.v_proj.weight[:vocabulary] = self.language.weight - self.language.weight.mean(dim=0)
        attention.v_proj.bias[:vocabulary] = 0
        stream = self._stream(examples)
        expected = attention.v_proj(first.input_layernorm(stream))[..., :vocabulary]
        scale = stream[..., :old].std() / expected.std()
        nn.init.zeros_(attention.o_proj.weight)
        for i in range(vocabulary):
            column = 2 * (i // size) * size + i % size
            attention.o_proj.weight[old + i, column] = scale

        seen: list[Tensor] = []
        handle = first.mlp.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
        self._stream(examples)
        handle.remove()
        inputs = seen[0].flatten(0, 1).double()
        wanted = torch.where(nn.functional.one_hot(examples.flatten(), vocabulary) > 0, 1.0, ABSENT).double()
        gram = inputs.T @ inputs
        gram += RIDGE * gram.diagonal().mean() * torch.eye(len(gram))
        mlp = first.mlp
        nn.init.zeros_(mlp.down_proj.weight)
        mlp.gate_proj.weight[:vocabulary] = TOKEN_GAIN * torch.linalg.solve(gram, inputs.T @ wanted).T.float()
        for i in range(vocabulary):
            mlp.up_proj.weight[i] = 0
            mlp.up_proj.weight[i, old + i] = 1
            for projection in (mlp.gate_proj, mlp.up_proj):  # and how sure the expectation was
                projection.weight[vocabulary + i] = 0
                projection.weight[vocabulary + i, old + i] = 1
        for units in (slice(vocabulary), slice(vocabulary, 2 * vocabulary)):
            hidden = mlp.act_fn(mlp.gate_proj(seen[0])) * mlp.up_proj(seen[0])
            direction = torch.randn(len(mlp.down_proj.weight), 1) * stream[..., :old].std()
            mlp.down_proj.weight[:, units] = direction / hidden[..., units].sum(dim=-1).std()

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
