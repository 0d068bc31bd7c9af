"""FLOPs, against torch's counter on real forward passes of tiny models and against sums done on paper.

Eager attention multiplies every query with every key and masks the future and what is outside the window
afterwards, and so the counter sees those pairs too; where more than one token goes through at once they are
counted one by one here and taken off. Held to 0.1%, ten times tighter than is claimed.
"""

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode
from transformers import (
    AutoModelForCausalLM,
    DeepseekV3Config,
    DynamicCache,
    GptOssConfig,
    LlamaConfig,
    MistralConfig,
    Qwen2MoeConfig,
    Qwen3Config,
    Qwen3MoeConfig,
)
from transformers.models.deepseek_v3 import modeling_deepseek_v3

from tts_eval.measuring.architecture import Architecture
from tts_eval.measuring.architecture_reader import read_architecture
from tts_eval.summary.flops_formulas import (
    call_flops,
    decode_flops,
    prefill_flops,
    recompute_flops,
    rejected_draft_flops,
    weights_only_flops,
)

SMALL = {
    "vocab_size": 96,
    "hidden_size": 64,
    "intermediate_size": 112,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "pad_token_id": 0,
    "eos_token_id": None,
}
MHA = {**SMALL, "num_key_value_heads": 4}
EIGHT_EXPERTS = {"num_experts": 8, "num_experts_per_tok": 2, "moe_intermediate_size": 48}
MLA = DeepseekV3Config(
    **MHA,
    n_routed_experts=8,
    n_group=2,
    topk_group=1,
    num_experts_per_tok=2,
    moe_intermediate_size=48,
    first_k_dense_replace=1,
    q_lora_rank=24,
    kv_lora_rank=16,
    qk_nope_head_dim=12,
    qk_rope_head_dim=8,
    v_head_dim=20,
    initializer_range=0.3,  # so that logits depend on what is attended to
)
GQA = Qwen3Config(**SMALL, head_dim=32, tie_word_embeddings=True)
CONFIGS = {
    "dense": LlamaConfig(**MHA),
    "GQA": GQA,
    "sliding window": MistralConfig(**SMALL, sliding_window=24),
    "MoE": Qwen3MoeConfig(**SMALL, **EIGHT_EXPERTS, head_dim=32, mlp_only_layers=[1]),
    "MoE, shared expert": Qwen2MoeConfig(**SMALL, **EIGHT_EXPERTS, shared_expert_intermediate_size=80),
    "MoE, alternating windows": GptOssConfig(
        **SMALL, head_dim=32, num_local_experts=4, num_experts_per_tok=2, sliding_window=24
    ),
}
models = pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS.keys())
with_mla = pytest.mark.parametrize("config", [*CONFIGS.values(), MLA], ids=[*CONFIGS.keys(), "MLA"])
lengths = pytest.mark.parametrize("num_tokens", [17, 64, 256])


class Witness:
    """A tiny model with random weights, and what torch counts while it runs."""

    def __init__(self, config: Any) -> None:
        torch.manual_seed(0)
        self.model = AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval()
        if read_architecture(config).experts:
            self.model.set_experts_implementation("eager")  # the counter knows no grouped matrix product
        self.cache = DynamicCache(config=config)

    @torch.inference_mode()
    def forward(self, num_tokens: int) -> int:
        """Feed as many further tokens and return the FLOPs counted; `logits` are those after the last."""
        ids = torch.randint(1, 96, (1, num_tokens))
        with FlopCounterMode(display=False) as counter:
            self.logits = self.model(ids, past_key_values=self.cache, logits_to_keep=1).logits
        num_flops: int = counter.get_total_flops()
        return num_flops


def masked_flops(architecture: Architecture, num_cached: int, num_tokens: int) -> int:
    """Return the FLOPs of the pairs that are masked when eager attention sees whole rows."""
    pairs = sum(
        num_tokens - min(position + 1, window or num_tokens)
        for window in architecture.windows
        for position in range(num_cached, num_tokens)
    )
    latent = architecture.latent
    value_dim = latent.value_dim if latent else architecture.head_dim
    return 2 * architecture.num_heads * (architecture.head_dim + value_dim) * pairs


def close(flops: int) -> Any:
    return pytest.approx(flops, rel=0.001)


@with_mla
@lengths
def test_prefill(config: Any, num_tokens: int) -> None:
    architecture = read_architecture(config)

    unmasked = Witness(config).forward(num_tokens) - masked_flops(architecture, 0, num_tokens)
    assert prefill_flops(architecture, num_prompt_tokens=num_tokens) == close(unmasked)


@with_mla
@lengths
def test_prefill_after_a_cached_prefix(config: Any, num_tokens: int) -> None:
    """MLA expands the cached latents again. The prefix is shorter than the windows: all of it is kept."""
    architecture = read_architecture(config)
    witness = Witness(config)
    witness.forward(10)

    unmasked = witness.forward(num_tokens - 10) - masked_flops(architecture, 10, num_tokens)
    assert prefill_flops(architecture, num_prompt_tokens=num_tokens, num_cached_tokens=10) == close(unmasked)


@models
@lengths
def test_one_token_decoded(config: Any, num_tokens: int) -> None:
    witness = Witness(config)
    witness.forward(num_tokens)

    counted = witness.forward(1)
    assert decode_flops(read_architecture(config), num_context_tokens=num_tokens, num_passes=1) == close(
        counted
    )


@models
def test_a_prompt_fed_token_by_token_is_the_triangle(config: Any) -> None:
    """Nothing is masked here; over a prompt at once, lm_head runs at its last token alone."""
    architecture, witness = read_architecture(config), Witness(config)

    counted = sum(witness.forward(1) for _ in range(40))
    assert decode_flops(architecture, num_context_tokens=0, num_passes=40) == close(counted)
    lm_head = 39 * 2 * 96 * 64
    assert prefill_flops(architecture, num_prompt_tokens=40) == close(counted - lm_head)


@models
def test_a_call_is_what_generate_computes(config: Any) -> None:
    architecture, witness = read_architecture(config), Witness(config)
    with FlopCounterMode(display=False) as counter:
        ids = witness.model.generate(torch.randint(1, 96, (1, 30)), max_new_tokens=20, do_sample=False)

    assert ids.shape == (1, 50)
    call = call_flops(architecture, num_prompt_tokens=30, num_cached_tokens=0, num_generated_tokens=20)
    assert call == close(counter.get_total_flops() - masked_flops(architecture, 0, 30))


def test_latent_attention_decodes_on_the_latents(monkeypatch: pytest.MonkeyPatch) -> None:
    """The absorbed form gives transformers' logits, and takes the FLOPs that are said."""
    expanding, absorbing = Witness(MLA), Witness(MLA)
    for witness in (expanding, absorbing):
        torch.manual_seed(1)  # the same tokens for both
        witness.forward(100)

    torch.manual_seed(2)
    expanding.forward(1)
    monkeypatch.setattr(modeling_deepseek_v3.DeepseekV3Attention, "forward", attention_on_latents)
    torch.manual_seed(2)
    counted = absorbing.forward(1)

    torch.testing.assert_close(absorbing.logits, expanding.logits)
    assert decode_flops(read_architecture(MLA), num_context_tokens=100, num_passes=1) == close(counted)


@pytest.mark.parametrize("num_new_tokens", [1, 2])
def test_a_last_prompt_token_left_uncached_is_decoded(num_new_tokens: int) -> None:
    """One token after a cached prefix is absorbed; two expand the prefix, which is dearer than two passes."""
    architecture = read_architecture(MLA)
    prefill = prefill_flops(architecture, num_prompt_tokens=100 + num_new_tokens, num_cached_tokens=100)
    passes = decode_flops(architecture, num_context_tokens=100, num_passes=num_new_tokens)

    assert (prefill == passes) == (num_new_tokens == 1)
    assert prefill >= passes


def attention_on_latents(
    self: Any, hidden_states: Tensor, *, position_embeddings: Any, past_key_values: Any, **_: Any
) -> tuple[Tensor, None]:
    """Attend to latents c with W_UK's product moved to the query, and W_UV's behind the sum over c."""
    num_heads, nope_dim = self.num_heads, self.qk_nope_head_dim
    query = self.q_b_proj(self.q_a_layernorm(self.q_a_proj(hidden_states)))
    query = query.view(1, 1, num_heads, -1).transpose(1, 2)
    latent, key = self.kv_a_proj_with_mqa(hidden_states).split([self.kv_lora_rank, self.qk_rope_head_dim], -1)
    query_rope, key = modeling_deepseek_v3.apply_rotary_pos_emb_interleave(
        query[..., nope_dim:], key[:, None], *position_embeddings
    )
    latent, key = past_key_values.update(self.kv_a_layernorm(latent)[:, None], key, self.layer_idx)
    w_uk, w_uv = self.kv_b_proj.weight.view(num_heads, -1, self.kv_lora_rank).split(
        [nope_dim, self.v_head_dim], 1
    )
    query_latent = torch.einsum("bhqd,hdl->bhql", query[..., :nope_dim], w_uk)
    scores = torch.einsum("bhql,bkl->bhqk", query_latent, latent[:, 0])
    scores = scores + torch.einsum("bhqr,bkr->bhqk", query_rope, key[:, 0])
    attended = torch.einsum("bhqk,bkl->bhql", (scores * self.scaling).softmax(-1), latent[:, 0])
    values = torch.einsum("bhql,hvl->bqhv", attended, w_uv)
    return self.o_proj(values.flatten(2)), None


PAPER = read_architecture(  # a layer has 4 * 8 * 8 + 3 * 8 * 10 = 496 weights, lm_head 80
    {
        "model_type": "llama",
        "hidden_size": 8,
        "intermediate_size": 10,
        "num_attention_heads": 2,
        "num_hidden_layers": 2,
        "vocab_size": 10,
    }
)


def test_a_call_worked_out_on_paper() -> None:
    """Five prompt tokens of which two are cached, three generated.

    Layers see the prompt's last three and two generated tokens, lm_head the last of the prompt and those two.
    The five attend to 3, 4, 5, 6 and 7 keys: 25 pairs a layer of 4 * 2 * 4 FLOPs.
    """
    flops = call_flops(PAPER, num_prompt_tokens=5, num_cached_tokens=2, num_generated_tokens=3)
    assert flops == 5 * 2 * 2 * 496 + 3 * 2 * 80 + 2 * 25 * 32


@pytest.mark.parametrize("num_generated_tokens", [0, 1])
def test_the_first_token_comes_from_the_prefill(num_generated_tokens: int) -> None:
    flops = call_flops(
        PAPER, num_prompt_tokens=5, num_cached_tokens=0, num_generated_tokens=num_generated_tokens
    )
    assert flops == prefill_flops(PAPER, num_prompt_tokens=5)


def test_the_usual_estimate_takes_every_parameter_for_every_token() -> None:
    """Six tokens; norms are 8 wide, two a layer and one before lm_head; the look-up of 80 is no product."""
    flops = weights_only_flops(PAPER, num_prompt_tokens=5, num_cached_tokens=2, num_generated_tokens=3)
    assert flops == 2 * (2 * 496 + 80 + 5 * 8) * 6


def test_what_a_cached_prefix_saves_is_its_own_prefill() -> None:
    whole, rest = (
        call_flops(PAPER, num_prompt_tokens=50, num_cached_tokens=cached, num_generated_tokens=9)
        for cached in (0, 32)
    )
    assert whole - rest == prefill_flops(PAPER, num_prompt_tokens=32) - 2 * 80


def test_a_rejected_draft_costs_a_mean_decode_pass() -> None:
    """Two passes after five tokens attend to 6 and 7 keys; four rejected ones are as dear as both, twice."""
    rejected = rejected_draft_flops(PAPER, num_prompt_tokens=5, num_generated_tokens=3, num_rejected_tokens=4)
    assert rejected == 4 * (2 * 2 * 496 + 2 * 80) + 2 * 2 * 13 * 32


def test_a_preemption_costs_the_prompt_and_half_the_trace_again() -> None:
    lost = recompute_flops(PAPER, num_prompt_tokens=5, num_generated_tokens=8, num_preemptions=2)
    assert lost == 2 * prefill_flops(PAPER, num_prompt_tokens=9)


def test_long_chains_outgrow_the_usual_estimate() -> None:
    """R1-Distill-Qwen-7B attends to 2^14 keys in the mean over 2^15 tokens, at 4 * 28 * 28 * 128 FLOPs each.

    Against 2 * 7.07e9 FLOPs of weights a token that is another 46.5%.
    """
    architecture = read_architecture(
        {
            "model_type": "qwen2",
            "hidden_size": 3584,
            "intermediate_size": 18944,
            "num_attention_heads": 28,
            "num_hidden_layers": 28,
            "num_key_value_heads": 4,
            "vocab_size": 152064,
        }
    )
    tokens = {"num_prompt_tokens": 1, "num_cached_tokens": 0, "num_generated_tokens": 2**15}

    excess = call_flops(architecture, **tokens) / weights_only_flops(architecture, **tokens) - 1
    assert excess == pytest.approx(0.465, abs=0.001)


def test_a_verifier_without_lm_head_costs_its_layers_alone() -> None:
    config = {**GQA.to_dict(), "architectures": ["Qwen3ForTokenClassification"]}

    with_lm_head, without = (
        call_flops(read_architecture(c), num_prompt_tokens=9, num_cached_tokens=0, num_generated_tokens=0)
        for c in (GQA, config)
    )
    assert with_lm_head - without == 2 * 96 * 64
