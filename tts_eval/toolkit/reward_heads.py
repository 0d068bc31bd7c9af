"""From the logits of a reward model's head to a score in [0, 1]."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Sequence

from tts_eval.model import Model
from tts_eval.protocols import LanguageModel
from tts_eval.records import TextCodec, Trace


def sigmoid(logit: float) -> float:
    """Return the logistic function, without overflow on either side."""
    if logit >= 0:
        return 1 / (1 + math.exp(-logit))
    return math.exp(logit) / (1 + math.exp(logit))


def softmax(logits: Sequence[float], label: int) -> float:
    """Return the probability of `label` among `logits`."""
    highest = max(logits)
    weights = [math.exp(logit - highest) for logit in logits]
    return weights[label] / math.fsum(weights)


LayOut = Callable[[Sequence[str]], tuple[list[int], list[int]]]  # steps -> ids, and where each step ends


def joined(prompt_ids: Sequence[int], pieces: Sequence[Sequence[int]]) -> tuple[list[int], list[int]]:
    """Return the prompt and the pieces as one list of ids, and the position of each piece's last token."""
    ids, ends = list(prompt_ids), list[int]()
    for piece in pieces:
        ids += piece
        ends.append(len(ids) - 1)
    return ids, ends


def check_single_tokens(model: Model, codec: TextCodec, **marks: str) -> None:
    """Reject a mark that the tokenizer does not write as one token: scores would be read elsewhere."""
    for name, mark in marks.items():
        num_tokens = len(codec.encode(mark))
        if num_tokens != 1:
            raise ValueError(
                f"verifier.{name}={mark!r} must be one token of {model.name}; it is {num_tokens} tokens"
            )


async def read_steps(
    prm: LanguageModel, prompt: Trace, steps: Sequence[str], lay_out: LayOut, *, num_known: int
) -> list[tuple[float, ...]]:
    """Return the logits at the ends of `steps[num_known:]`; what is too long is cut at its front.

    A step that no call could read takes the row of the first one that could, and is counted as unread.
    `prompt` is what precedes the steps, as near as makes no difference.
    """
    max_len = len(prompt.prompt_ids) + prm.room_tokens(prompt)
    window, num_left_out = _that_fit(prompt, steps, lay_out, max_len)
    ids, ends = lay_out(window)
    rows = await prm.read(ids, ends, num_known=max(0, num_known - num_left_out))
    num_unread = max(0, num_left_out - num_known)
    prm.note_unread(num_unread)
    return [rows[0]] * num_unread + rows


def _that_fit(
    prompt: Trace, steps: Sequence[str], lay_out: LayOut, max_len: int
) -> tuple[Sequence[str], int]:
    """Return the last steps that fit `max_len` tokens, and how many are left out before them."""
    ids, ends = lay_out(steps)
    num_over = len(ids) - max_len
    if num_over <= 0:
        return steps, 0
    # Half a length at a time: a trace that grows by a step shares its beginning with what was read before.
    half = max(1, max_len // 2)
    num_cut = -(-num_over // half) * half
    first = min(bisect_left(ends, len(prompt.prompt_ids) + num_cut - 1) + 1, len(steps) - 1)
    window = list(steps[first:])
    while (num_over := len(lay_out(window)[0]) - max_len) > 0 and window[-1]:
        if len(window) > 1:
            del window[0]
        else:  # one step alone is too long
            window = [prompt.codec.decode(prompt.codec.encode(window[0])[num_over:])]
    return window, len(steps) - len(window)
