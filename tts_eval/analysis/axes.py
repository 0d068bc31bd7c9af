"""The axes that accuracy is held against: what the computation took, and what the system took."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["compute", "system"]
Statistic = Literal["mean", "p50", "p99", "per_correct"]


@dataclass(frozen=True, slots=True)
class Axis:
    """A cost: `column` of the problems' frame by `statistic`; `per_correct` is a ratio of sums."""

    name: str
    label: str
    kind: Kind
    column: str
    statistic: Statistic


AXES = (
    Axis("flops_per_problem", "FLOPs per problem", "compute", "flops", "mean"),
    Axis("tokens_per_problem", "generated tokens per problem", "compute", "num_generated_tokens", "mean"),
    Axis("tta_s_p50", "time to answer, median (s)", "system", "tta_s", "p50"),
    Axis("tta_s_p99", "time to answer, 99th percentile (s)", "system", "tta_s", "p99"),
    Axis("tta_s_mean", "time to answer, mean (s)", "system", "tta_s", "mean"),
    Axis("usd_per_problem", "dollars per problem", "system", "usd", "mean"),
    Axis("usd_per_correct", "dollars per correct answer", "system", "usd", "per_correct"),
    Axis("joules_per_problem", "joules per problem", "system", "joules", "mean"),
    Axis("joules_per_correct", "joules per correct answer", "system", "joules", "per_correct"),
)


def axis_of(name: str) -> Axis:
    """Return the axis called `name`; raises ValueError where there is none."""
    for axis in AXES:
        if axis.name == name:
            return axis
    raise ValueError(f"there is no axis {name!r}; allowed: {', '.join(axis.name for axis in AXES)}")
