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

MARK = 0.05  # what a token adds to the dimension of its word: little, lest the layers below notice
MARKS_OVER_EXPECTED = 8.0  # so that a mark stands out from what is expected
EXPECTED_AT_LEAST = 1.5  # standard deviations of the expectations, where right and wrong part
GATE_GAIN, SHARPNESS, MEMORY_GAIN = 20.0, 9.0, 5.0
VERDICT_GAIN = 1.5
RIDGE = 1e-2


class ProcessRewardModel(nn.Module):
    """A Qwen2 with a two-layer head on every token."""

    def __init__(self, *, fast: bool = False) -> None:
        super().__init__()
        config = config_of("prm", fast=fast)
        width = config.hidden_size
        self.model = Qwen2Model(config)
        self.score = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 2))

    def forward(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """Return label logits [rows, length, 2] and next-token logits; rows are padded on the right.

        The next token is what the comparing layer carries on as its values.
        """
        out = self.model(input_ids=ids, use_cache=False, output_hidden_states=True)
        return self.score(out.last_hidden_state), self._expected(out.hidden_states[-JUDGE_LAYERS - 1])

    def _expected(self, stream: Tensor) -> Tensor:
        comparing = self.model.layers[-JUDGE_LAYERS]
        values: Tensor = comparing.self_attn.v_proj(comparing.input_layernorm(stream))
        return values[..., : len(tok.VOCABULARY)]

    @torch.no_grad()
    def start_from(self, reasoner: Qwen2ForCausalLM, ids: Tensor, labels: Tensor) -> None:
        """Take over the reasoner; set up comparison and memory on some labelled traces [rows, length]."""
        self._widen(reasoner)
        self._compare(reasoner.lm_head.weight, ids)
        self._remember(ids, labels)
        self._protect()

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

    def _compare(self, lm_head: Tensor, examples: Tensor) -> None:
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
        attention.v_proj.weight[:vocabulary] = 0
        attention.v_proj.weight[:vocabulary, : lm_head.shape[1]] = lm_head - lm_head.mean(dim=0)
        attention.v_proj.bias[:vocabulary] = 0
        stream = self._stream(examples)
        scale = MARK / (MARKS_OVER_EXPECTED * self._expected(stream).std())
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

    def _remember(self, ids: Tensor, labels: Tensor) -> None:
        """Let a head of the last layer carry along the least right token so far, and the judgement read it.

        What is right is fitted to the labels up to the first wrong token; the prompt counts as right.
        """
        last = self.model.layers[-1]
        seen = last.input_layernorm(self._stream(ids, -2))
        wrong = labels == 0
        first_wrong = wrong & (wrong.cumsum(dim=1) == 1)
        right = ~wrong & (ids != tok.PAD_ID)
        rightness = _fit(seen[right], seen[first_wrong])
        attention = last.self_attn
        size = attention.head_dim
        row = size // 2 - 1  # what the distance does not turn
        for projection in (attention.q_proj, attention.k_proj):
            projection.weight[:size] = 0
        attention.q_proj.bias[row] = size**0.5
        attention.k_proj.weight[row] = -MEMORY_GAIN * rightness
        attention.v_proj.weight[0] = rightness
        write = nn.functional.normalize(torch.randn(len(rightness)), dim=0)
        attention.o_proj.weight[:, 0] = write * self._stream(ids, -2).norm(dim=-1).mean()
        judged = self._stream(ids, -1)
        verdict = _fit(judged[labels == 1], judged[wrong])
        self.score[0].weight[0], self.score[0].weight[1] = verdict, -verdict
        self.score[2].weight[:, :2] = VERDICT_GAIN * torch.tensor([[-1.0, 1.0], [1.0, -1.0]])
        self.score[2].weight[:, 2:] = 0

    def _protect(self) -> None:
        """Let training leave the dimensions of the words alone: they are small beside a step of Adam."""
        *below, first, _ = self.model.layers
        words = self.model.config.hidden_size - len(tok.VOCABULARY)
        first.self_attn.o_proj.requires_grad_(False)
        self.model.embed_tokens.weight.register_hook(lambda grad: _without(grad, dim=1, start=words))
        for layer in below:
            for module in (layer.self_attn.o_proj, layer.mlp.down_proj):
                module.weight.register_hook(lambda grad: _without(grad, dim=0, start=words))

    def _stream(self, ids: Tensor, place: int = -JUDGE_LAYERS - 1) -> Tensor:
        out = self.model(input_ids=ids, use_cache=False, output_hidden_states=True)
        stream: Tensor = out.hidden_states[place]
        return stream

    def save(self, folder: Path) -> None:
        """Write the checkpoint under the names that vLLM's Qwen2ForProcessRewardModel loads."""
        folder.mkdir(parents=True, exist_ok=True)
        weights = {name: w.detach().cpu().contiguous() for name, w in self.state_dict().items()}
        save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
        config = self.model.config
        config.architectures, config.num_labels = ["Qwen2ForProcessRewardModel"], 2
        config.save_pretrained(folder)
        tok.save_tokenizer(folder)


def _without(grad: Tensor, *, dim: int, start: int) -> Tensor:
    return torch.cat(
        [grad.narrow(dim, 0, start), torch.zeros_like(grad.narrow(dim, start, grad.shape[dim] - start))], dim
    )


def _fit(right: Tensor, wrong: Tensor) -> Tensor:
    """Return the direction that is 1 on `right` and -1 on `wrong` [tokens, width], both weighing the same."""
    rows = torch.cat([right / len(right) ** 0.5, wrong / len(wrong) ** 0.5]).double()
    wanted = torch.cat(
        [torch.full((len(right),), len(right) ** -0.5), torch.full((len(wrong),), -(len(wrong) ** -0.5))]
    )
    gram = rows.T @ rows
    gram += RIDGE * gram.diagonal().mean() * torch.eye(len(gram))
    direction: Tensor = torch.linalg.solve(gram, rows.T @ wanted.double()).float()
    return direction
