"""Between text and token ids: the tokenizer of one model and its chat template.

Knows no engine; what is generated comes back as ids and is never tokenised again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tts_eval.model import Model


class Codec:
    """The tokenizer of `model`; loading it raises ValueError where there is none."""

    def __init__(self, model: Model) -> None:
        from transformers import AutoTokenizer

        self._model = model
        self._tokenizer: Any = model.load(AutoTokenizer, "tokenizer")
        self._prompts: dict[tuple[str, bool], tuple[int, ...]] = {}

    def encode(self, text: str) -> tuple[int, ...]:
        """Return the token ids of `text`, without special tokens at either end."""
        return tuple(self._tokenizer.encode(text, add_special_tokens=False))

    def decode(self, token_ids: Sequence[int]) -> str:
        """Return the text of `token_ids`; turn markers are left out, thinking markers stay."""
        return str(self._tokenizer.decode(list(token_ids), skip_special_tokens=True))

    def prompt(self, question: str, *, thinking: bool = True, turns: Sequence[str] = ()) -> tuple[int, ...]:
        """Return the ids of the chat prompt that asks `question`, ready for the model's turn.

        `turns` goes on with the dialogue: the model's answer, what the user says to it, and so on. A prompt
        without them is kept: a cell's check has rendered it before any problem arrives.
        """
        if turns:
            return self._rendered(question, thinking, turns)
        if (question, thinking) not in self._prompts:
            self._prompts[question, thinking] = self._rendered(question, thinking, ())
        return self._prompts[question, thinking]

    def _rendered(self, question: str, thinking: bool, turns: Sequence[str]) -> tuple[int, ...]:
        model = self._model
        content = f"{question}\n{model.instruction}" if model.instruction else question
        messages = [{"role": "user", "content": content}]
        if model.system_prompt is not None:
            messages.insert(0, {"role": "system", "content": model.system_prompt})
        messages += [
            {"role": "user" if number % 2 else "assistant", "content": turn}
            for number, turn in enumerate(turns)
        ]
        extra = dict(model.chat_template_kwargs) | ({} if thinking else dict(model.no_thinking_kwargs))
        text = self._tokenizer.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=True, **extra
        )
        return self.encode(text)
