"""The program called as a user calls it, in an empty folder and without starting an engine."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hydra.core.global_hydra import GlobalHydra

from tts_eval.command.launch import launch
from tts_eval.engines.vllm.settings import VllmEngine
from tts_eval.model import Model

Refused = Callable[..., str]


class EngineStarted(AssertionError):
    """An engine would have been started."""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory: an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def call(here: Path, monkeypatch: pytest.MonkeyPatch, tiny: Model) -> Callable[[Sequence[str]], int]:
    """Return what launches the program on the tiny model, in this process, and gives its exit code."""

    def start(self: VllmEngine, model: Model) -> None:
        raise EngineStarted

    monkeypatch.setattr(VllmEngine, "start", start)
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")  # as __main__ does

    def call(arguments: Sequence[str]) -> int:
        flags = [argument for argument in arguments if argument.startswith("-")]
        settings = [argument for argument in arguments if not argument.startswith("-")]
        arguments = [*flags, f"model.path={tiny.path}", "tracking=none", *settings]
        monkeypatch.setattr(sys, "argv", ["tts_eval", *arguments])
        try:
            return launch(arguments)
        finally:
            GlobalHydra.instance().clear()

    return call


@pytest.fixture
def refused(
    call: Callable[[Sequence[str]], int], here: Path, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """Return what gives the one line that a command line is rejected with, and finds nothing half-written."""

    def refused(*arguments: str) -> str:
        before = sorted(here.rglob("*"))
        assert call(arguments) == 1
        [line] = capsys.readouterr().err.splitlines()
        assert line.startswith("tts_eval: ")
        assert here.is_dir()
        assert sorted(here.rglob("*")) == before
        return line.removeprefix("tts_eval: ")

    return refused
