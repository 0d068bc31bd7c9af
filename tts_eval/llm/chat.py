"""The chat template of one model: how a dialogue is rendered, and what it shows of the model's thinking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from jinja2 import TemplateError

from tts_eval.llm.markings import Marking, Opening, shown_in
from tts_eval.model import AUTO, Model

SWITCHES = ("enable_thinking", "thinking")  # the arguments by which chat templates switch thinking off
EXAMPLE = "What is 6 x 7?"
LEAD_IN = "\n\n**Final Answer**\n\\boxed{"  # of a model that does not think
TAIL_CHARACTERS = 40  # of a prompt, in messages


class Chat:
    """Renders dialogues with `model`, for which its settings are completed by what its template shows.

    A model without a chat template is given the bare text, as base models are.
    """

    def __init__(self, configured: Model, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._configured = self.model = configured
        self.marking = self._found_marking()
        self.model = self._completed()
        self.tails = {thinking: self._tail(thinking) for thinking in (True, False)}

    @property
    def openings(self) -> dict[str, Opening]:
        """The ends of rendered prompts, the longer one first, and what each leaves the model in."""
        tails = sorted({*self.tails.values()}, key=len, reverse=True)
        return {tail: self.marking.opening(tail) if self.marking else Opening.ANSWER for tail in tails}

    def render(
        self,
        question: str,
        *,
        thinking: bool = True,
        turns: Sequence[str] = (),
        is_instructed: bool = True,
    ) -> str:
        """Return the prompt as text, ready for the model's turn unless `turns` ends with one.

        Without `thinking` the template's switch is used. Where it has none, the prompt goes on with what the
        model would write if it skipped its thinking.
        """
        model = self.model
        content = f"{question}\n{model.instruction}" if is_instructed and model.instruction else question
        kwargs = {} if thinking else dict(model.no_thinking_kwargs)
        text = self._rendered([content, *turns], kwargs)
        if thinking or self.marking is None or len(turns) % 2:
            return text
        plain = self._end_of(kwargs)
        if model.no_thinking_kwargs and self.marking.opening(plain) is not Opening.THINKING:
            return text
        return text.removesuffix(plain) + self.marking.skipped(plain)

    def check(self) -> None:
        """Raise ValueError where the configured markers and the end of the prompt contradict each other."""
        model, tail = self._configured, self.tails[True]
        shown = shown_in(tail)
        is_opened = shown is not None and shown.opening(tail) is Opening.THINKING
        end = f"the prompt of {model.name!r} ends in {tail[-TAIL_CHARACTERS:]!r}"
        if shown is not None and is_opened and shown != self.marking:
            raise ValueError(
                f"model.thinking_start={model.thinking_start or 'null'}, but {end}, which opens the thinking "
                f"with {shown.start!r}; leave model.thinking_start and model.thinking_end out"
            )
        if model.starts_thinking is not None and model.starts_thinking != self.model.starts_thinking:
            does = "opens" if self.model.starts_thinking else "does not open"
            raise ValueError(
                f"model.starts_thinking={str(model.starts_thinking).lower()}, but {end}, which {does} the "
                "thinking; leave model.starts_thinking out"
            )

    def _found_marking(self) -> Marking | None:
        model = self._configured
        if model.thinking_start is None or model.thinking_end is None:
            return None
        if model.thinking_end != AUTO:
            return Marking.of(model.thinking_start, model.thinking_end)
        asked = f"{model.system_prompt or ''}{model.instruction}"
        return (
            shown_in(self._end_of({}))
            or shown_in(str(self._tokenizer.chat_template or ""))
            or shown_in(asked)
        )

    def _completed(self) -> Model:
        """Return the configured model with what was left to be found."""
        model, marking = self._configured, self.marking
        lead_in = LEAD_IN if marking is None else marking.lead_in
        return replace(
            model,
            thinking_start=marking.start if marking else None,
            thinking_end=marking.end if marking else None,
            starts_thinking=marking is not None and marking.opening(self._end_of({})) is Opening.THINKING,
            answer_lead_in=lead_in if model.answer_lead_in == AUTO else model.answer_lead_in,
            no_thinking_kwargs=model.no_thinking_kwargs or (self._found_switch() if marking else {}),
        )

    def _found_switch(self) -> dict[str, Any]:
        """Return the argument that makes a difference to the end of the prompt, if there is one."""
        plain = self._end_of({})
        return next(({name: False} for name in SWITCHES if self._end_of({name: False}) != plain), {})

    def _tail(self, thinking: bool) -> str:
        return self._after_question(self.render(EXAMPLE, thinking=thinking))

    def _end_of(self, kwargs: Mapping[str, Any]) -> str:
        """Return what follows the question in a prompt rendered with `kwargs`."""
        return self._after_question(self._rendered([EXAMPLE], kwargs))

    def _after_question(self, text: str) -> str:
        _, _, end = text.rpartition(EXAMPLE)
        return end.removeprefix(f"\n{self.model.instruction}")

    def _rendered(self, contents: Sequence[str], kwargs: Mapping[str, Any]) -> str:
        model = self.model
        if not self._tokenizer.chat_template:
            return "\n".join((*([model.system_prompt] if model.system_prompt else ()), *contents, ""))
        messages = [
            {"role": "assistant" if number % 2 else "user", "content": content}
            for number, content in enumerate(contents)
        ]
        if model.system_prompt is not None:
            messages.insert(0, {"role": "system", "content": model.system_prompt})
        try:
            text = self._tokenizer.apply_chat_template(
                messages,
                tokenize=False,
                add_generation_prompt=len(contents) % 2 == 1,
                **{**model.chat_template_kwargs, **kwargs},
            )
        except TemplateError as error:
            roles = ", ".join(message["role"] for message in messages)
            raise ValueError(
                f"the chat template of {model.name!r} does not take a dialogue of {roles}: {error}"
                + ("" if model.system_prompt is None else "; give model.system_prompt=null")
            ) from error
        return str(text)
