"""The check of a verifier refuses in one line what it cannot check, before anything is loaded."""

from __future__ import annotations

import sys

import pytest
from hydra.core.global_hydra import GlobalHydra

from tts_eval.check_verifier import main


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["verifier=judge"], "this verifier has no reward model of its own to check"),
        (["verifier=none"], "this verifier has no reward model of its own to check"),
        (["verifier=pocket_pr"], "did you mean 'pocket_prm'?"),
        (["verifier.separator=' * ='"], "verifier.separator=' * =' must be one token of pocket_prm"),
        (["roles.verifier.engine.label_tokens=[' *',minus]"], "'minus' is no token of pocket_prm"),
        (
            ["roles.verifier.model.path=nowhere"],
            "'nowhere' is neither a folder with a checkpoint nor a hub id",
        ),
    ],
)
def test_it_is_refused_in_one_line(
    arguments: list[str], says: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")  # as __main__ does
    monkeypatch.setattr(sys, "argv", ["check_verifier", *arguments])
    try:
        assert main() == 1
    finally:
        GlobalHydra.instance().clear()
    [line] = capsys.readouterr().err.splitlines()

    assert line.startswith("tts_eval.check_verifier: ")
    assert says in line
