"""The ranked plans on the console, and the rejected ones with their reasons."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from tts_eval.planning.planned_frontier import Prospect
from tts_eval.planning.ranking import Band, Outlook, Ranking

PLAIN_WIDTH = 230  # where the output is no terminal, nothing is cut
COLUMNS = (
    "plan",
    "weights\nGB/GPU",
    "KV tokens\nnode",
    "sequences\npeak / mean",
    "cliff\ntokens",
    "tokens/s",
    "tta p50",
    "tta p99",
    "pre-\nemptions",
    "$/M tokens\n(band)",
    "$/problem\n(band)",
    "what binds",
)


def print_ranking(ranking: Ranking, *, title: str, console: Console | None = None) -> None:
    """Print a row a plan, best first, then the rejected ones by reason."""
    console = console or Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH)
    table = Table(title=f"modelled; {title}", title_justify="left", title_style="")
    for heading in COLUMNS:
        is_text = heading in ("plan", "what binds")
        table.add_column(heading, justify="left" if is_text else "right", no_wrap=heading != "what binds")
    for outlook in ranking.outlooks:
        table.add_row(*_row(outlook))
    console.print(table)
    reasons: dict[str, list[str]] = defaultdict(list)
    for refusal in ranking.refusals:
        reasons[refusal.reason].append(refusal.plan.name)
    for reason, names in reasons.items():
        console.print(f"refused {', '.join(names)}: {reason}", soft_wrap=True, markup=False)


def print_prospects(prospects: Sequence[Prospect], *, title: str, console: Console | None = None) -> None:
    """Print measured cells on another node: accuracy as measured, the rest modelled, frontiers marked."""
    console = console or Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH)
    table = Table(
        title=f"accuracy measured, all else modelled; {title}", title_justify="left", title_style=""
    )
    table.add_column("cell")
    table.add_column("best plan")
    for heading in ("accuracy", "tta p50", "tta p99", "$/problem\n(band)", "$/correct\n(band)"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("on the frontier of accuracy and")
    for prospect in prospects:
        low, high = prospect.accuracy_ci95
        table.add_row(
            prospect.name,
            prospect.outlook.plan.name,
            f"{prospect.accuracy:.3f} [{low:.3f}, {high:.3f}]",
            _seconds(prospect.outlook.tta_p50_s),
            _seconds(prospect.outlook.tta_p99_s),
            _usd(prospect.outlook.usd_per_problem),
            _usd(prospect.usd_per_correct),
            ", ".join(prospect.on) or "-",
        )
    console.print(table)


def _row(outlook: Outlook) -> list[str]:
    cliff = "never" if outlook.cliff_tokens is None else f"{outlook.cliff_tokens:,.0f}"
    preemptions = outlook.num_preemptions
    return [
        outlook.plan.name,
        f"{outlook.weights_gb_per_gpu:.1f}",
        f"{outlook.kv_tokens / 1e6:.2f}M",
        f"{outlook.num_sequences_peak:,} / {outlook.num_sequences_mean:,.0f}",
        cliff,
        f"{outlook.generated_tokens_per_s:,.0f}",
        _seconds(outlook.tta_p50_s),
        _seconds(outlook.tta_p99_s),
        "-" if preemptions is None else f"{preemptions:,}",
        _usd(outlook.usd_per_million_tokens),
        _usd(outlook.usd_per_problem),
        outlook.binds,
    ]


def _seconds(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.1f} s" if value >= 10 else f"{value:.2g} s"


def _usd(band: Band) -> str:
    if band.stated is None:
        return "-"
    if band.low is None or band.high is None:
        return f"{band.stated:.3g}"
    return f"{band.stated:.3g} ({band.low:.3g}..{band.high:.3g})"
