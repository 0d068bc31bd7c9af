"""People see how far a run is: a bar on a terminal, few lines elsewhere."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from tts_eval.tracking.console import ProgressBar, ProgressLines, progress_display
from tts_eval.tracking.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def done(num_done: int, *, of: int, elapsed_s: float | None = None) -> Progress:
    return Progress(
        of,
        num_done,
        num_correct=num_done // 2,
        num_failed=0,
        num_generated_tokens=100 * num_done,
        elapsed_s=float(num_done) if elapsed_s is None else elapsed_s,
        usd=0.001 * num_done,
    )


def test_a_fast_run_of_many_problems_writes_a_line_a_tenth() -> None:
    stream = io.StringIO()

    with ProgressLines(stream) as lines:
        for num_done in range(1, 501):
            lines.update(done(num_done, of=500, elapsed_s=0.01 * num_done))

    written = stream.getvalue().splitlines()
    assert len(written) == 10
    assert written[0] == "50/500 problems, accuracy 50.0%, 10,000 tokens/s, 0:00:04 left, $0.0500"
    assert written[-1] == "500/500 problems, accuracy 50.0%, 10,000 tokens/s, $0.5000, took 0:00:05"


def test_a_slow_run_writes_a_line_a_minute() -> None:
    stream = io.StringIO()

    with ProgressLines(stream, every_s=60) as lines:
        for num_done in range(1, 10):
            lines.update(done(num_done, of=1000, elapsed_s=25.0 * num_done))

    assert [line.split()[0] for line in stream.getvalue().splitlines()] == ["3/1000", "6/1000", "9/1000"]


def test_a_run_that_breaks_off_says_how_far_it_came() -> None:
    stream = io.StringIO()

    with pytest.raises(KeyboardInterrupt), ProgressLines(stream) as lines:
        lines.update(done(1, of=100))
        raise KeyboardInterrupt

    assert stream.getvalue() == "1/100 problems, accuracy 0.0%, 100 tokens/s, 0:01:39 left, $0.0010\n"


def test_failures_show_and_an_unknown_price_does_not() -> None:
    stream = io.StringIO()

    with ProgressLines(stream) as lines:
        lines.update(Progress(2, 2, 1, num_failed=1, num_generated_tokens=10, elapsed_s=1.0, usd=None))

    assert stream.getvalue() == "2/2 problems, accuracy 50.0%, 1 failed, 10 tokens/s, took 0:00:01\n"


def test_a_bar_shows_accuracy_speed_and_time_left_in_eighty_columns() -> None:
    screen = io.StringIO()
    console = Console(file=screen, width=80, force_terminal=True, color_system=None)

    with ProgressBar(500, console=console) as bar:
        bar.update(done(250, of=500))

    assert "250/500 accuracy 50.0%, 100 tokens/s, 0:04:10 left" in screen.getvalue()


def test_the_stream_decides_between_bar_and_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    assert isinstance(progress_display(1, stream=Terminal()), ProgressBar)
    assert isinstance(progress_display(1, stream=io.StringIO()), ProgressLines)

    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(progress_display(1, stream=Terminal()), ProgressLines)
