"""What a sample's events add up to, whichever endpoint they come from."""

from __future__ import annotations

from typing import Protocol

from tts_eval.records import Finish
from tts_eval.requests import Completion
from tts_eval.spend import FailedAttempt


class Growth(Protocol):
    """One attempt at a sample; the first event is empty and marks the first byte."""

    token_ids: list[int]
    finish: Finish | None

    def add(self, data: bytes) -> None:
        """Take over one event; raises Fault or Rejected where it is an error."""

    def completion(self, failed: tuple[FailedAttempt, ...] = ()) -> Completion:
        """Return everything so far; `failed` are the attempts before this one."""
