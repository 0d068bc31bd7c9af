"""How far a run is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """Counts so far, all over the same `elapsed_s` seconds; `usd` is None where no price is known.

    `num_done` includes the problems that failed; `num_correct` is None where answers mean nothing, and
    `num_generated_tokens` where nothing is generated, but handed out again.
    """

    num_problems: int
    num_done: int
    num_correct: int | None
    num_failed: int
    num_generated_tokens: int | None
    elapsed_s: float
    usd: float | None

    @property
    def accuracy(self) -> float | None:
        """Correct answers among the problems done, None before the first."""
        return None if self.num_correct is None or not self.num_done else self.num_correct / self.num_done

    @property
    def tokens_per_s(self) -> float | None:
        """Generated tokens a second, None before any time has passed and where none are generated."""
        if self.num_generated_tokens is None or self.elapsed_s <= 0:
            return None
        return self.num_generated_tokens / self.elapsed_s

    @property
    def remaining_s(self) -> float | None:
        """Seconds to go if problems go on being done at this pace, None before the first is done."""
        if not self.num_done:
            return None
        return self.elapsed_s / self.num_done * (self.num_problems - self.num_done)
