"""A calibration on the console and as rows: the fitted constants, and every run as measured and modelled."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.table import Table

from tts_eval.planning.calibration import FIGURES, Calibration
from tts_eval.planning.files import Row
from tts_eval.planning.recorded import REGIMES

PLAIN_WIDTH = 160
HEADINGS = {"generated_tokens_per_s": "tokens/s", "tta_p50_s": "tta p50", "tpot_s": "time/token"}


def print_calibration(calibration: Calibration, *, console: Console | None = None) -> None:
    """Print the fitted constants and the mean absolute error of each regime, fitted and held out apart."""
    console = console or Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH)
    fitted = ", ".join(f"{name} {value:.4g}" for name, value in calibration.fitted.items())
    console.print(f"fitted to {calibration.num_observations} calls: {fitted}", soft_wrap=True)
    table = Table(title="mean |modelled - measured| / measured", title_justify="left", title_style="")
    table.add_column("regime")
    table.add_column("runs", justify="right")
    for heading in HEADINGS.values():
        table.add_column(heading, justify="right")
    table.add_column("preemptions\nmeasured / modelled", justify="right")
    for regime in REGIMES:
        for is_held_out in (False, True):
            row = _row(calibration, regime, is_held_out=is_held_out)
            if row:
                table.add_row(*row)
    console.print(table)


def calibration_rows(calibration: Calibration) -> list[Row]:
    """Return a row a run, each figure measured and modelled."""
    return [
        {
            "run": check.name,
            "regime": check.regime,
            "is_held_out": check.is_held_out,
            **{f"{figure}_measured": check.measured[figure] for figure in FIGURES},
            **{f"{figure}_modelled": check.modelled[figure] for figure in FIGURES},
        }
        for check in calibration.checks
    ]


def _row(calibration: Calibration, regime: str, *, is_held_out: bool) -> list[str]:
    """Return the cells of one regime; empty without runs in it."""
    checks = [c for c in calibration.checks if c.regime == regime and c.is_held_out is is_held_out]
    if not checks:
        return []
    errors = [calibration.mean_absolute_error(regime, name, held_out=is_held_out) for name in HEADINGS]
    measured, modelled = (
        sum(side["num_preemptions"] for side in sides)
        for sides in ([c.measured for c in checks], [c.modelled for c in checks])
    )
    return [
        f"{regime}, {'held out' if is_held_out else 'fitted'}",
        str(len(checks)),
        *("-" if error is None else f"{error:.1%}" for error in errors),
        f"{measured:,.0f} / {modelled:,.0f}",
    ]
