"""Those who watch a run: the progress on the screen and the experiment tracker, given the same figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from tts_eval.engines.protocol import Replays
from tts_eval.requests import REPLAYED
from tts_eval.rundir.outcome import Outcome
from tts_eval.rundir.schema import plain
from tts_eval.running.cell import CheckedCell
from tts_eval.summary.answers import are_judged
from tts_eval.summary.cost import wall_usd
from tts_eval.summary.summary import Summary
from tts_eval.tracking.console import ProgressDisplay, progress_display
from tts_eval.tracking.progress import Progress
from tts_eval.tracking.protocol import Tracker


@contextmanager
def watching(checked: CheckedCell, finished: Sequence[Outcome]) -> Iterator[Watch]:
    """Open display and tracker for a run in which `finished` were there before."""
    cell = checked.cell
    tracker = cell.tracking.start(
        name=cell.name,
        group=cell.group,
        job_type=cell.labels["strategy"],
        config=cell.config,
        directory=cell.directory,
    )
    with tracker, progress_display(len(checked.problems)) as display:
        watch = Watch(checked, display, tracker)
        for outcome in finished:
            watch.count(outcome)
        yield watch


@dataclass
class Watch:
    """Counts outcomes and passes the figures on."""

    checked: CheckedCell
    display: ProgressDisplay
    tracker: Tracker
    num_done: int = 0
    is_judged: bool = True
    num_correct: int = 0
    num_failed: int = 0
    num_generated_tokens: int = 0

    def count(self, outcome: Outcome) -> None:
        """Add `outcome` to the counts."""
        self.num_done += 1
        self.is_judged &= are_judged([outcome])
        self.num_correct += outcome.is_correct
        self.num_failed += outcome.error is not None
        self.num_generated_tokens += outcome.spend.num_generated_tokens

    def see(self, outcome: Outcome, elapsed_s: float) -> None:
        """Count `outcome` and show how far the run is after `elapsed_s` seconds."""
        self.count(outcome)
        cell = self.checked.cell
        is_replay = isinstance(cell.engine, Replays)
        price = None if is_replay else cell.hardware.usd_per_gpu_hour
        progress = Progress(
            num_problems=len(self.checked.problems),
            num_done=self.num_done,
            num_correct=self.num_correct if self.is_judged else None,
            num_failed=self.num_failed,
            num_generated_tokens=None if is_replay else self.num_generated_tokens,
            elapsed_s=elapsed_s,
            usd=None
            if price is None
            else wall_usd(num_gpus=cell.deployment.num_gpus, wall_s=elapsed_s, usd_per_gpu_hour=price),
        )
        self.display.update(progress)
        self.tracker.update(progress)

    def finish(self, summary: Summary, outcomes: Sequence[Outcome]) -> None:
        """Hand the tracker the summary, as summary.json has it, and a row a problem."""
        is_replay = summary.about.provenance == REPLAYED
        knows_tokens = summary.spent.tokens.generated is not None
        rows = [_row(outcome, is_timed=not is_replay, knows_tokens=knows_tokens) for outcome in outcomes]
        self.tracker.finish(plain(summary), rows)


def _row(outcome: Outcome, *, is_timed: bool, knows_tokens: bool) -> dict[str, float | str | None]:
    return {
        "problem": outcome.problem_id,
        "level": outcome.level,
        "gold": outcome.gold,
        "answer": outcome.attempt.answer if outcome.attempt else None,
        "verdict": str(outcome.grade.verdict),
        "tta_s": outcome.spend.tta_s if is_timed else None,
        "generated_tokens": outcome.spend.num_generated_tokens if knows_tokens else None,
        "error": outcome.error,
    }
