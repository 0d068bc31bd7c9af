"""What the page's program reads, by name: views/*.js use these fields as they are called here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import msgspec

from tts_eval.reporting.group import Scalar, plain

Figure = float | str | None  # "inf" is infinite, None unknown
Row = Mapping[str, Scalar]  # a row of a table of the analysis, whose columns its module states


class EstimateView(msgspec.Struct, frozen=True):
    """A figure with its 95% interval."""

    value: Figure
    low: Figure
    high: Figure

    @classmethod
    def of(cls, value: Any, low: Any, high: Any) -> Self:
        """Return the estimate of these numbers, as JSON has them."""
        return cls(plain(value), plain(low), plain(high))


class CellCost(EstimateView, frozen=True, kw_only=True):
    """What a cell costs on an axis; `dominated_by` is the place of another cell among those of the group."""

    is_on_frontier: bool
    p_on_frontier: Figure
    dominated_by: int | None


class CellView(msgspec.Struct, frozen=True, kw_only=True):
    """A cell: its labels, its accuracy, its costs by axis, its figures, and what is set for it alone.

    `path_s` holds the mean parts of the time to answer, None where there are no times.
    """

    name: str
    short: str
    model: str
    strategy: str
    verifier: str
    engine: str
    speculation: str
    load: str
    hardware: str
    provenance: str
    parallelism: str
    num_repeats: int
    num_runs: int
    accuracy: EstimateView
    costs: Mapping[str, CellCost]
    own: Mapping[str, str]
    path_s: Mapping[str, Figure] | None
    figures: Mapping[str, Scalar]


class AxisView(msgspec.Struct, frozen=True):
    """An axis on which costs are known."""

    name: str
    label: str
    kind: str


class FirstAxes(msgspec.Struct, frozen=True):
    """The axes of each kind in the order in which they are offered."""

    compute: Sequence[str]
    system: Sequence[str]


class Failure(msgspec.Struct, frozen=True):
    """A cell that is on no frontier, and why."""

    cell: str
    reason: str


class RegretView(msgspec.Struct, frozen=True):
    """The regret of choosing by `compute` what `system` is paid for; `tau` says how far the orders agree."""

    compute: str
    system: str
    tau: EstimateView
    rows: Sequence[Row]


class Curve(msgspec.Struct, frozen=True):
    """The accuracy of a cell at each deadline."""

    cell: str
    deadline_s: Sequence[float]
    accuracy: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]


class Family(msgspec.Struct, frozen=True, kw_only=True):
    """Cells that differ in budget alone, and the curve that fits them."""

    family: str
    cells: list[str]
    x: Sequence[float]
    y: Sequence[float]
    gain_per_doubling: EstimateView
    ceiling: EstimateView | None
    saturates_at: EstimateView | None


class GaugeSeries(msgspec.Struct, frozen=True):
    """Readings of a run's engine and machine by their names, None where one was not told."""

    cell: str
    run: str
    at_s: Sequence[Figure]
    series: Mapping[str, Sequence[Figure]]


class Runaways(msgspec.Struct, frozen=True, kw_only=True):
    """The problems of a run that ran away: how many of each kind, and the worst."""

    cell: str
    num_problems: int
    num_looping: int
    num_truncated: int
    num_outliers: int
    worst: Sequence[Row]


class CandidateView(msgspec.Struct, frozen=True, kw_only=True):
    """A candidate with as much of its text as is shown."""

    answer: str | None
    num_tokens: int | None
    score: Figure
    step_scores: Sequence[float] | None
    text: str


class NodeView(msgspec.Struct, frozen=True, kw_only=True):
    """A node of a search tree (see `records.TreeNode`)."""

    parent: int | None
    text: str
    score: Figure
    num_visits: int
    value: Figure
    answer: str | None


class AttemptView(msgspec.Struct, frozen=True, kw_only=True):
    """How a cell solved a problem; of candidates and nodes the first are shown, all are counted."""

    cell: str
    answer: str | None
    verdict: str
    error: str | None
    tta_s: Figure
    num_candidates: int
    candidates: Sequence[CandidateView]
    num_nodes: int
    tree: Sequence[NodeView]


class ProblemView(msgspec.Struct, frozen=True):
    """A problem with the attempts of a few cells."""

    problem: str
    gold: str | None
    level: int | None
    attempts: Sequence[AttemptView]


class StatedRates(msgspec.Struct, frozen=True):
    """The rates that the page starts with."""

    value_per_correct_usd: float
    usd_per_wait_s: float


class Decisions(msgspec.Struct, frozen=True, kw_only=True):
    """Which cell is worth most at each pair of rates.

    `best` holds, a row a cost of waiting, the place in `winners` of the best cell at each value; `ranges` are
    the exact ones where waiting is free.
    """

    value_per_correct_usd: Sequence[Figure]
    usd_per_wait_s: Sequence[Figure]
    best: Sequence[Sequence[int]]
    winners: Sequence[str]
    ranges: Sequence[Row]
    stated: StatedRates


class Contents(msgspec.Struct, frozen=True, kw_only=True):
    """All that the page says of a group; `shared` are the settings that all of its cells have."""

    name: str
    num_runs: int
    num_problems: int
    axes: Sequence[AxisView]
    first: FirstAxes
    shared: Mapping[str, str]
    figures: Sequence[str]
    failed: Sequence[Failure]
    served_otherwise: Sequence[str]
    run_noise: Mapping[str, Figure]
    cells: Sequence[CellView]
    regret: Sequence[RegretView]
    anytime: Sequence[Curve]
    scaling: Sequence[Family]
    levels: Sequence[Row]
    equivalents: Sequence[Row]
    gauges: Sequence[GaugeSeries]
    decisions: Decisions | None
    runaways: Sequence[Runaways]
    problems: Sequence[ProblemView]


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How much of the details is shown."""

    curves: int
    gauged: int
    problems: int
    attempts: int
    candidates: int
    nodes: int
    chars: int


class PageData(msgspec.Struct, frozen=True, kw_only=True):
    """The data of a page: its groups, and the names of those left out as answers mean nothing there."""

    made_at: str
    groups: Sequence[Contents]
    without_accuracy: Sequence[str]
    limits: Limits
