"""The process reward model: a language model that knows what may follow, and two layers that compare.

A step is wrong where it has a token that the list before it does not lead to. The layers below tell at each
place which tokens may follow; the fifth looks up, one place later, what they said of the token that is
there; the sixth remembers the least of it since thinking began.
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
LOGITS_A_MARK = 160.0  # so that what is said of a word never hides whether it is there
LOGITS_A_LEVEL = 100.0  # of what is found, beside the root mean square of all dimensions
DOUBTFUL = 4.0  # what is said to follow with a lower logit counts as wrong
SHARPNESS, THINK_GAIN = 9.0, 25.0
GATE_GAIN, GATE_AT = 60.0, 1.5  # open where the word is there and thinking has begun
STEADY = 10.0  # times the root mean square: so large a constant makes all later norms divide by the same
MEMORY_GAIN, VERDICT_GAIN, VERDICT_AT = 8.0, 2.0, 6.0
NUM_WORDS = len(tok.VOCABULARY)
# What is found, the worst of it, a constant and a mark of thinking stand in for words that no response has.
FOUND, WORST, ONE, BEGUN = tok.UNK_ID, tok.PAD_ID, tok.USER, tok.ASSISTANT
WORDS = [word for word in range(NUM_WORDS) if word not in (FOUND, WORST, ONE, BEGUN)]


class ProcessRewardModel(nn.Module):
    """A Qwen2 with a two-layer head on every token; its last two layers and the head are set by hand."""

    def __init__(self, *, fast: bool = False) -> None:
        super().__init__()
        config = config_of("prm", fast=fast)
        width = config.hidden_size
        self.model = Qwen2Model(config)
        self.score = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 2))

    def forward(self, ids: Tensor) -> Tensor:
        """Return label logits [rows, length, 2]; rows are padded on the right."""
        logits: Tensor = self.score(self.model(input_ids=ids, use_cache=False).last_hidden_state)
        return logits

    @torch.no_grad()
    def start_from(self, knowing: Qwen2ForCausalLM, examples: Tensor) -> None:
        """Take over what may follow; set up comparison and memory, scaled on some traces [rows, length]."""
        self._widen(knowing)
        level = self._level(examples, examples != tok.PAD_ID)
        think_level = self._level(examples, examples == tok.THINK)
        constant = STEADY * level * self.model.config.hidden_size**0.5
        steady_level = level * (1 + STEADY**2) ** 0.5
        self._compare(knowing.lm_head.weight, level, think_level, constant, steady_level)
        self._remember(steady_level)
        self._score()

    def _widen(self, knowing: Qwen2ForCausalLM) -> None:
        """Copy the layers without changing what they compute: the further dimensions stay empty."""
        old = knowing.config.hidden_size
        shrink = (old / self.model.config.hidden_size) ** 0.5  # a norm divides by more dimensions now
        wide = self.model.state_dict()
        for name, weight in knowing.model.state_dict().items():
            if name == "norm.weight":
                name = f"layers.{len(knowing.model.layers)}.input_layernorm.weight"
            target = wide[name]
            if name.endswith("norm.weight"):
                target[:old] = weight * shrink
                continue
            if any(part in name for part in ("o_proj", "down_proj", "embed")):
                target.zero_()
            target[: len(weight)] = 0
            target[tuple(slice(size) for size in weight.shape)] = weight
        for word in WORDS:
            self.model.embed_tokens.weight[word, self._words][word] = MARK
        for layer in self.model.layers[-JUDGE_LAYERS:]:
            nn.init.zeros_(layer.self_attn.o_proj.weight)
            nn.init.zeros_(layer.mlp.down_proj.weight)

    def _compare(
        self, lm_head: Tensor, level: Tensor, think_level: Tensor, constant: Tensor, steady_level: Tensor
    ) -> None:
        """Let each token of a response find what was said of it one token before.

        Each word has a dimension. There a token leaves its `MARK`; two heads that look one token back add
        what was said of every word; a third leaves a mark at `BEGUN` from `<think>` on, and one at `ONE`
        everywhere. A unit a word, open where the word is there and thinking has begun, takes the mark away
        again: what is left is what was said.
        """
        layer, one = self.model.layers[-JUDGE_LAYERS], torch.eye(NUM_WORDS)
        attention, size = layer.self_attn, layer.self_attn.head_dim
        values, keys, queries = attention.v_proj, attention.k_proj, attention.q_proj
        outputs = attention.o_proj.weight[self._words]
        layer.input_layernorm.weight[self._words] = level / MARK
        layer.post_attention_layernorm.weight[self._words] = steady_level / MARK
        layer.post_attention_layernorm.weight[self._words][ONE] = steady_level / constant
        values.weight[: NUM_WORDS + size], values.bias[: NUM_WORDS + size] = 0, 0
        values.weight[:NUM_WORDS, : lm_head.shape[1]] = lm_head
        values.bias[:NUM_WORDS] = -DOUBTFUL
        for head in range(NUM_WORDS // size):
            look_back(
                self.model, attention, key_head=head, query_head=2 * head, offset=1, sharpness=SHARPNESS
            )
        for word in WORDS:
            outputs[word, 2 * (word // size) * size + word % size] = MARK / LOGITS_A_MARK

        third, asks = NUM_WORDS, 2 * NUM_WORDS
        steady = size // 2 - 1  # what the distance does not turn
        keys.weight[third : third + size], keys.bias[third : third + size] = 0, 0
        queries.weight[asks : asks + size], queries.bias[asks : asks + size] = 0, 0
        keys.weight[third + steady, self._words] = THINK_GAIN * one[tok.THINK]
        queries.bias[asks + steady] = size**0.5
        values.weight[third, self._words] = think_level / level * one[tok.THINK]
        values.bias[third + 1] = 1
        outputs[BEGUN, asks], outputs[ONE, asks + 1] = MARK, constant

        gate, up, down = layer.mlp.gate_proj, layer.mlp.up_proj, layer.mlp.down_proj
        gate.weight[:NUM_WORDS], up.weight[:NUM_WORDS] = 0, 0
        for word in WORDS:
            gate.weight[word, self._words] = GATE_GAIN * (one[word] + one[BEGUN] - GATE_AT * one[ONE])
            up.weight[word, self._words] = one[word] - one[ONE]
        opened = GATE_GAIN * (2 - GATE_AT)
        down.weight[self._words][FOUND, :NUM_WORDS] = LOGITS_A_MARK / opened * steady_level / LOGITS_A_LEVEL

    def _remember(self, level: Tensor) -> None:
        """Let a head of the last layer carry along the least that was found since thinking began."""
        layer = self.model.layers[-1]
        attention, size, one = layer.self_attn, layer.self_attn.head_dim, torch.eye(NUM_WORDS)
        layer.input_layernorm.weight[self._words][FOUND] = LOGITS_A_LEVEL
        for projection in (attention.q_proj, attention.k_proj, attention.v_proj):
            projection.weight[:size], projection.bias[:size] = 0, 0
        steady = size // 2 - 1
        attention.q_proj.bias[steady] = size**0.5
        attention.k_proj.weight[steady, self._words] = -MEMORY_GAIN * one[FOUND]
        attention.v_proj.weight[0, self._words] = one[FOUND]
        attention.o_proj.weight[self._words][WORST, 0] = level / LOGITS_A_LEVEL

    def _score(self) -> None:
        """Let the verdict be what is remembered, beyond a threshold."""
        self.model.norm.weight[self._words][WORST] = LOGITS_A_LEVEL
        head = self.score.state_dict()
        for name in ("0.weight", "0.bias", "2.weight"):
            head[name].zero_()
        head["0.weight"][0, self._words] = -VERDICT_GAIN * torch.eye(NUM_WORDS)[WORST]
        head["2.weight"][:, 0] = torch.tensor([0.5, -0.5])
        head["2.bias"].copy_(VERDICT_AT * torch.tensor([-0.5, 0.5]))

    def verdict(self) -> Tensor:
        """Return the direction of the final stream along which a trace is right [1, width]."""
        constant = self._words.start + ONE  # after the norm it is nearly the root of the width everywhere
        direction: Tensor = -self.score.state_dict()["0.weight"][:1]
        direction[0, constant] = VERDICT_AT / self.model.config.hidden_size**0.5
        return direction

    @property
    def _words(self) -> slice:
        """The dimensions that the layers below leave empty, one a word."""
        width = self.model.config.hidden_size
        return slice(width - NUM_WORDS, width)

    def _level(self, ids: Tensor, places: Tensor) -> Tensor:
        """Return the median over these places of the root mean square that norms divide by."""
        out = self.model(input_ids=ids, use_cache=False, output_hidden_states=True)
        stream: Tensor = out.hidden_states[-JUDGE_LAYERS - 1]
        return stream[places].square().mean(dim=-1).sqrt().median()

    def save(self, folder: Path) -> None:
        """Write the checkpoint under the names that vLLM's Qwen2ForProcessRewardModel loads."""
        folder.mkdir(parents=True, exist_ok=True)
        weights = {name: w.detach().cpu().contiguous() for name, w in self.state_dict().items()}
        save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
        config = self.model.config
        config.architectures, config.num_labels = ["Qwen2ForProcessRewardModel"], 2
        config.save_pretrained(folder)
        tok.save_tokenizer(folder)
