"""A language model read as a classifier: its labels are the rows of lm_head for a few tokens."""

from __future__ import annotations

from collections.abc import Sequence

from tts_eval.model import Model


def label_ids(model: Model, tokens: Sequence[str]) -> list[int]:
    """Return the ids of `tokens`, written as the vocabulary writes them ("▁+" and "+" are two).

    Raises:
        ValueError: One is not in the vocabulary; a tokenizer would quietly give the id of unknown text.
    """
    from transformers import AutoTokenizer

    vocabulary: dict[str, int] = model.load(AutoTokenizer, "tokenizer").get_vocab()
    missing = [token for token in tokens if token not in vocabulary]
    if missing:
        raise ValueError(
            f"label_tokens: {missing[0]!r} is no token of {model.name}; give it as the vocabulary has it"
        )
    return [vocabulary[token] for token in tokens]
