"""Between text and token ids: the tokenizer of one model and its chat template.

Knows no engine; what is generated comes back as ids and is never tokenised again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tts_eval.model import Model

NUM_KEPT_PROMPTS = 4096  # a few hundred bytes to some kilobytes each


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

    def prompt(
        self,
        question: str,
        *,
        thinking: bool = True,
        turns: Sequence[str] = (),
        is_instructed: bool = True,
    ) -> tuple[int, ...]:
        """Return the ids of the chat prompt that asks `question`, ready for the model's turn.

        `turns` goes on with the dialogue: the model's answer, what the user says to it, and so on; one that
        ends with the model's turn is complete, and rendered as such. Not `is_instructed`: without the model's
        instruction, for questions that are not the task's. The task's own prompts are kept, the latest
        `NUM_KEPT_PROMPTS` of them: a cell's check has rendered them before any problem arrives.
        """
        if turns or not is_instructed:
            return self._rendered(question, thinking, turns, is_instructed)
        key = (question, thinking)
        prompt = self._prompts.pop(key, None) or self._rendered(question, thinking, (), is_instructed)
        self._prompts[key] = prompt  # at the end: the first one is the one that was not asked for longest
        if len(self._prompts) > NUM_KEPT_PROMPTS:
            del self._prompts[next(iter(self._prompts))]
        return prompt

    def _rendered(
        self, question: str, thinking: bool, turns: Sequence[str], is_instructed: bool
    ) -> tuple[int, ...]:
        model = self._model
        content = f"{question}\n{model.instruction}" if is_instructed and model.instruction else question
        messages = [{"role": "user", "content": content}]
        if model.system_prompt is not None:
            messages.insert(0, {"role": "system", "content": model.system_prompt})
        messages += [
            {"role": "user" if number % 2 else "assistant", "content": turn}
            for number, turn in enumerate(turns)
        ]
        extra = dict(model.chat_template_kwargs) | ({} if thinking else dict(model.no_thinking_kwargs))
        text = self._tokenizer.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=len(turns) % 2 == 0, **extra
        )
        return self.encode(text)
