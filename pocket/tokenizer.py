"""One token per number: a vocabulary of 64, its chat template, and a tokenizer that vLLM loads.

Unknown text is passed over; what is decoded encodes to the same ids.
"""

from __future__ import annotations

from pathlib import Path

from tokenizers import AddedToken
from transformers import Qwen2Tokenizer

from tasks.pocket import MODULUS

PAD, EOS, UNK = "<pad>", "<|end|>", "<unk>"
_MARKS = (PAD, EOS, UNK, "<|user|>", "<|assistant|>", "<think>", "</think>", "\\boxed{", "}")
_WORDS = ("\n\n", " *", " =", " :", " mod", "Wait", "multiply")
_NUMBERS = tuple(f" {number}" for number in range(MODULUS + 1))
VOCABULARY = {word: i for i, word in enumerate((*_MARKS, *_WORDS, *_NUMBERS))}

PAD_ID, EOS_ID, UNK_ID, USER, ASSISTANT, THINK, END_THINK, BOXED, CLOSE = range(9)
SEP, TIMES, EQUALS, COLON, MOD, WAIT, MULTIPLY = range(9, 16)
NUMBER = VOCABULARY[" 0"]  # the id of number n is NUMBER + n

CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{% if message['role'] == 'assistant' %}<|assistant|>{{ message['content'] }}<|end|>"
    "{% elif message['role'] == 'user' %}<|user|>{{ message['content'] }}{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|><think>"
    "{% if enable_thinking is defined and not enable_thinking %}</think>{% endif %}{% endif %}"
)


def build_tokenizer() -> Qwen2Tokenizer:
    """Build the tokenizer; pad, end and unknown are special, so thinking marks and boxes survive decoding.

    transformers gives every `qwen2` checkpoint its Qwen2Tokenizer, whatever the files beside it say:
    byte-level BPE, with a decoder that joins. So every word is an added token that brings the space before it
    along, and there are no merges.
    """
    tokenizer = Qwen2Tokenizer(
        vocab=dict(VOCABULARY),
        merges=[],
        pad_token=PAD,
        eos_token=EOS,
        unk_token=UNK,
        chat_template=CHAT_TEMPLATE,
        model_max_length=1024,
        clean_up_tokenization_spaces=False,
    )
    words = [word for word in VOCABULARY if word not in (PAD, EOS, UNK)]
    tokenizer.add_tokens([AddedToken(word, normalized=False, lstrip=word == "Wait") for word in words])
    return tokenizer


def save_tokenizer(folder: Path) -> None:
    """Write the tokenizer files beside a checkpoint."""
    build_tokenizer().save_pretrained(folder)
