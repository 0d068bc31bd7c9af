"""Tracking in Weights & Biases: configuration, live progress, summary and a table of the problems.

Whatever W&B does wrong once a run is under way is reported once and goes no further: the run directory holds
everything.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from tts_eval import checks
from tts_eval.tracking.none import NoTracker
from tts_eval.tracking.progress import Progress

if TYPE_CHECKING:
    import wandb

MODES = ("auto", "online", "offline")
NO_NETWORK_MODES = {"offline": "offline", "dryrun": "offline", "disabled": "disabled"}  # WANDB_MODE's words
INIT_TIMEOUT_S = 30.0
FINISH_TIMEOUT_S = 120.0


@dataclass(frozen=True, slots=True)
class WandbTracking:
    """A W&B project; `auto` tracks online where one is logged in, else offline.

    W&B's own environment variables hold (WANDB_API_KEY, WANDB_BASE_URL, WANDB_HTTP_TIMEOUT, …); WANDB_MODE
    decides what `auto` means, where it is set.
    """

    project: str = "tts_eval"
    entity: str | None = None
    mode: str = "auto"
    tags: Sequence[str] = ()

    def __post_init__(self) -> None:
        checks.one_of("tracking.mode", self.mode, MODES)
        if not re.fullmatch(r"[^/\\#?%:]{1,128}", str(self.project)):
            raise ValueError(
                f"tracking.project must have 1 to 128 characters, none of / \\ # ? % :, not {self.project!r}"
            )
        if isinstance(self.tags, str) or not all(1 <= len(str(tag)) <= 64 for tag in self.tags):
            raise ValueError(
                f"tracking.tags must be a list of texts of 1 to 64 characters, not {self.tags!r}"
            )

    def check(self) -> None:
        """Raise ValueError if `mode` is online and W&B cannot be used; may wait 10 s for the network."""
        _settled(self.mode)

    def start(
        self, *, name: str, group: str, job_type: str, config: Mapping[str, Any], directory: Path
    ) -> WandbTracker | NoTracker:
        """Begin a run with its files in `directory`/wandb, or go on with the online run begun there."""
        settled = _settled(self.mode)
        for mode in dict.fromkeys((settled, "offline")):
            try:
                run = self._init(
                    mode, name=name, group=group, job_type=job_type, config=config, directory=directory
                )
                return WandbTracker(run)
            except Exception as error:
                _tell(f"could not start a run in mode {mode} ({_one_line(error)})")
        return NoTracker()

    def _init(
        self,
        mode: str,
        *,
        name: str,
        group: str,
        job_type: str,
        config: Mapping[str, Any],
        directory: Path,
    ) -> wandb.Run:
        import wandb

        directory.mkdir(parents=True, exist_ok=True)
        # Set globally too: else W&B asks its server who is logged in, even for an offline run.
        wandb.setup(wandb.Settings(silent=True, mode=mode))  # type: ignore[arg-type]
        run = wandb.init(
            project=str(self.project),
            entity=self.entity,
            name=name[:128],
            group=group[:128] or None,
            job_type=job_type[:64],
            config=dict(config),
            tags=list(map(str, self.tags)),
            dir=directory,
            mode=mode,  # type: ignore[arg-type]
            resume="auto" if mode == "online" else None,
            reinit="create_new",
            settings=wandb.Settings(
                silent=True, console="off", init_timeout=INIT_TIMEOUT_S, finish_timeout=FINISH_TIMEOUT_S
            ),
        )
        run.define_metric("progress/problems_done")
        run.define_metric("progress/*", step_metric="progress/problems_done")
        if mode == "online":
            _tell(str(run.url))
        return run


class WandbTracker:
    """One W&B run under way; live figures are sent at most every `every_s` seconds and at the end."""

    def __init__(self, run: wandb.Run, *, every_s: float = 5.0) -> None:
        self._run = run
        self._every_s = every_s
        self._sent_at_s = -every_s
        self._told = False
        self._open = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, exception_type: type[BaseException] | None, *rest: object) -> None:
        self._close(exit_code=0 if exception_type is None else 1)

    def update(self, progress: Progress) -> None:
        """Send accuracy, speed, problems done and dollars so far."""
        is_last = progress.num_done == progress.num_problems
        if not is_last and progress.elapsed_s - self._sent_at_s < self._every_s:
            return
        self._sent_at_s = progress.elapsed_s
        figures = {
            "progress/problems_done": progress.num_done,
            "progress/accuracy": progress.accuracy,
            "progress/tokens_per_s": progress.tokens_per_s,
            "progress/failed": progress.num_failed,
            "progress/usd": progress.usd,
        }
        with self._only_told():
            self._run.log({key: value for key, value in figures.items() if value is not None})

    def finish(self, summary: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> None:
        """Store the summary and a table `problems`, end the run, wait for uploads (two minutes at most)."""
        with self._only_told():
            self._run.log({"problems": _table(rows)})
        with self._only_told():
            self._run.summary.update(json.loads(json.dumps(dict(summary), default=str)))
        self._close(exit_code=0)

    def publish(
        self, *, tables: Mapping[str, Sequence[Mapping[str, Any]]], images: Mapping[str, Path], page: Path
    ) -> None:
        """Store a report and end the run, wait for uploads (two minutes at most)."""
        with self._only_told():
            import wandb

            self._run.log({name: _table(rows) for name, rows in tables.items()})
            self._run.log({name: wandb.Image(str(file)) for name, file in images.items()})
            self._run.log({"report": wandb.Html(page, inject=False)})
        self._close(exit_code=0)

    def _close(self, *, exit_code: int) -> None:
        if self._open:
            self._open = False
            with self._only_told():
                self._run.finish(exit_code=exit_code)

    @contextmanager
    def _only_told(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            if not self._told:
                self._told = True
                _tell(f"tracking failed ({_one_line(error)}); the run goes on, its directory has everything")


@cache
def _settled(mode: str) -> str:
    """Return what `mode` comes to on this machine: online, offline, or disabled where WANDB_MODE says so."""
    import wandb

    if mode == "auto":
        mode = NO_NETWORK_MODES.get(os.environ.get("WANDB_MODE", ""), "auto")
    if mode in NO_NETWORK_MODES:
        return mode
    wandb.setup(wandb.Settings(silent=True, mode="online"))
    try:
        problem = None if wandb.login(prompt=False, verify=True) else "not logged in"
    except Exception as error:
        problem = _one_line(error)
    if problem is None:
        return "online"
    if mode == "online":
        raise ValueError(
            f"tracking.mode=online, but W&B cannot be used: {problem}. Log in with `wandb login`, or give "
            "tracking.mode=offline or tracking=none"
        )
    _tell(
        f"tracking offline ({problem}). To track online: wandb login. "
        "To upload later: wandb sync RUN_DIRECTORY/wandb/offline-run-*"
    )
    return "offline"


def _table(rows: Sequence[Mapping[str, Any]]) -> wandb.Table:
    import wandb

    columns: list[str | int] = list(dict.fromkeys(column for row in rows for column in row))
    cells: list[Iterable[Any]] = [[_cell(row.get(str(column))) for column in columns] for row in rows]
    return wandb.Table(columns=columns, data=cells, allow_mixed_types=True)


def _cell(value: Any) -> Any:
    is_plain = value is None or isinstance(value, str | bool | int | float)
    return value if is_plain else json.dumps(value, ensure_ascii=False, default=str)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _tell(message: str) -> None:
    print(f"W&B: {message}", file=sys.stderr)
