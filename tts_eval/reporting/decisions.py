"""Which cell to deploy: a map over what a right answer is worth and what waiting costs, and stated rates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from tts_eval import checks
from tts_eval.analysis.axes import axis_of
from tts_eval.analysis.utility import best_ranges, utility
from tts_eval.reporting.group import Group, plain, plain_rows
from tts_eval.reporting.parts import Decisions, StatedRates

NUM_RATES = 49  # a side of the map
BEYOND = 10.0  # how many times the map goes on past the first and the last change of the choice


@dataclass(frozen=True, slots=True)
class Rates:
    """What a right answer is worth, and what a second of waiting for any answer costs."""

    value_per_correct_usd: float
    usd_per_wait_s: float = 0.0

    def __post_init__(self) -> None:
        checks.number("value_per_correct_usd", self.value_per_correct_usd, minimum=0.0)
        checks.number("usd_per_wait_s", self.usd_per_wait_s, minimum=0.0)


def decisions_of(group: Group, rates: Rates | None) -> Decisions | None:
    """Return the map, and the exact ranges where waiting is free; None where dollars or times are unknown."""
    cells = group.cells
    usd, wait_s = cells.cost(axis_of("usd_per_problem")), cells.cost(axis_of("tta_s_mean"))
    known = np.flatnonzero(~np.isnan(usd + wait_s) & (usd > 0) & (wait_s > 0))
    if not len(known):
        return None
    names = [cells.names[place] for place in known]
    ranges = best_ranges(group.restricted(names), over="value_per_correct_usd").reset_index()
    changes = [value for value in ranges["low"] if value > 0] or [float(usd[known].mean())]
    values = np.geomspace(min(changes) / BEYOND, max(changes) * BEYOND, NUM_RATES)
    # Waiting decides where it costs about as much as the answer is worth.
    waits = np.geomspace(
        values[0] / wait_s[known].max() / BEYOND, values[-1] / wait_s[known].min(), NUM_RATES
    )
    worth = values[None, :, None] * cells.accuracy[known] - usd[known] - waits[:, None, None] * wait_s[known]
    best = worth.argmax(axis=2)
    winners = list(dict.fromkeys(best.ravel().tolist()))
    place = {cell: number for number, cell in enumerate(winners)}
    stated = rates or Rates(value_per_correct_usd=float(f"{values[NUM_RATES // 2]:.2g}"))
    return Decisions(
        value_per_correct_usd=[plain(value) for value in values],
        usd_per_wait_s=[plain(wait) for wait in waits],
        best=[[place[cell] for cell in row] for row in best.tolist()],
        winners=[names[cell] for cell in winners],
        ranges=plain_rows(ranges),
        stated=StatedRates(stated.value_per_correct_usd, stated.usd_per_wait_s),
    )


def decision_table(groups: Sequence[Group], rates: Rates) -> pd.DataFrame:
    """Return a row a group and cell with known costs: what `utility` says at `rates`, the best first."""
    parts = []
    for group in groups:
        table = utility(group.cells, **asdict(rates)).reset_index()
        table.insert(0, "group", group.name)
        parts.append(table.assign(**asdict(rates)))
    return pd.concat(parts, ignore_index=True)
