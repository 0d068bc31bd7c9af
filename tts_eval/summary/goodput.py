"""Latency objectives: what a user may expect of one problem, so that goodput can be counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from tts_eval import checks
from tts_eval.rundir.outcome import Outcome
from tts_eval.rundir.topic import Topic
from tts_eval.spend import Spend
from tts_eval.summary.answers import OfAnswers


@dataclass(frozen=True)
class Objectives:
    """The longest times that are good enough, in seconds; None where nothing is asked.

    Goodput is the rate of problems that meet all of them (DistServe, arXiv 2401.09670, section 1).
    """

    ttft_s: float | None = None
    ttfat_s: float | None = None
    tta_s: float | None = None
    tpot_excl_first_s: float | None = None

    def __post_init__(self) -> None:
        for name, limit_s in self.stated.items():
            checks.number(f"objectives.{name}", limit_s, minimum=0.0)

    @property
    def stated(self) -> Mapping[str, float]:
        """Those that are asked for."""
        return {name: limit_s for name, limit_s in asdict(self).items() if limit_s is not None}

    def met_by(self, spend: Spend) -> bool:
        """Whether a problem met all of them; a time that is not known does not meet its objective."""
        times_s = {name: getattr(spend, name) for name in self.stated}
        return all(
            times_s[name] is not None and times_s[name] <= limit_s for name, limit_s in self.stated.items()
        )


class Goodput(Topic, frozen=True, kw_only=True):
    """Rate and share of the problems that met all objectives; None where nothing can be said.

    That is where none is stated, or one on a time that is known of no problem. Failed problems met none.
    """

    objectives: Mapping[str, float]
    goodput_problems_per_s: float | None
    goodput_share: float | None
    goodput_correct_per_s: OfAnswers[float]
    goodput_correct_share: OfAnswers[float]


def goodput_figures(outcomes: Sequence[Outcome], held_s: float, objectives: Objectives) -> Goodput:
    """Return the goodput of `outcomes`, for which the GPUs were held for `held_s`."""
    can_tell = bool(outcomes) and bool(objectives.stated)
    for name in objectives.stated:
        can_tell = can_tell and any(getattr(outcome.spend, name) is not None for outcome in outcomes)
    good = [outcome for outcome in outcomes if outcome.error is None and objectives.met_by(outcome.spend)]
    num_correct = sum(outcome.is_correct for outcome in good)
    return Goodput(
        objectives=objectives.stated,
        goodput_problems_per_s=len(good) / held_s if can_tell and held_s else None,
        goodput_share=len(good) / len(outcomes) if can_tell else None,
        goodput_correct_per_s=num_correct / held_s if can_tell and held_s else None,
        goodput_correct_share=num_correct / len(outcomes) if can_tell else None,
    )
