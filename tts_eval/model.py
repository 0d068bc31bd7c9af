"""A model as configured: where its weights are, how it is prompted, how it marks its thinking.

What is left to be found in its tokenizer and chat template, `tts_eval.llm.tokenizer` finds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any

from tts_eval import checks
from tts_eval.hardware import ApiPrice
from tts_eval.hub import why_unreachable
from tts_eval.records import Markers, Sampling

AUTO = "auto"  # a setting that is found in the tokenizer and the chat template
PROJECT_ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Model:
    """One model; the fields are those of `conf/model/*.yaml`.

    `path` is a hub id or a folder; a relative folder is looked for in the current directory, then in this
    checkout. `instruction` is appended to every question. The thinking markers are found in the chat template
    where they are "auto"; null: the model does not think. `starts_thinking` says that the chat template
    itself opens the thinking part (None: as the template shows). `answer_lead_in` "auto" is the usual one
    after these markers. `no_thinking_kwargs` are the chat-template arguments that switch thinking off, on top
    of `chat_template_kwargs`; empty: a switch that the template shows. `reads` is what alone the tokenizer
    can read, for people. The sampling settings are those its authors recommend; `warns_against_greedy` says
    that they advise against temperature 0.
    `draft_path` and `eagle3_path` name what can draft for it in speculative decoding, where that is known.
    `config_json` repeats the sizes in the checkpoint's config.json, so that the planner needs no hub.
    `trust_remote_code` runs Python that the checkpoint brings, in this program and in its engines.
    `api_price` is what an API asks for its tokens (the fields of `ApiPrice`).
    """

    name: str
    path: str
    revision: str | None = None
    system_prompt: str | None = None
    instruction: str = ""
    thinking_start: str | None = AUTO
    thinking_end: str | None = AUTO
    starts_thinking: bool | None = None
    answer_lead_in: str = AUTO
    wait: str = ""
    step_separator: str = "\n\n"
    min_step_tokens: int = 1
    chat_template_kwargs: Mapping[str, Any] = field(default_factory=dict)
    no_thinking_kwargs: Mapping[str, Any] = field(default_factory=dict)
    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0
    warns_against_greedy: bool = False
    max_model_len: int | None = None
    dtype: str = "auto"
    api_price: Mapping[str, Any] | None = None
    draft_path: str | None = None
    eagle3_path: str | None = None
    config_json: Mapping[str, Any] | None = None
    reads: str | None = None
    trust_remote_code: bool = False

    def __post_init__(self) -> None:
        _ = self.sampling
        checks.whole_number("model.min_step_tokens", self.min_step_tokens, minimum=1)
        if not self.step_separator:
            raise ValueError("model.step_separator must not be empty")
        if self.max_model_len is not None:
            checks.whole_number("model.max_model_len", self.max_model_len, minimum=1)
        if self.api_price is not None:
            _check_api_price(self.api_price)
        kinds = [
            marker if marker in (None, AUTO) else "set" for marker in (self.thinking_start, self.thinking_end)
        ]
        if kinds[0] != kinds[1]:
            raise ValueError(
                "model.thinking_start and model.thinking_end must both be set, both be auto or both be null"
            )
        if self.starts_thinking is not None and not isinstance(self.starts_thinking, bool):
            raise ValueError(
                f"model.starts_thinking must be true, false or null (found), not {self.starts_thinking!r}"
            )

    @property
    def sampling(self) -> Sampling:
        """The recommended sampling settings."""
        return Sampling(temperature=self.temperature, top_p=self.top_p, top_k=self.top_k)

    @property
    def markers(self) -> Markers:
        """The strings that divide and steer this model's text, without those that are yet to be found."""
        is_found = self.thinking_end != AUTO
        return Markers(
            thinking_start=self.thinking_start if is_found else None,
            thinking_end=self.thinking_end if is_found else None,
            answer_lead_in="" if self.answer_lead_in == AUTO else self.answer_lead_in,
            wait=self.wait,
            step_separator=self.step_separator,
            min_step_tokens=self.min_step_tokens,
        )

    @property
    def location(self) -> str:
        """The folder `path` names, absolute, or else `path` as a hub id."""
        for folder in (Path(self.path).expanduser(), PROJECT_ROOT / self.path):
            if folder.is_dir():
                return str(folder.resolve())
        return self.path

    def architecture(self) -> Any:
        """Return the transformers configuration; ValueError where there is none to be had."""
        from transformers import AutoConfig

        return self.load(AutoConfig, "configuration")

    def load(self, auto_class: Any, what: str) -> Any:
        """Load `what` through a transformers auto class; without network, from the user's cache."""
        location = self.location
        is_offline = location == self.path and _hub_is_silent(location)
        try:
            return auto_class.from_pretrained(
                location,
                revision=self.revision,
                local_files_only=is_offline,
                trust_remote_code=self.trust_remote_code,
            )
        except (OSError, ValueError) as error:
            raise ValueError(
                f"no {what} for model {self.name!r}: {self.path!r} is neither a folder with a checkpoint nor "
                f"a hub id that can be reached; give model.path=FOLDER"
            ) from error


def _check_api_price(price: Mapping[str, Any]) -> None:
    """Reject a price with other fields than `ApiPrice` has, or values that it rejects."""
    try:
        ApiPrice(**price)
    except TypeError:
        allowed = ", ".join(field.name for field in fields(ApiPrice))
        raise ValueError(f"model.api_price has {', '.join(price) or 'nothing'}; it needs {allowed}") from None


@cache
def _hub_is_silent(repository: str) -> bool:
    from huggingface_hub import HfApi

    return bool(why_unreachable(HfApi().model_info, repository))
