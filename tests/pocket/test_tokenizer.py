"""The tokenizer: what is decoded encodes to the same ids, and no text breaks it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tokenizers.decoders import DecodeStream
from transformers import AutoTokenizer

from pocket import tokenizer as tok
from pocket.architecture import SIZES, config_of
from pocket.gap import gap_table
from pocket.labels import prompt_ids
from pocket.traces import Batch, cut_traces, plain_traces, rechecked_traces
from tasks.pocket import question_of

TOKENIZER = tok.build_tokenizer()
TRACE = " 12 * 5 = 13 : 13 33\n\n 13 * 33 = 6 : 6\n\nWait 5 * 33 = 24 : 12 24\n\n</think>\\boxed{ 6}"


def test_named_ids_are_the_vocabulary() -> None:
    names = ["<pad>", "<|end|>", "<unk>", "<|user|>", "<|assistant|>", "<think>", "</think>", "\\boxed{", "}"]
    names += ["\n\n", " *", " =", " :", " mod", "Wait", "multiply", " 0"]
    assert [tok.VOCABULARY[name] for name in names] == list(range(17))
    assert (tok.SEP, tok.WAIT, tok.MULTIPLY, tok.NUMBER, len(tok.VOCABULARY)) == (9, 14, 15, 16, 64)


@pytest.mark.parametrize("draw", [plain_traces, rechecked_traces, cut_traces])
def test_training_text_survives_the_round_trip(draw: Callable[..., Batch]) -> None:
    rng = np.random.default_rng(0)
    for size in (2, 5, 12):
        for row in draw(rng, 3, size, gap_table()).ids.tolist():
            text = TOKENIZER.decode(row)
            assert TOKENIZER.encode(text) == row
            stream, parts = DecodeStream(skip_special_tokens=False), list[str]()
            for token in row:
                parts.append(stream.step(TOKENIZER.backend_tokenizer, token) or "")
            assert "".join(parts) == text


def test_thinking_marks_and_boxes_survive_the_removal_of_special_tokens() -> None:
    ids = TOKENIZER.encode(TRACE + "<|end|>")
    assert TOKENIZER.decode(ids, skip_special_tokens=True) == TRACE


def test_wait_is_one_token_however_it_is_spaced() -> None:
    assert TOKENIZER.encode("Wait") == TOKENIZER.encode(" Wait") == [tok.WAIT]
    assert TOKENIZER.encode("\n\nWait") == [tok.SEP, tok.WAIT]


def test_chat_template_opens_or_closes_the_thinking() -> None:
    messages = [{"role": "user", "content": question_of((12, 5, 33))}]
    prompt = TOKENIZER.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
    assert TOKENIZER.encode(prompt) == prompt_ids((12, 5, 33))
    direct = TOKENIZER.apply_chat_template(
        messages, add_generation_prompt=True, tokenize=False, enable_thinking=False
    )
    assert direct == prompt + "</think>"


@pytest.mark.parametrize(
    "text", ["Find $\\frac{1}{2}$ of 345, é 日本\n", "", "   ", "007 48 47 0", "\n\n\n\n"]
)
def test_foreign_text_breaks_nothing(text: str) -> None:
    assert all(0 <= token < 64 for token in TOKENIZER.encode(text))


def test_transformers_finds_the_same_tokenizer_beside_a_checkpoint(tmp_path: Path) -> None:
    config_of("reasoner").save_pretrained(tmp_path)  # its model type decides which class transformers takes
    tok.save_tokenizer(tmp_path)
    loaded = AutoTokenizer.from_pretrained(tmp_path)
    assert loaded.encode(TRACE) == TOKENIZER.encode(TRACE)
    assert loaded.decode(loaded.encode(TRACE)) == TRACE
    assert loaded.chat_template == TOKENIZER.chat_template and loaded.eos_token_id == tok.EOS_ID


@pytest.mark.parametrize("name", SIZES)
def test_every_shipped_model_has_this_tokenizer(name: str) -> None:
    shipped = AutoTokenizer.from_pretrained(Path(tok.__file__).with_name(name))
    assert shipped.encode(TRACE) == TOKENIZER.encode(TRACE)
    assert shipped.decode(shipped.encode(TRACE)) == TRACE
