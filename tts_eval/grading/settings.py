"""How many processes grade."""

from __future__ import annotations

from dataclasses import dataclass

from tts_eval import checks
from tts_eval.grading.pool import GradingPool


@dataclass(frozen=True, slots=True)
class Grading:
    """Processes for the final grading, and others for votes, which are part of the time to an answer."""

    num_workers: int = 1
    num_vote_workers: int = 1

    def __post_init__(self) -> None:
        checks.whole_number("grading.num_workers", self.num_workers, minimum=1)
        checks.whole_number("grading.num_vote_workers", self.num_vote_workers, minimum=1)

    def pools(self) -> tuple[GradingPool, GradingPool]:
        """Return the pool of the final grading and that of the votes, neither of them started."""
        return GradingPool(num_workers=self.num_workers), GradingPool(num_workers=self.num_vote_workers)
