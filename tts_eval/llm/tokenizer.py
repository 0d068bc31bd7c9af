"""Between text and token ids: the tokenizer of one model, and its prompts.

What is generated comes back as ids and is never tokenised again.
"""

from __future__ import annotations

import unicodedata
import warnings
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from tts_eval.llm.chat import Chat
from tts_eval.llm.thinking import ThinkingPart
from tts_eval.llm.thinking_cap import check_cap
from tts_eval.model import Model

NUM_KEPT_PROMPTS = 4096  # a few hundred bytes to some kilobytes each
PRIVATE = 0xF0000  # where the characters begin that stand for added tokens
QUOTED_CHARACTERS = 60  # of a question, in messages
MAX_LOST_SHARE = 0.05  # of a question's characters; one character alone is never too much
UNSEEN = ("Cc", "Cf")  # controls; joiners, marks of direction, soft hyphens


class Codec:
    """The tokenizer of a configured model; loading it raises ValueError where there is none."""

    def __init__(self, configured: Model) -> None:
        from transformers import AutoTokenizer

        self._tokenizer: Any = configured.load(AutoTokenizer, "tokenizer")
        self._chat = Chat(configured, self._tokenizer)
        self._prompts: dict[tuple[str, bool], tuple[int, ...]] = {}
        added = self._tokenizer.added_tokens_decoder
        self._private = {token_id: chr(PRIVATE + number) for number, token_id in enumerate(added)}
        self._special = {token_id for token_id, token in added.items() if token.special}
        marking = self._chat.marking
        markers = "" if marking is None else marking.start + marking.end + marking.closing
        self._silent = self._special.difference(self.encode(markers))
        openings = {self.encode(tail): opening for tail, opening in self._chat.openings.items()}
        self.thinking = ThinkingPart(marking, self, openings)

    @property
    def model(self) -> Model:
        """The configured model, completed by what its tokenizer and its chat template show."""
        return self._chat.model

    def check(self, questions: Iterable[str]) -> None:
        """Raise ValueError where the tokenizer loses text of `questions` or contradicts the settings."""
        self._chat.check()
        model = self.model
        if model.thinking_end is not None and not self.encode(model.thinking_end):
            raise ValueError(
                f"model.thinking_end={model.thinking_end!r} is nothing to the tokenizer of {model.name}"
            )
        self._check_lost({question: self.lost(question) for question in questions})

    def check_cap(self) -> None:
        """Raise ValueError where an engine cannot end this model's thinking itself."""
        marking = self._chat.marking
        if marking is not None:
            check_cap(marking, self._chat.tails[True], self.encode, model_name=self.model.name)

    def _check_lost(self, lost: Mapping[str, str]) -> None:
        """Raise ValueError where too much of any question is `lost`, warn of less."""
        model = self.model
        share, question = max(
            (
                (len(missing) / len(_visible(question)), question)
                for question, missing in lost.items()
                if len(missing) > 1
            ),
            default=(0.0, ""),
        )
        if share > MAX_LOST_SHARE:
            reads = f"model={model.name}" + (f" reads only {model.reads};" if model.reads else ":")
            raise ValueError(
                f"{reads} {share:.0%} of {_quoted(question)} is unknown to its tokenizer; give model=..."
            )
        touched = [question for question, missing in lost.items() if missing]
        if touched:
            example = max(touched, key=lambda question: len(lost[question]))
            warnings.warn(
                f"the tokenizer of {model.name} loses characters of {len(touched)} of {len(lost)} questions: "
                f"{''.join(sorted(set(lost[example])))!r} of {_quoted(example)}, say",
                stacklevel=3,
            )

    def lost(self, text: str) -> str:
        """Return the characters of `text` that its token ids do not give back.

        White space, letter case, compatible forms and characters that are not seen do not count: tokenizers
        may normalise these.
        """
        ids = [token_id for token_id in self.encode(text) if token_id != self._tokenizer.unk_token_id]
        missing = Counter(_visible(text)) - Counter(_visible(self._text(ids)))
        return "".join(missing.elements())

    def encode(self, text: str) -> tuple[int, ...]:
        """Return the token ids of `text`, without special tokens at either end."""
        return tuple(self._tokenizer.encode(text, add_special_tokens=False))

    def decode(self, token_ids: Sequence[int]) -> str:
        """Return the text of `token_ids`; turn markers are left out, thinking markers stay."""
        return self._text([token_id for token_id in token_ids if token_id not in self._silent])

    def spoken(self, token_ids: Sequence[int]) -> str:
        """Return the text of `token_ids` without any special token."""
        return self._text([token_id for token_id in token_ids if token_id not in self._special])

    def shown(self, text: str, token_ids: Sequence[int]) -> str:
        """Return an engine's `text` of `token_ids` as `decode` gives it, with what a stop string cut off.

        A stop string may end within a token; what is generated next follows the whole token. Some tokenizers
        drop the space before the first of the tokens they decode, an engine does not.
        """
        whole = self.decode(token_ids)
        whole = whole if text.endswith("\ufffd") else whole.rstrip("\ufffd")  # half a character
        return f" {whole}" if text.startswith(" ") and not whole.startswith(" ") else whole

    def spell(self, token_ids: Sequence[int]) -> str:
        """Return the text of `token_ids` with one private character for each added token."""
        pieces = (
            "".join(map(self._private.__getitem__, group)) if is_added else self._text(list(group))
            for is_added, group in groupby(token_ids, self._private.__contains__)
        )
        return "".join(pieces)

    def ending_with(self, character: str) -> Collection[int]:
        """Return the tokens in which `character`, of a spelled text, can be found."""
        added = {token_id for token_id, private in self._private.items() if private == character}
        if added:
            return added
        vocabulary = self._tokenizer.get_vocab().items()
        is_kept = character.isascii() and character.isprintable()  # others are stored as bytes
        return {token_id for token, token_id in vocabulary if not is_kept or character in token}

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
            return self.encode(
                self._chat.render(question, thinking=thinking, turns=turns, is_instructed=is_instructed)
            )
        key = (question, thinking)
        prompt = self._prompts.pop(key, None) or self.encode(self._chat.render(question, thinking=thinking))
        self._prompts[key] = prompt  # at the end: the first one is the one that was not asked for longest
        if len(self._prompts) > NUM_KEPT_PROMPTS:
            del self._prompts[next(iter(self._prompts))]
        return prompt

    def _text(self, token_ids: Sequence[int]) -> str:
        return str(
            self._tokenizer.decode(
                list(token_ids), skip_special_tokens=False, clean_up_tokenization_spaces=False
            )
        )


def _quoted(question: str) -> str:
    return f'"{question if len(question) <= QUOTED_CHARACTERS else question[:QUOTED_CHARACTERS] + "..."}"'


def _visible(text: str) -> str:
    """Return `text` in compatible forms and one case, without what is not seen: spaces, controls, joiners."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return "".join(one for one in folded if not one.isspace() and unicodedata.category(one) not in UNSEEN)
