"""What the layouts of reward models share: ids put together from pieces, marks that must be single tokens.

Knows no model.
"""

from __future__ import annotations

from collections.abc import Sequence

from tts_eval.model import Model
from tts_eval.records import TextCodec


def joined(prompt_ids: Sequence[int], pieces: Sequence[Sequence[int]]) -> tuple[list[int], list[int]]:
    """Return the prompt and the pieces as one list of ids, and the position of each piece's last token."""
    ids, ends = list(prompt_ids), list[int]()
    for piece in pieces:
        ids += piece
        ends.append(len(ids) - 1)
    return ids, ends


def check_single_tokens(model: Model, codec: TextCodec, **marks: str) -> None:
    """Refuse a mark that the tokenizer does not write as one token: scores would be read elsewhere."""
    for name, mark in marks.items():
        num_tokens = len(codec.encode(mark))
        if num_tokens != 1:
            raise ValueError(
                f"verifier.{name}={mark!r} must be one token of {model.name}; it is {num_tokens} tokens"
            )
