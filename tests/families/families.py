"""Families of models without weights: their special tokens, and chat templates that behave as theirs do.

The tokenizers are byte-level: a character is a token, but for the tokens added and merged here. So the
tokens of every text can be counted by eye.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from tokenizers import AddedToken, Tokenizer, decoders, normalizers, pre_tokenizers
from tokenizers.models import BPE
from transformers import PreTrainedTokenizerFast

from tts_eval.llm.tokenizer import Codec
from tts_eval.model import Model
from tts_eval.options import option

THOUGHT = "6 x 7 is near \\boxed{41}.\n\nNo, it is 42."  # 40 characters
ANSWER = "It is so.\n\nThe answer is \\boxed{42}."  # 36 characters

CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n"
    "{{ m.content.split('</think>')[-1] if SPLITS and m.role == 'assistant' else m.content }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n"
)
THINKS = CHATML.replace("SPLITS", "true")
CHATS = CHATML.replace("m.content.split('</think>')[-1] if SPLITS and m.role == 'assistant' else ", "")
HYBRID = THINKS + (
    "{% if enable_thinking is defined and enable_thinking is false %}<think>\n\n</think>\n\n"
    "{% endif %}{% endif %}"
)
DEEPSEEK = (
    "{{ bos_token }}{% for m in messages %}{% if m.role == 'user' %}<｜User｜>{{ m.content }}"
    "{% elif m.role == 'assistant' %}<｜Assistant｜>"
    "{{ m.content.split('</think>')[-1] }}<｜end▁of▁sentence｜>"
    "{% else %}{{ m.content }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<｜Assistant｜><think>\n{% endif %}"
)
HARMONY = (
    "<|start|>system<|message|>Reasoning: medium\n\n# Valid channels: analysis, commentary, final.<|end|>"
    "{% for m in messages %}{% if m.role == 'assistant' %}"
    "<|start|>assistant<|channel|>final<|message|>{{ m.content }}<|end|>"
    "{% else %}<|start|>{{ m.role }}<|message|>{{ m.content }}<|end|>{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|start|>assistant{% endif %}"
)
MISTRAL = (
    "{{ bos_token }}{% for m in messages %}{% if m.role == 'user' %}[INST] {{ m.content }} [/INST]"
    "{% else %} {{ m.content }}{{ eos_token }}{% endif %}{% endfor %}"
)
NO_SYSTEM = (
    "{% for m in messages %}{% if m.role == 'system' %}"
    "{{ raise_exception('System role not supported') }}{% endif %}"
    "<start_of_turn>{{ m.role }}\n{{ m.content }}<end_of_turn>\n{% endfor %}"
    "{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}"
)
IM = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
DEEP = ("<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>")
TAGS = ("<think>", "</think>")


@dataclass(frozen=True)
class Family:
    """One family: its tokenizer, and what a model of it writes by itself to a question.

    `thinking` and `answer` are what precedes and what follows the end of the thinking in `reply`; a reply of
    a family that does not think has no `thinking`. `option` is the file in `conf/model` that configures it
    (`local`: nothing but a path is given). `num_thinking_tokens` is counted by hand.
    """

    name: str
    template: str | None
    special: tuple[str, ...]
    end_of_turn: str
    thinking: str
    num_thinking_tokens: int
    added: tuple[str, ...] = ()  # atomic, but not special: decoding does not skip them
    merges: tuple[tuple[str, str], ...] = ()
    option: str = "local"
    settings: Mapping[str, Any] = field(default_factory=dict)
    start: str | None = "<think>"
    end: str | None = "</think>"
    is_opened: bool = False  # the template opens the thinking
    answer: str = ANSWER
    is_metaspace: bool = (
        False  # as sentencepiece: a space is "▁", also before the first word; bytes fall back
    )

    @property
    def reply(self) -> str:
        """The whole of what the model writes."""
        return self.thinking + self.answer

    @property
    def text(self) -> str:
        """The reply as an engine gives it: one that goes on with a prompt keeps the space before a word."""
        return f" {self.reply}" if self.is_metaspace else self.reply


THOUGHT_TAGS = f"<think>\n{THOUGHT}\n</think>\n\n"  # 1 + 1 + 40 + 1 + 1 tokens to the end of thinking
FAMILIES = (
    Family(
        "r1_distill_qwen",
        DEEPSEEK,
        DEEP,
        DEEP[1],
        f"{THOUGHT}\n</think>\n\n",
        40 + 2,
        added=("<｜User｜>", "<｜Assistant｜>", *TAGS),
        option="r1_distill_qwen_7b",
        is_opened=True,
    ),
    Family(
        "r1_distill_llama",
        DEEPSEEK,
        (*DEEP, "<|eot_id|>"),
        DEEP[1],
        f"{THOUGHT}\n</think>\n\n",
        40 + 2,
        added=("<｜User｜>", "<｜Assistant｜>", *TAGS),
        option="r1_distill_llama_8b",
        is_opened=True,
    ),
    Family(
        "deepseek_r1",
        DEEPSEEK,
        (*DEEP, *TAGS),  # were these special, nothing would change
        DEEP[1],
        f"{THOUGHT}\n</think>\n\n",
        40 + 2,
        added=("<｜User｜>", "<｜Assistant｜>"),
        option="deepseek_r1",
        is_opened=True,
    ),
    Family(
        "qwen3",
        HYBRID,
        IM,
        "<|im_end|>",
        THOUGHT_TAGS,
        44,
        added=TAGS,
        option="qwen3_8b",
    ),
    Family(
        "qwen3_switched_off",
        HYBRID,
        IM,
        "<|im_end|>",
        "",
        0,
        added=TAGS,
        settings={"chat_template_kwargs": {"enable_thinking": False}},
    ),
    Family(
        "qwen3_2507_thinking",
        THINKS + "<think>\n{% endif %}",
        IM,
        "<|im_end|>",
        f"{THOUGHT}\n</think>\n\n",
        40 + 2,
        added=TAGS,
        is_opened=True,
    ),
    Family(
        "qwen3_2507_instruct",
        CHATS + "{% endif %}",
        IM,
        "<|im_end|>",
        "",
        0,
        added=TAGS,
        start=None,
        end=None,
    ),
    Family(
        "qwq",
        THINKS + "<think>\n{% endif %}",
        IM,
        "<|im_end|>",
        f"{THOUGHT}\n</think>\n\n",
        40 + 2,
        added=TAGS,
        is_opened=True,
    ),
    Family(
        "s1_1",
        CHATS + "{% endif %}",
        IM,
        "<|im_end|>",
        f"<|im_start|>think\n{THOUGHT}\n<|im_start|>answer\n",
        6 + 1 + 40 + 1 + 7,
        option="s1_1_7b",
        start="<|im_start|>think",
        end="<|im_start|>answer",
    ),
    Family(
        "gpt_oss",
        HARMONY,
        ("<|return|>", "<|start|>", "<|end|>", "<|message|>", "<|channel|>", "<|call|>"),
        "<|return|>",
        f"<|channel|>analysis<|message|>{THOUGHT}<|end|><|start|>assistant<|channel|>final<|message|>",
        10 + 40 + 1 + 10 + 7,
        option="gpt_oss_20b",
        start="<|channel|>analysis<|message|>",
        end="<|channel|>final<|message|>",
    ),
    Family(
        "olmo_think",  # the tags are no tokens; the last of `</think>` merges with the blank line
        THINKS + "<think>{% endif %}",
        IM,
        "<|im_end|>",
        f"\n{THOUGHT}\n</think>\n\n",
        1 + 38 + 1 + 8,
        merges=(("Ċ", "Ċ"), (">", "ĊĊ"), (".", "ĊĊ")),
        is_opened=True,
    ),
    Family("smollm2", CHATS + "{% endif %}", IM, "<|im_end|>", "", 0, start=None, end=None),
    Family(
        "mistral",
        MISTRAL,
        ("<s>", "</s>"),
        "</s>",
        "",
        0,
        added=("[INST]", "[/INST]"),
        start=None,
        end=None,
        is_metaspace=True,
    ),
    Family("base", None, ("<|endoftext|>",), "<|endoftext|>", "", 0, start=None, end=None),
)
BY_NAME = {family.name: family for family in FAMILIES}


def save_tokenizer(family: Family, folder: Path) -> None:
    """Write the tokenizer of `family` as a checkpoint has it."""
    tokenizer = _metaspace() if family.is_metaspace else _byte_level(family.merges)
    tokenizer.add_special_tokens(
        [AddedToken(word, special=True, normalized=False) for word in family.special]
    )
    tokenizer.add_tokens([AddedToken(word, special=False, normalized=False) for word in family.added])
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token=family.special[0], eos_token=family.end_of_turn
    )
    wrapped.chat_template = family.template
    wrapped.save_pretrained(folder)


def _byte_level(merges: Sequence[tuple[str, str]]) -> Tokenizer:
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = [*letters, *("".join(pair) for pair in merges)]
    tokenizer = Tokenizer(BPE(vocab={word: i for i, word in enumerate(words)}, merges=list(merges)))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def _metaspace() -> Tokenizer:
    """Return a tokenizer as Llama 2 and Mistral have it, whose decoding drops the space before the text."""
    words = ["<unk>", *(f"<0x{byte:02X}>" for byte in range(256)), "▁", *map(chr, range(33, 127))]
    vocabulary = {word: number for number, word in enumerate(words)}
    tokenizer = Tokenizer(BPE(vocab=vocabulary, merges=[], unk_token="<unk>", byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    return tokenizer


@cache
def option_of(name: str) -> DictConfig:
    return option("model", name)


def configured(family: Family, folder: Path) -> Model:
    """Return the model as its option in `conf/model` configures it, with the tokenizer in `folder`."""
    further = {"name": family.name, "path": str(folder), "max_model_len": None, **family.settings}
    model = instantiate(OmegaConf.merge(option_of(family.option), further), _convert_="all")
    assert isinstance(model, Model)
    return model


def codec_of(family: Family, folder: Path) -> Codec:
    """Return the codec of a model of `family`, its files written to `folder`."""
    save_tokenizer(family, folder)
    return Codec(configured(family, folder))
