"""Prompts and samples of a server that takes and gives text alone, as runs of ids.

The first id of a run is an int that holds what the run says, and whose value is the digest of it; the others
fill the run up to its length in tokens. So traces, seeds and counts work as they do with real token ids, and
the engine can say a trace again as messages.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Self

from tts_eval.engines.text_thinking import TextThinking
from tts_eval.model import AUTO, Model
from tts_eval.records import Trace
from tts_eval.requests import NotServed

FILL = 0
TEMPLATE_TOKENS = 32  # that a chat template adds, at most
THINKING = ("<think>", "</think>")  # around what the server sends as reasoning_content


class TextOnly(NotServed):
    """Something was asked for that a server of text alone cannot give."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a run of ids says: a dialogue (`turns`, the first is the user's) or a text that follows one."""

    text: str
    num_tokens: int
    turns: tuple[str, ...] = ()
    thinking: bool = True
    num_thinking_tokens: int | None = None


class FirstId(int):
    """The first id of a run."""

    said: Said

    @classmethod
    def of(cls, said: Said) -> Self:
        """Return the id whose value is the digest of what is said."""
        key = "\0".join((said.text, str(said.num_tokens), str(said.thinking), *said.turns))
        first = cls(int.from_bytes(blake2b(key.encode(), digest_size=8).digest()) >> 1 | 1)
        first.said = said
        return first


def run_of(said: Said) -> tuple[int, ...]:
    """Return the ids of what is said; nothing for no token at all."""
    return (FirstId.of(said), *(FILL,) * (said.num_tokens - 1)) if said.num_tokens else ()


def said_by(token_ids: Sequence[int]) -> list[Said]:
    """Return what `token_ids` say, run by run; TextOnly where a run was cut."""
    found, place = [], 0
    while place < len(token_ids):
        first = token_ids[place]
        if not isinstance(first, FirstId) or place + first.said.num_tokens > len(token_ids):
            raise TextOnly("a sample of text alone cannot be cut within")
        found.append(first.said)
        place += first.said.num_tokens
    return found


@dataclass(frozen=True)
class ChatCodec:
    """Serves as the tokenizer of `configured`, a model behind a server of text."""

    configured: Model

    @property
    def model(self) -> Model:
        """The model with the markers that its reasoning is put between."""
        model = self.configured
        is_found = model.thinking_end == AUTO
        return replace(
            model,
            thinking_start=THINKING[0] if is_found else model.thinking_start,
            thinking_end=THINKING[1] if is_found else model.thinking_end,
            starts_thinking=False,
            answer_lead_in="\\boxed{" if model.answer_lead_in == AUTO else model.answer_lead_in,
        )

    @property
    def thinking(self) -> ChatThinking:
        """How the model's thinking and its answers are divided."""
        return ChatThinking(self.model)

    def check(self, questions: Iterable[str]) -> None:
        """Accept any text."""

    def check_cap(self) -> None:
        """Raise ValueError: no server of text caps the thinking by tokens."""
        raise TextOnly("a server of text alone does not cap the thinking")

    def encode(self, text: str) -> tuple[int, ...]:
        """Return `text` as a run; it counts as one token, whatever it takes at the server."""
        return run_of(Said(text, 1)) if text else ()

    def decode(self, token_ids: Sequence[int]) -> str:
        """Return the text of whole runs."""
        return "".join(said.text for said in said_by(token_ids))

    def shown(self, text: str, token_ids: Sequence[int]) -> str:
        """Return the server's text."""
        return text

    def prompt(
        self,
        question: str,
        *,
        thinking: bool = True,
        turns: Sequence[str] = (),
        is_instructed: bool = True,
    ) -> tuple[int, ...]:
        """Return the dialogue as a run, at least as long as any tokenizer of bytes makes it."""
        model = self.model
        if not thinking and not model.no_thinking_kwargs:
            raise TextOnly(
                "its thinking cannot be switched off: give model.no_thinking_kwargs={enable_thinking: false}"
            )
        asked = f"{question}\n{model.instruction}" if is_instructed and model.instruction else question
        said = (asked, *turns)
        texts = (*said, model.system_prompt or "")
        num_tokens = sum(len(text.encode()) + TEMPLATE_TOKENS for text in texts if text)
        return run_of(Said("", num_tokens, said, thinking))

    def messages(self, prompt_ids: Sequence[int]) -> tuple[list[dict[str, str]], str, bool]:
        """Return the messages of a prompt, what was begun of the model's turn, and whether it may think."""
        dialogue, *begun = said_by(prompt_ids)
        roles = ("user", "assistant")
        messages = [{"role": roles[n % 2], "content": text} for n, text in enumerate(dialogue.turns)]
        if self.model.system_prompt is not None:
            messages.insert(0, {"role": "system", "content": self.model.system_prompt})
        return messages, "".join(said.text for said in begun), dialogue.thinking


class ChatThinking(TextThinking):
    """Finds the thinking by the server's own count of its tokens, where it gives one."""

    def answer_start(self, trace: Trace) -> int | None:
        """Return how many tokens come before the answer, None while it still thinks."""
        start = super().answer_start(trace)
        first = trace.token_ids[0] if trace.token_ids else None
        if start is None or not isinstance(first, FirstId) or first.said.num_tokens != trace.num_tokens:
            return start
        counted = first.said.num_thinking_tokens
        return start if counted is None else min(counted, trace.num_tokens)

    def reopened(self, trace: Trace) -> Trace:
        """Raise TextOnly: a sample of text alone cannot be cut."""
        raise TextOnly("a sample of text alone cannot be cut within")
