"""Latency objectives: what a user may expect of one problem, so that goodput can be counted.

Knows no load and no run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from tts_eval import checks
from tts_eval.spend import Spend


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
