"""A checkpoint of random weights has a real model's sizes and says nothing but text."""

from __future__ import annotations

from pathlib import Path

import pytest
from transformers import AutoConfig, AutoTokenizer

from tts_eval.checking.shapes import EXPERTS, SMALL, sizes_of, write_shape
from tts_eval.measuring.architecture_reader import read_architecture


@pytest.mark.parametrize("sizes", [SMALL, EXPERTS])
def test_every_token_of_the_vocabulary_is_text(tmp_path: Path, sizes: dict[str, object]) -> None:
    folder = write_shape(sizes, tmp_path / "shape", dtype="float32")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    last = int(str(sizes["vocab_size"])) - 1

    assert len(tokenizer) == last + 1
    assert tokenizer.convert_ids_to_tokens([5, last]) == ["<think>", f"w{last}"]
    assert tokenizer.decode([64, last])
    assert tokenizer.encode(" 3 * 4") == AutoTokenizer.from_pretrained("pocket/reasoner").encode(" 3 * 4")


def test_the_sizes_are_those_of_the_model_they_are_taken_from(tmp_path: Path) -> None:
    folder = write_shape(sizes_of("r1_distill_qwen_1_5b"), tmp_path / "r1", dtype="bfloat16")
    architecture = read_architecture(AutoConfig.from_pretrained(folder).to_dict())

    assert architecture.num_active_layer_weights == pytest.approx(1.31e9, rel=0.01)  # 1.78e9 with both ends
