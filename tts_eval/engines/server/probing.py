"""What a server can do, found out by small requests before a run begins and stated in its manifest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx2

from tts_eval.engines.server.client import CONNECT_TIMEOUT_S, root_of
from tts_eval.engines.server.faults import quoted
from tts_eval.engines.server.metrics import has_gauges

NUM_LOGPROBS = (20, 5, 0)
PROBE_TIMEOUT_S = 60.0
PROBE_IDS = (1,)  # a token that every vocabulary has


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """What one server was found to do; None where it cannot be found out from outside."""

    url: str
    served_model: str
    version: str | None
    max_model_len: int | None
    takes_ids: bool
    returns_ids: bool
    reads: bool
    chats: bool
    continues_messages: bool
    max_num_logprobs: int | None
    counts_tokens: bool
    counts_cached_tokens: bool
    accepts_priorities: bool
    repeats_seeds: bool
    times_requests: bool
    gauges: bool
    tokenizes: bool


class Prober:
    """Asks one server; ValueError, in one line, where it does not answer or rejects the key."""

    def __init__(self, url: str, *, key: str, trust_env: bool) -> None:
        self._url, self._root = url.rstrip("/"), root_of(url)
        timeout = httpx2.Timeout(PROBE_TIMEOUT_S, connect=CONNECT_TIMEOUT_S)
        self._http = httpx2.Client(
            timeout=timeout, trust_env=trust_env, headers={"Authorization": f"Bearer {key}"}
        )

    def probe(self, served_model: str | None) -> Probed:
        """Return what the server can do with `served_model`, or with the one model that it serves."""
        with self._http:
            card = self._card(served_model)
            model = str(card["id"])
            drawn = self._completion(model)
            pooled = None if drawn else self._post(f"{self._root}/pooling", self._pooling(model))
            chat = None if drawn or pooled else self._chat(model)
            if not (drawn or pooled or chat):
                raise ValueError(
                    f"engine.urls: {self._url} serves {model} but answers neither /completions, /pooling "
                    "nor /chat/completions"
                )
            usage = (drawn or chat or {}).get("usage") or {}
            cached = usage.get("prompt_tokens_details") or {}
            ids = _choice(drawn).get("token_ids") if drawn else None
            return Probed(
                url=self._url,
                served_model=model,
                version=self._version(),
                max_model_len=card.get("max_model_len"),
                takes_ids=drawn is not None,
                returns_ids=bool(ids),
                reads=pooled is not None,
                chats=chat is not None,
                continues_messages=chat is not None and self._continues(model),
                max_num_logprobs=self._num_logprobs(model) if drawn else None,
                counts_tokens=usage.get("completion_tokens") is not None,
                counts_cached_tokens=cached.get("cached_tokens") is not None,
                accepts_priorities=drawn is not None and self._completion(model, priority=1) is not None,
                repeats_seeds=drawn is not None and self._repeats_seeds(model),
                times_requests=bool((drawn or {}).get("metrics")),
                gauges=has_gauges(self._text(f"{self._root}/metrics") or ""),
                tokenizes=self.tokenized(model, "1") is not None,
            )

    def tokenized(self, model: str, text: str) -> list[int] | None:
        """Return the server's token ids of `text`, None where it gives none."""
        body = {"model": model, "prompt": text, "add_special_tokens": False}
        answer = self._post(f"{self._root}/tokenize", body)
        return None if answer is None else answer.get("tokens")

    def _card(self, served_model: str | None) -> Mapping[str, Any]:
        try:
            response = self._http.get(f"{self._url}/models")
        except httpx2.HTTPError as error:
            raise ValueError(
                f"engine.urls: {self._url} does not answer ({type(error).__name__}); start the server first"
            ) from None
        if response.status_code != 200:
            raise ValueError(
                f"engine.urls: {self._url}/models answered {response.status_code}: {quoted(response.text)}"
            )
        try:
            cards: Sequence[Mapping[str, Any]] = response.json()["data"]
        except (ValueError, KeyError, TypeError):
            raise ValueError(
                f"engine.urls: {self._url}/models answered no list of models; the URL ends in /v1, as a rule"
            ) from None
        found = [card for card in cards if served_model in (None, card["id"])]
        if len(found) != 1:
            names = ", ".join(str(card["id"]) for card in cards) or "none"
            asked = "several models" if served_model is None else f"no model {served_model!r}"
            raise ValueError(f"engine.urls: {self._url} serves {asked}; give engine.served_model: {names}")
        return found[0]

    def _completion(self, model: str, **further: Any) -> dict[str, Any] | None:
        body = {
            "model": model,
            "prompt": list(PROBE_IDS),
            "max_tokens": 1,
            "temperature": 0.0,
            "return_token_ids": True,
            **further,
        }
        return self._post(f"{self._url}/completions", body)

    def _pooling(self, model: str) -> dict[str, object]:
        return {"model": model, "input": list(PROBE_IDS), "task": "token_classify", "use_activation": False}

    def _chat(self, model: str, **further: Any) -> dict[str, Any] | None:
        body = {"model": model, "messages": [{"role": "user", "content": "1"}], "max_tokens": 1, **further}
        return self._post(f"{self._url}/chat/completions", body)

    def _continues(self, model: str) -> bool:
        """Whether a partial message of the assistant is continued.

        Many servers pass over what they do not know. One that knows the two settings rejects both at once.
        """
        both = {"continue_final_message": True, "add_generation_prompt": True}
        turns = [{"role": "user", "content": "1"}, {"role": "assistant", "content": "1"}]
        is_refused = self._chat(model, messages=turns, **both) is None
        one = {"continue_final_message": True, "add_generation_prompt": False}
        return is_refused and self._chat(model, messages=turns, **one) is not None

    def _num_logprobs(self, model: str) -> int | None:
        for number in NUM_LOGPROBS:
            answer = self._completion(model, logprobs=number)
            if answer is not None and _choice(answer).get("logprobs"):
                return number
        return None

    def _repeats_seeds(self, model: str) -> bool:
        """Whether equal seeds draw equal samples."""
        drawn = [self._completion(model, max_tokens=8, temperature=1.0, seed=1) for _ in range(2)]
        first, second = (_choice(answer).get("token_ids") for answer in drawn)
        return bool(first) and first == second

    def _version(self) -> str | None:
        text = self._text(f"{self._root}/version")
        try:
            answer: Any = httpx2.Response(200, text=text or "").json()
            return str(answer["version"])
        except (ValueError, KeyError, TypeError):
            return None

    def _post(self, url: str, body: Mapping[str, object]) -> dict[str, Any] | None:
        """Return the answer, None where it is an error or no JSON object."""
        try:
            response = self._http.post(url, json=body)
            answer: Any = response.json() if response.status_code == 200 else None
        except (httpx2.HTTPError, ValueError):
            return None
        return answer if isinstance(answer, dict) and "error" not in answer else None

    def _text(self, url: str) -> str | None:
        try:
            response = self._http.get(url)
        except httpx2.HTTPError:
            return None
        return response.text if response.status_code == 200 else None


def _choice(answer: Mapping[str, Any] | None) -> Mapping[str, Any]:
    choices = (answer or {}).get("choices") or [{}]
    first: Mapping[str, Any] = choices[0]
    return first
